// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"
#include "services/algorithms/algorithm.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// From a call and an algorithm's declarations to what is run. No shell anywhere: an argument is an argument, whatever
/// is in it. All functions are pure.
namespace waybill::services {

using ParameterValues = std::map<std::string, std::string>; ///< by name
/// By the input's name: the paths within the sandbox of what was given for it, in the order of the call.
using InputPaths = std::map<std::string, std::vector<std::string>>;

/// The declaration of that name; null when there is none.
template <class Declaration>
[[nodiscard]] const Declaration *declared(const std::vector<Declaration> &all, std::string_view name) noexcept {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Declaration &one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

/// The parameters of a call, with defaults where it gives none; those without either are not in the result. Throws
/// Fault BadParameter, the parameter's name as subject: unknown, given twice, missing, or not what is declared.
[[nodiscard]] ParameterValues checkedParameters(const AlgorithmDescription &algorithm,
                                                const std::vector<NamedValue> &given);

/// Throws Fault BadParameter, the input's name as subject: unknown, missing, or given more often than is declared;
/// or too many in all.
void checkInputs(const AlgorithmDescription &algorithm, const std::vector<NamedData> &given);

/// The same for what a call says of outputs: unknown, or named twice.
void checkOutputs(const AlgorithmDescription &algorithm, const std::vector<NamedData> &named);

/// True when data of `contentType` may be given for `input`. Parameters (charset) and case do not matter. Empty is
/// application/octet-stream.
[[nodiscard]] bool accepts(const InputDeclaration &input, std::string_view contentType);

/// Where data for `input` is found below /in: "text.txt", or for the second of many "pages/2-page.png". `number` counts
/// from 1.
[[nodiscard]] std::string inputFile(const Algorithm &algorithm, const InputDeclaration &input, std::size_t number);

/// The name of the file in /out that `output` is.
[[nodiscard]] std::string outputFile(const Algorithm &algorithm, const std::string &output);

/// The program and its arguments. `values` as checkedParameters() gives them.
[[nodiscard]] std::vector<std::string> expandedCommand(const Algorithm &algorithm, const ParameterValues &values,
                                                       const InputPaths &inputs);

/// All programs that calls can choose: one, but where its name has placeholders of enumerations.
[[nodiscard]] std::vector<std::string> programs(const Algorithm &algorithm);

/// The media type of `output` for these values.
[[nodiscard]] std::string outputContentType(const OutputDeclaration &output, const ParameterValues &values);

} // namespace waybill::services
