// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/algorithm_file.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/algorithms/arguments.hpp"
#include "services/algorithms/command_check.hpp"
#include "services/algorithms/parameter_value.hpp"
#include "services/algorithms/toml_section.hpp"
#include "services/toml_text.hpp"
#include "soap/media_type.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

namespace waybill::services {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";
constexpr std::size_t longestName = 64;
constexpr std::size_t longestFileName = 100;
constexpr std::int64_t week = 7 * 86'400;
constexpr std::uint64_t mostBytes = 256ULL << 10U; ///< of one file

bool consistsOf(std::string_view text, std::string_view further) {
  const auto allowed = std::string(letters) + std::string(digits) + std::string(further);
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

/// A name is a file name, a word on command lines, and stands in placeholders.
bool isName(std::string_view text) {
  return !text.empty() && text.size() <= longestName && text.front() != '-' && consistsOf(text, "_-");
}

bool isFileName(std::string_view text) {
  return !text.empty() && text.size() <= longestFileName && text.front() != '-' && text.front() != '.' &&
         consistsOf(text, "._-");
}

/// The tables [<kind>.<name>] with their names, which have been checked.
std::vector<std::pair<std::string, TomlSection>> declarations(const TomlSection &document, const std::string &kind,
                                                              const std::set<std::string_view> &keys) {
  std::vector<std::pair<std::string, TomlSection>> all;
  for (const auto &[name, table] : document.tables(kind)) {
    if (!isName(name)) {
      document.refuse(kind + "." + name, *table,
                      "is no name: it needs 1 to 64 letters (a-z), digits, '_' and '-', and '-' not first");
    }
    all.emplace_back(name, TomlSection(document.file(), kind + "." + name, *table, keys));
  }
  return all;
}

/// The file names of a folder in the sandbox, to find out when two are the same.
class FileNames {
public:
  /// The file name that `section` says, into `files`; `name` is what it is without.
  void add(const TomlSection &section, const std::string &name, bool folder,
           std::map<std::string, std::string> &files) {
    const auto file = section.text("file");
    if (file && !isFileName(*file)) {
      section.refuse("file", "is no file name: it needs 1 to 100 letters (a-z), digits, '.', '_' and '-', the first of "
                             "them a letter, a digit or '_'");
    }
    if (file) {
      files.emplace(name, *file);
    }
    const auto taken = folder ? name : file.value_or(name);
    if (const auto [other, isNew] = taken_.emplace(taken, name); !isNew) {
      const auto what = "gets the file name '" + taken + "', which '" + other->second + "' has already";
      section.has("file") ? section.refuse("file", what) : section.refuse("'" + name + "' " + what);
    }
  }

private:
  std::map<std::string, std::string> taken_; ///< by file name: whose it is
};

void readInputs(const TomlSection &document, Algorithm &algorithm) {
  FileNames files;
  for (const auto &[name, section] :
       declarations(document, "inputs", {"help", "content_types", "required", "many", "file"})) {
    InputDeclaration input{name, section.prose("help").value_or(""), section.texts("content_types"),
                           section.flag("required").value_or(true), section.flag("many").value_or(false)};
    for (const auto &type : input.contentTypes) {
      const auto parsed = soap::MediaType::parse(type);
      if (!parsed || !parsed->parameters.empty() || parsed->type.size() != type.size()) {
        section.refuse("content_types",
                       "needs media types such as \"text/csv\" or \"image/*\", not '" + printable(type, 100) + "'");
      }
    }
    files.add(section, name, input.many, algorithm.inputFiles);
    algorithm.description.inputs.push_back(std::move(input));
  }
}

/// A number of `declaration`'s type as text.
std::string numberText(const TomlSection &section, std::string_view key, const toml::node &node, ParameterType type) {
  std::string text;
  if (const auto *whole = node.as_integer()) {
    text = std::to_string(whole->get());
  } else if (const auto *real = node.as_floating_point();
             real != nullptr && type == ParameterType::Decimal && std::isfinite(real->get())) {
    std::array<char, 400> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), real->get(), std::chars_format::fixed);
    text.assign(buffer.data(), end.ptr);
  }
  const auto number = DecimalNumber::parse(text);
  if (!number) {
    section.refuse(key, node,
                   type == ParameterType::Decimal ? "needs a number of at most 40 digits" : "needs a whole number");
  }
  return number->text();
}

std::string defaultText(const TomlSection &section, const ParameterDeclaration &declaration) {
  const auto &node = *section.node("default");
  switch (declaration.type) {
  case ParameterType::String:
  case ParameterType::Enumeration: return section.anyText("default", node);
  case ParameterType::Integer:
  case ParameterType::Decimal: return numberText(section, "default", node, declaration.type);
  case ParameterType::Boolean: return *section.flag("default") ? "true" : "false";
  }
  return {};
}

/// Refuses keys that say nothing for this type.
void onlyFor(const TomlSection &section, ParameterType type, std::initializer_list<ParameterType> types,
             std::initializer_list<std::string_view> keys) {
  if (std::find(types.begin(), types.end(), type) != types.end()) {
    return;
  }
  for (const auto key : keys) {
    if (section.has(key)) {
      section.refuse(key, "says nothing for a parameter of the type \"" + std::string(name(type)) + "\"");
    }
  }
}

void readRange(const TomlSection &section, ParameterDeclaration &declaration) {
  onlyFor(section, declaration.type, {ParameterType::Integer, ParameterType::Decimal}, {"minimum", "maximum"});
  for (auto [key, bound] : {std::pair("minimum", &declaration.minimum), std::pair("maximum", &declaration.maximum)}) {
    if (const auto *node = section.node(key)) {
      *bound = numberText(section, key, *node, declaration.type);
    }
  }
  if (declaration.minimum && declaration.maximum &&
      *DecimalNumber::parse(*declaration.minimum) > *DecimalNumber::parse(*declaration.maximum)) {
    section.refuse("maximum", "is less than 'minimum'");
  }
}

void readText(const TomlSection &section, ParameterDeclaration &declaration) {
  onlyFor(section, declaration.type, {ParameterType::String}, {"max_length", "pattern"});
  if (declaration.type != ParameterType::String) {
    return;
  }
  declaration.pattern = section.text("pattern");
  declaration.maxLength =
      section.whole("max_length", 1, declaration.pattern ? longestMatched : longestStringEver).value_or(longestString);
  if (const auto problem = declaration.pattern ? patternProblem(*declaration.pattern) : std::nullopt) {
    section.refuse("pattern", "is no ECMAScript regular expression without back-references: " + *problem);
  }
}

void readValues(const TomlSection &section, ParameterDeclaration &declaration) {
  onlyFor(section, declaration.type, {ParameterType::Enumeration}, {"values"});
  if (declaration.type != ParameterType::Enumeration) {
    return;
  }
  declaration.values = section.texts("values");
  const std::set<std::string> different(declaration.values.begin(), declaration.values.end());
  if (declaration.values.empty() || different.contains("") || different.size() != declaration.values.size()) {
    section.refuse("values", "needs a list of texts, which are not empty and differ from each other");
  }
}

void readDefault(const TomlSection &section, ParameterDeclaration &declaration) {
  declaration.required = section.flag("required").value_or(false);
  if (!section.has("default")) {
    return;
  }
  if (declaration.required) {
    section.refuse("default", "is never used: the parameter is 'required'");
  }
  try {
    declaration.byDefault = checkedValue(declaration, defaultText(section, declaration));
  } catch (const Fault &fault) {
    if (fault.subject() != declaration.name) {
      throw;
    }
    section.refuse("default", "does not fit: " + fault.reason());
  }
}

void readParameters(const TomlSection &document, Algorithm &algorithm) {
  for (const auto &[name, section] :
       declarations(document, "parameters",
                    {"type", "help", "minimum", "maximum", "default", "required", "max_length", "pattern", "values"})) {
    const auto type = parameterTypeNamed(section.requiredText("type"));
    if (!type) {
      section.refuse("type", "needs one of \"string\", \"integer\", \"decimal\", \"boolean\", \"enumeration\"");
    }
    if (declared(algorithm.description.inputs, name) != nullptr) {
      section.refuse("'" + name + "' is an input already; a parameter needs a name of its own");
    }
    ParameterDeclaration declaration;
    declaration.name = name;
    declaration.help = section.prose("help").value_or("");
    declaration.type = *type;
    readRange(section, declaration);
    readText(section, declaration);
    readValues(section, declaration);
    readDefault(section, declaration);
    algorithm.description.parameters.push_back(std::move(declaration));
  }
}

void readOutputs(const TomlSection &document, Algorithm &algorithm, CommandCheck &check) {
  FileNames files;
  for (const auto &[name, section] : declarations(document, "outputs", {"help", "content_type", "required", "file"})) {
    OutputDeclaration output{name, section.prose("help").value_or(""),
                             section.text("content_type").value_or("application/octet-stream"),
                             section.flag("required").value_or(true)};
    check.contentType(section, "content_type", output.contentType);
    files.add(section, name, false, algorithm.outputFiles);
    algorithm.description.outputs.push_back(std::move(output));
  }
}

void readStandardStreams(const TomlSection &document, Algorithm &algorithm) {
  algorithm.standardInput = document.text("standard_input");
  algorithm.standardOutput = document.text("standard_output");
  if (algorithm.standardInput) {
    const auto *input = declared(algorithm.description.inputs, *algorithm.standardInput);
    if (input == nullptr) {
      document.refuse("standard_input", "names no input: there is no [inputs." + *algorithm.standardInput + "]");
    }
    if (input->many) {
      document.refuse("standard_input", "names an input of which there may be many; only one can be read there");
    }
  }
  if (algorithm.standardOutput && declared(algorithm.description.outputs, *algorithm.standardOutput) == nullptr) {
    document.refuse("standard_output", "names no output: there is no [outputs." + *algorithm.standardOutput + "]");
  }
}

void readLimits(const TomlSection &document, AlgorithmLimits &limits) {
  const auto *table = document.table("limits");
  if (table == nullptr) {
    return;
  }
  const TomlSection section(document.file(), "limits", *table,
                            {"cpu_seconds", "wall_seconds", "memory", "processes", "output"});
  const auto seconds = [&](const char *key, std::chrono::seconds &limit) {
    if (const auto value = section.whole(key, 1, week)) {
      limit = std::chrono::seconds(*value);
    }
  };
  seconds("cpu_seconds", limits.cpu);
  seconds("wall_seconds", limits.wall);
  limits.memory = section.size("memory", "1 MiB", "16 TiB").value_or(limits.memory);
  limits.processes = static_cast<std::uint32_t>(section.whole("processes", 1, 100'000).value_or(limits.processes));
  limits.output = section.size("output", "1 B", "1024 TiB").value_or(limits.output);
}

void readEnvironment(const TomlSection &document, std::map<std::string, std::string> &environment) {
  const auto *table = document.table("environment");
  if (table == nullptr) {
    return;
  }
  for (const auto &[key, value] : *table) {
    const std::string name(key.str());
    if (!isName(name) || digits.find(name.front()) != std::string_view::npos || name.find('-') != std::string::npos) {
      document.refuse("environment." + name, value,
                      "is no name of a variable: it needs letters (a-z), digits and '_', the first no digit");
    }
    environment.emplace(name, document.anyText("environment." + name, value));
  }
}

toml::table parsed(const std::string &file) {
  const auto text = tomlText(file, mostBytes);
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error &error) {
    refuseAt(file, error.source().begin.line, std::string(error.description()));
  }
}

std::string checkedId(const TomlSection &document, const std::string &fromName) {
  static constexpr auto rule =
      "; an id is one or more parts of letters (a-z), digits, '.', '_' and '-', with '/' between "
      "them, at most 200 bytes in all";
  const auto own = document.text("id");
  if (own && !isAlgorithmId(*own)) {
    document.refuse("id", "is no id of an algorithm" + std::string(rule));
  }
  if (!own && !isAlgorithmId(fromName)) {
    document.refuse("the file's name gives no id of an algorithm: '" + printable(fromName, 250) +
                    "'; rename it, or set 'id'" + rule);
  }
  return own.value_or(fromName);
}

} // namespace

Algorithm loadAlgorithm(const std::string &file, const std::string &id) {
  const auto table = parsed(file);
  const TomlSection document(file, "", table,
                             {"id", "version", "title", "help", "command", "standard_input", "standard_output",
                              "inputs", "outputs", "parameters", "limits", "environment"});
  Algorithm algorithm;
  auto &description = algorithm.description;
  description.id = checkedId(document, id);
  description.version = document.requiredText("version");
  description.title = document.requiredText("title");
  description.help = document.prose("help").value_or("");
  readInputs(document, algorithm);
  readParameters(document, algorithm);
  CommandCheck check(description);
  readOutputs(document, algorithm, check);
  readStandardStreams(document, algorithm);
  algorithm.command = check.command(document);
  algorithm.commandLine = document.node("command")->source().begin.line;
  check.everyParameterIsUsed(document);
  readLimits(document, description.limits);
  readEnvironment(document, algorithm.environment);
  return algorithm;
}

} // namespace waybill::services
