// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

enum class ParameterType : std::uint8_t { String, Integer, Decimal, Boolean, Enumeration };

/// "string", "integer", ...: as in wb:Type and in algorithm files.
[[nodiscard]] std::string_view name(ParameterType type) noexcept;
[[nodiscard]] std::optional<ParameterType> parameterTypeNamed(std::string_view name) noexcept;

/// What an algorithm wants to be told. All values are text, as in wb:Parameter.
struct ParameterDeclaration {
  std::string name;
  std::string help;
  ParameterType type = ParameterType::String;
  std::optional<std::string> byDefault; ///< the value when the caller gives none
  bool required = false;                ///< the caller has to give one; never together with byDefault
  std::optional<std::string> minimum;   ///< of Integer and Decimal, inclusive
  std::optional<std::string> maximum;
  std::vector<std::string> values;        ///< of Enumeration
  std::optional<std::uint64_t> maxLength; ///< of String, in bytes of UTF-8
  std::optional<std::string> pattern;     ///< of String: ECMAScript regular expression for the whole value
  friend bool operator==(const ParameterDeclaration &, const ParameterDeclaration &) = default;
};

/// Data that an algorithm reads.
struct InputDeclaration {
  std::string name;
  std::string help;
  std::vector<std::string> contentTypes; ///< "text/csv", "image/*"; empty: any
  bool required = true;
  bool many = false; ///< may be given more than once
  friend bool operator==(const InputDeclaration &, const InputDeclaration &) = default;
};

/// Data that an algorithm makes.
struct OutputDeclaration {
  std::string name;
  std::string help;
  std::string contentType;
  bool required = true; ///< a run that does not make it has failed
  friend bool operator==(const OutputDeclaration &, const OutputDeclaration &) = default;
};

/// Past these a run is killed.
struct AlgorithmLimits {
  std::chrono::seconds cpu{60}; ///< of all its processes together
  std::chrono::seconds wall{300};
  std::uint64_t memory = 512ULL << 20U; ///< bytes, of all its processes and what it keeps in /tmp
  std::uint32_t processes = 32;         ///< and threads, at the same time
  std::uint64_t output = 1ULL << 30U;   ///< bytes of all that it leaves in its folder
  friend bool operator==(const AlgorithmLimits &, const AlgorithmLimits &) = default;
};

/// `wb:Algorithm`: what a caller may know of an algorithm (wsdl/algorithms.xsd).
struct AlgorithmDescription {
  std::string id; ///< one or more segments of [A-Za-z0-9._-], parted by "/": "text/sort"
  std::string version;
  std::string title;
  std::string help;
  std::vector<InputDeclaration> inputs;
  std::vector<OutputDeclaration> outputs;
  std::vector<ParameterDeclaration> parameters;
  AlgorithmLimits limits;
  friend bool operator==(const AlgorithmDescription &, const AlgorithmDescription &) = default;
};

/// True for what may be the id of an algorithm: at most 200 bytes, no segment "." or "..".
[[nodiscard]] bool isAlgorithmId(std::string_view text) noexcept;

} // namespace waybill
