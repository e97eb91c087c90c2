// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/algorithm.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace waybill::services {

/// One algorithm as its file says: what callers may know of it, and how it is run. docs/algorithms.md is its source.
struct Algorithm {
  /// One or more arguments of the command, which belong together.
  struct Argument {
    /// The name of a parameter or an input without which these arguments are left out (a parameter of type boolean:
    /// unless it is true); empty: they are always there.
    std::string condition;
    /// Text with placeholders: "{input.NAME}", "{output.NAME}" (paths within the sandbox), "{parameter.NAME}", "{{" and
    /// "}}" for braces. A text that is nothing but an input of which there may be many stands for one argument each.
    std::vector<std::string> texts;
    friend bool operator==(const Argument &, const Argument &) = default;
  };
  AlgorithmDescription description;
  std::vector<Argument> command; ///< the first is the program: a path, or a name looked up in /usr/bin
  std::size_t commandLine = 1;   ///< where it stands in the file, for messages
  std::map<std::string, std::string> environment;
  std::optional<std::string> standardInput;       ///< name of the input that it reads there
  std::optional<std::string> standardOutput;      ///< name of the output that it writes there
  std::map<std::string, std::string> outputFiles; ///< by output: the file name, where it is not the output's name
  std::map<std::string, std::string> inputFiles;  ///< the same for inputs; of many, each has its number before it
};

} // namespace waybill::services
