// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/arguments.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/algorithms/parameter_value.hpp"
#include "services/algorithms/placeholders.hpp"
#include "services/algorithms/sandbox.hpp"
#include "soap/media_type.hpp"

#include <set>
#include <utility>

namespace waybill::services {

namespace {

using Kind = TextPiece::Kind;

[[noreturn]] void refuse(const std::string &name, const std::string &what) {
  throw Fault(FaultCode::BadParameter, what, name);
}

std::string shown(std::string_view name) { return "'" + printable(name, 100) + "'"; }

/// "; text/sort takes 'a' (required), 'b'", for who got a name wrong.
std::string taken(const AlgorithmDescription &algorithm, const char *kind, const std::vector<std::string> &all) {
  std::string names;
  for (const auto &one : all) {
    names += (names.empty() ? " " : ", ") + one;
  }
  return "; the " + std::string(kind) + " of " + algorithm.id + (all.empty() ? ": none" : ":" + names);
}

std::string takenParameters(const AlgorithmDescription &algorithm) {
  std::vector<std::string> all;
  for (const auto &one : algorithm.parameters) {
    all.push_back(shown(one.name) + (one.required ? " (required)" : ""));
  }
  return taken(algorithm, "parameters", all);
}

std::string takenInputs(const AlgorithmDescription &algorithm) {
  std::vector<std::string> all;
  for (const auto &one : algorithm.inputs) {
    const auto *const how =
        one.required ? (one.many ? " (one or more)" : " (required)") : (one.many ? " (any number)" : " (optional)");
    all.push_back(shown(one.name) + how);
  }
  return taken(algorithm, "inputs", all);
}

std::string takenOutputs(const AlgorithmDescription &algorithm) {
  std::vector<std::string> all;
  for (const auto &one : algorithm.outputs) {
    all.push_back(shown(one.name));
  }
  return taken(algorithm, "outputs", all);
}

/// True when `condition` holds for this call; see Algorithm::Argument.
bool holds(const Algorithm &algorithm, const std::string &condition, const ParameterValues &values,
           const InputPaths &inputs) {
  if (condition.empty()) {
    return true;
  }
  if (const auto *parameter = declared(algorithm.description.parameters, condition)) {
    const auto value = values.find(condition);
    return value != values.end() && (parameter->type != ParameterType::Boolean || value->second == "true");
  }
  const auto given = inputs.find(condition);
  return given != inputs.end() && !given->second.empty();
}

/// What a placeholder stands for. algorithm_file has seen to it that there is something.
std::string meaning(const Algorithm &algorithm, const TextPiece &piece, const ParameterValues &values,
                    const InputPaths &inputs) {
  switch (piece.kind) {
  case Kind::Text: return piece.text;
  case Kind::Input: return inputs.at(piece.text).at(0);
  case Kind::Output: return "/out/" + outputFile(algorithm, piece.text);
  case Kind::Parameter: return values.at(piece.text);
  }
  return {};
}

bool matches(std::string_view pattern, std::string_view type) {
  const auto slash = pattern.find('/');
  return equalIgnoringCase(pattern, type) || pattern == "*/*" ||
         (pattern.substr(slash + 1) == "*" &&
          equalIgnoringCase(pattern.substr(0, slash), type.substr(0, type.find('/'))));
}

} // namespace

ParameterValues checkedParameters(const AlgorithmDescription &algorithm, const std::vector<NamedValue> &given) {
  ParameterValues values;
  for (const auto &one : given) {
    const auto *declaration = declared(algorithm.parameters, one.name);
    if (declaration == nullptr) {
      refuse(one.name, algorithm.id + " has no parameter " + shown(one.name) + takenParameters(algorithm));
    }
    if (!values.emplace(one.name, checkedValue(*declaration, one.value)).second) {
      refuse(one.name, "the parameter " + shown(one.name) + " is given twice; it takes one value, which has to be " +
                           allowedValues(*declaration));
    }
  }
  for (const auto &declaration : algorithm.parameters) {
    if (declaration.required && !values.contains(declaration.name)) {
      refuse(declaration.name, "the parameter " + shown(declaration.name) + " is missing; it has to be " +
                                   allowedValues(declaration) + takenParameters(algorithm));
    }
    if (declaration.byDefault) {
      values.emplace(declaration.name, *declaration.byDefault);
    }
  }
  return values;
}

void checkInputs(const AlgorithmDescription &algorithm, const std::vector<NamedData> &given) {
  if (given.size() > SandboxTask::mostInputs) {
    refuse("Input", "an algorithm can be given " + std::to_string(SandboxTask::mostInputs) + " inputs, not " +
                        std::to_string(given.size()) + "; put several into one, for instance into an archive");
  }
  std::set<std::string> names;
  for (const auto &one : given) {
    const auto *declaration = declared(algorithm.inputs, one.name);
    if (declaration == nullptr) {
      refuse(one.name, algorithm.id + " has no input " + shown(one.name) + takenInputs(algorithm));
    }
    if (!names.insert(one.name).second && !declaration->many) {
      refuse(one.name, "the input " + shown(one.name) + " is given more than once, and may be given once only" +
                           takenInputs(algorithm));
    }
  }
  for (const auto &declaration : algorithm.inputs) {
    if (declaration.required && !names.contains(declaration.name)) {
      refuse(declaration.name, "the input " + shown(declaration.name) + " is missing" + takenInputs(algorithm));
    }
  }
}

void checkOutputs(const AlgorithmDescription &algorithm, const std::vector<NamedData> &named) {
  std::set<std::string> names;
  for (const auto &one : named) {
    if (declared(algorithm.outputs, one.name) == nullptr) {
      refuse(one.name, algorithm.id + " has no output " + shown(one.name) + takenOutputs(algorithm));
    }
    if (!names.insert(one.name).second) {
      refuse(one.name, "the output " + shown(one.name) + " is named twice" + takenOutputs(algorithm));
    }
  }
}

bool accepts(const InputDeclaration &input, std::string_view contentType) {
  if (input.contentTypes.empty()) {
    return true;
  }
  const auto given = soap::MediaType::parse(contentType.empty() ? "application/octet-stream" : contentType);
  return given && std::any_of(input.contentTypes.begin(), input.contentTypes.end(),
                              [&](const std::string &pattern) { return matches(pattern, given->type); });
}

std::string inputFile(const Algorithm &algorithm, const InputDeclaration &input, std::size_t number) {
  const auto file = algorithm.inputFiles.find(input.name);
  if (!input.many) {
    return file == algorithm.inputFiles.end() ? input.name : file->second;
  }
  return input.name + "/" + std::to_string(number) + (file == algorithm.inputFiles.end() ? "" : "-" + file->second);
}

std::string outputFile(const Algorithm &algorithm, const std::string &output) {
  const auto file = algorithm.outputFiles.find(output);
  return file == algorithm.outputFiles.end() ? output : file->second;
}

std::vector<std::string> expandedCommand(const Algorithm &algorithm, const ParameterValues &values,
                                         const InputPaths &inputs) {
  std::vector<std::string> arguments;
  for (const auto &argument : algorithm.command) {
    if (!holds(algorithm, argument.condition, values, inputs)) {
      continue;
    }
    for (const auto &text : argument.texts) {
      const auto parts = pieces(text);
      if (parts.size() == 1 && parts.front().kind == Kind::Input) {
        const auto &paths = inputs.at(parts.front().text);
        arguments.insert(arguments.end(), paths.begin(), paths.end());
        continue;
      }
      arguments.push_back(
          filledIn(text, [&](const TextPiece &piece) { return meaning(algorithm, piece, values, inputs); }));
    }
  }
  return arguments;
}

std::vector<std::string> programs(const Algorithm &algorithm) {
  std::vector<std::string> all{""};
  for (const auto &piece : pieces(algorithm.command.front().texts.front())) {
    const auto endings = piece.kind == Kind::Text ? std::vector<std::string>{piece.text}
                                                  : declared(algorithm.description.parameters, piece.text)->values;
    std::vector<std::string> longer;
    for (const auto &beginning : all) {
      for (const auto &ending : endings) {
        longer.push_back(beginning + ending);
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::string outputContentType(const OutputDeclaration &output, const ParameterValues &values) {
  return filledIn(output.contentType, [&](const TextPiece &piece) { return values.at(piece.text); });
}

} // namespace waybill::services
