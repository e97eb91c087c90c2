// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/algorithm_text.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace waybill::cli {

namespace {

/// One declaration: its name, what is to be known of it, and below them its help.
std::string entry(const std::string &name, const std::string &facts, const std::string &help) {
  return forTerminal("  " + padded(name, 16) + "  " + facts) + "\n" + linesForTerminal(help, "      ");
}

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const auto &word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

std::string factsOf(const InputDeclaration &input) {
  return (input.contentTypes.empty() ? "any type" : joined(input.contentTypes)) +
         (input.required ? "; required" : "; optional") + (input.many ? "; may be given again" : "");
}

std::string factsOf(const OutputDeclaration &output) {
  return output.contentType + (output.required ? "" : "; not always made");
}

std::string rangeOf(const ParameterDeclaration &parameter) {
  if (parameter.minimum && parameter.maximum) {
    return " from " + *parameter.minimum + " to " + *parameter.maximum;
  }
  if (parameter.minimum) {
    return " from " + *parameter.minimum;
  }
  return parameter.maximum ? " up to " + *parameter.maximum : "";
}

std::string factsOf(const ParameterDeclaration &parameter) {
  auto text = parameter.values.empty() ? std::string(name(parameter.type)) : "one of " + joined(parameter.values);
  text += rangeOf(parameter);
  if (parameter.maxLength) {
    text += " of at most " + counted(*parameter.maxLength, "byte");
  }
  if (parameter.pattern) {
    text += " that matches " + *parameter.pattern;
  }
  if (parameter.byDefault) {
    text += "; default " + (parameter.byDefault->empty() ? "''" : *parameter.byDefault);
  }
  return text + (parameter.required ? "; required" : "");
}

template <class Declarations> std::string section(const char *title, const Declarations &declarations) {
  std::string text;
  for (const auto &declaration : declarations) {
    text += entry(declaration.name, factsOf(declaration), declaration.help);
  }
  return text.empty() ? text : std::string("\n") + title + ":\n" + text;
}

std::string limits(const AlgorithmLimits &limits) {
  return "\nLimits:\n  " + durationForPeople(limits.wall) + " in all, " + durationForPeople(limits.cpu) +
         " of processor time, " + sizeForPeople(limits.memory) + " of memory, " + std::to_string(limits.processes) +
         " processes, " + sizeForPeople(limits.output) + " of output\n";
}

/// A word of a command line, quoted for the shell where it has to be.
std::string shellWord(const std::string &text) {
  static constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:=,+@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) {
    return text;
  }
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

/// A value that the parameter can have, or what stands for one.
std::string exampleOf(const ParameterDeclaration &parameter) {
  if (parameter.byDefault) {
    return *parameter.byDefault;
  }
  if (!parameter.values.empty()) {
    return parameter.values.front();
  }
  switch (parameter.type) {
  case ParameterType::Integer: return parameter.minimum.value_or(parameter.maximum.value_or("1"));
  case ParameterType::Decimal: return parameter.minimum.value_or(parameter.maximum.value_or("1.5"));
  case ParameterType::Boolean: return "true";
  case ParameterType::String:
  case ParameterType::Enumeration: break;
  }
  return "TEXT";
}

/// All that has to be given, and of what may be given the first.
std::string exampleLine(const AlgorithmDescription &algorithm, const std::string &name) {
  auto line = "waybill run " + shellWord(name);
  const auto needed =
      std::any_of(algorithm.inputs.begin(), algorithm.inputs.end(), [](const auto &input) { return input.required; });
  for (const auto &input : algorithm.inputs) {
    if (input.required || (!needed && &input == &algorithm.inputs.front())) {
      line += " " + input.name + "=FILE" + (input.many ? " " + input.name + "=FILE" : "");
    }
  }
  bool shown = false;
  for (const auto &parameter : algorithm.parameters) {
    if (parameter.required || !shown) {
      line += " --param " + shellWord(parameter.name + "=" + exampleOf(parameter));
      shown = shown || !parameter.required;
    }
  }
  return line;
}

} // namespace

std::string algorithmTable(const std::vector<AlgorithmDescription> &algorithms) {
  std::array<std::size_t, 2> widths{2, 7};
  for (const auto &algorithm : algorithms) {
    widths = {std::max(widths[0], algorithm.id.size()), std::max(widths[1], algorithm.version.size())};
  }
  const auto line = [&](const std::string &id, const std::string &version, const std::string &title) {
    return forTerminal(padded(id, widths[0]) + "  " + padded(version, widths[1]) + "  " + title) + "\n";
  };
  auto text = line("ID", "VERSION", "TITLE");
  for (const auto &algorithm : algorithms) {
    text += line(algorithm.id, algorithm.version, algorithm.title);
  }
  return text;
}

std::string algorithmBlock(const AlgorithmDescription &algorithm, const std::string &name) {
  auto text = field("id", algorithm.id) + field("version", algorithm.version) + field("title", algorithm.title);
  if (!algorithm.help.empty()) {
    text += "\n" + linesForTerminal(algorithm.help, "");
  }
  return text + section("Inputs", algorithm.inputs) + section("Outputs", algorithm.outputs) +
         section("Parameters", algorithm.parameters) + limits(algorithm.limits) + "\nExample:\n  " +
         forTerminal(exampleLine(algorithm, name)) + "\n";
}

} // namespace waybill::cli
