// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/command_check.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/algorithms/arguments.hpp"
#include "soap/media_type.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

using Kind = TextPiece::Kind;

constexpr std::size_t mostPrograms = 1000; ///< each is looked for, again and again

bool isPlainWord(std::string_view text) {
  static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string quoted(const std::string &name) { return "'" + printable(name, 100) + "'"; }

} // namespace

void CommandCheck::Place::refuse(const std::string &what) const { section.refuse(key, node, what); }

std::vector<TextPiece> CommandCheck::Place::pieces(const std::string &text) const {
  try {
    return services::pieces(text);
  } catch (const Fault &fault) {
    refuse("cannot be read: " + fault.reason());
  }
}

void CommandCheck::contentType(const TomlSection &section, std::string_view key, const std::string &text) {
  const Place place{section, key, section.has(key) ? *section.node(key) : section.itself()};
  std::string example;
  for (const auto &piece : place.pieces(text)) {
    example += piece.kind == Kind::Text ? piece.text : plainWord(place, piece).values.front();
  }
  const auto type = soap::MediaType::parse(example);
  if (!type || type->type.find('*') != std::string::npos) {
    place.refuse("needs a media type such as \"text/csv\", not '" + printable(text, 100) + "'");
  }
}

std::vector<Algorithm::Argument> CommandCheck::command(const TomlSection &document) {
  const auto *list = document.list("command");
  if (list == nullptr) {
    document.refuse("'command' is missing: a list of the program and its arguments");
  }
  if (list->empty()) {
    document.refuse("command", *list, "is empty: it needs the program, and then its arguments");
  }
  std::vector<Algorithm::Argument> all;
  for (const auto &node : *list) {
    all.push_back(argument({document, "command", node}));
  }
  const Place first{document, "command", *list->get(0)};
  if (!first.node.is_string()) {
    first.refuse("has to begin with the program, without a condition");
  }
  checkProgram(first, all.front().texts.front());
  return all;
}

void CommandCheck::everyParameterIsUsed(const TomlSection &document) const {
  for (const auto &[name, table] : document.tables("parameters")) {
    if (!used_.contains(name)) {
      document.refuse("parameters." + name, *table,
                      "is used nowhere: 'command' has neither {parameter." + name + "} nor a condition of this name");
    }
  }
}

Algorithm::Argument CommandCheck::argument(const Place &place) {
  Algorithm::Argument result;
  if (place.node.is_string()) {
    result.texts = {place.section.anyText(place.key, place.node)};
  } else if (const auto *table = place.node.as_table()) {
    const TomlSection section(place.section.file(), "command", *table, {"if", "then"});
    result.condition = section.requiredText("if");
    const auto *texts = section.list("then");
    if (texts == nullptr || texts->empty()) {
      place.refuse("has a condition without arguments: { if = \"NAME\", then = [\"ARGUMENT\"] }");
    }
    for (const auto &text : *texts) {
      result.texts.push_back(place.section.anyText(place.key, text));
    }
    checkCondition(place, result.condition);
  } else {
    place.refuse("needs texts and { if = \"NAME\", then = [\"ARGUMENT\"] }, nothing else");
  }
  for (const auto &text : result.texts) {
    checkText(place, text, result.condition);
  }
  return result;
}

void CommandCheck::checkCondition(const Place &place, const std::string &condition) {
  if (declared(description_.parameters, condition) != nullptr) {
    used_.insert(condition);
  } else if (declared(description_.inputs, condition) == nullptr) {
    place.refuse("has the condition " + quoted(condition) + ", which is neither a parameter nor an input");
  }
}

void CommandCheck::checkText(const Place &place, const std::string &text, const std::string &condition) {
  const auto parts = place.pieces(text);
  for (const auto &piece : parts) {
    switch (piece.kind) {
    case Kind::Text: break;
    case Kind::Input: checkInput(place, piece, parts.size() == 1, condition); break;
    case Kind::Output:
      if (declared(description_.outputs, piece.text) == nullptr) {
        place.refuse("has {output." + printable(piece.text, 100) + "}, and there is no such output");
      }
      break;
    case Kind::Parameter: checkParameter(place, piece, condition); break;
    }
  }
}

void CommandCheck::checkInput(const Place &place, const TextPiece &piece, bool alone,
                              const std::string &condition) const {
  const auto shown = "{input." + printable(piece.text, 100) + "}";
  const auto *input = declared(description_.inputs, piece.text);
  if (input == nullptr) {
    place.refuse("has " + shown + ", and there is no such input");
  }
  if (input->many && !alone) {
    place.refuse("has " + shown + " with other text around it; there may be many of it, so it has to stand alone");
  }
  if (!input->required && condition != piece.text) {
    place.refuse("has " + shown + ", which a call may leave out; write { if = \"" + piece.text + "\", then = [...] }");
  }
}

void CommandCheck::checkParameter(const Place &place, const TextPiece &piece, const std::string &condition) {
  const auto shown = "{parameter." + printable(piece.text, 100) + "}";
  const auto *parameter = declared(description_.parameters, piece.text);
  if (parameter == nullptr) {
    place.refuse("has " + shown + ", and there is no such parameter");
  }
  if (!parameter->required && !parameter->byDefault && condition != piece.text) {
    place.refuse("has " + shown + ", which a call may leave out; write { if = \"" + piece.text +
                 "\", then = [...] }, or give it a 'default'");
  }
  used_.insert(piece.text);
}

void CommandCheck::checkProgram(const Place &place, const std::string &text) {
  std::size_t programs = 1;
  for (const auto &piece : place.pieces(text)) {
    programs *= piece.kind == Kind::Text ? 1 : plainWord(place, piece).values.size();
    if (programs > mostPrograms) {
      place.refuse("begins with a choice of more than " + std::to_string(mostPrograms) +
                   " programs; publish several algorithms instead");
    }
  }
  if (text.empty() || text.front() == '-' || (text.front() != '/' && text.find('/') != std::string::npos)) {
    place.refuse("has to begin with a program: a name to be looked up in /usr/bin, or a path that begins with '/'");
  }
}

const ParameterDeclaration &CommandCheck::plainWord(const Place &place, const TextPiece &piece) {
  const auto *parameter = piece.kind == Kind::Parameter ? declared(description_.parameters, piece.text) : nullptr;
  if (parameter == nullptr || parameter->type != ParameterType::Enumeration ||
      !std::all_of(parameter->values.begin(), parameter->values.end(), isPlainWord)) {
    place.refuse(
        "may have placeholders only of parameters of the type \"enumeration\" here, whose values are of letters "
        "(a-z), digits, '.', '_', '+' and '-'; " +
        quoted(piece.text) + " is none");
  }
  if (!parameter->required && !parameter->byDefault) {
    place.refuse("has {parameter." + piece.text + "}, which a call may leave out; give it a 'default'");
  }
  used_.insert(piece.text);
  return *parameter;
}

} // namespace waybill::services
