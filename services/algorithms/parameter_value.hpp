// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/algorithm.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::services {

constexpr std::uint64_t longestString = 1000;        ///< bytes of a string parameter that says no max_length
constexpr std::uint64_t longestStringEver = 100'000; ///< one argument of a program may have 128 KiB (execve(2))
constexpr std::uint64_t longestMatched = 10'000;     ///< of one with a pattern: matching takes time

/// A number as xs:integer and xs:decimal write it (XML Schema 1.0 part 2, 3.3.13 and 3.2.3), exact.
class DecimalNumber {
public:
  /// Nothing when `text` is no such number, or has more than 40 digits. Blanks around it are ignored.
  [[nodiscard]] static std::optional<DecimalNumber> parse(std::string_view text);

  [[nodiscard]] bool isInteger() const noexcept { return fraction_.empty(); }
  /// "-7", "0.5": no plus sign, no needless zeros, no point without digits after it.
  [[nodiscard]] std::string text() const;
  friend std::strong_ordering operator<=>(const DecimalNumber &a, const DecimalNumber &b) noexcept;
  friend bool operator==(const DecimalNumber &, const DecimalNumber &) = default;

private:
  bool negative_ = false;
  std::string whole_;    ///< without leading zeros
  std::string fraction_; ///< without trailing zeros
};

/// What a value of `declaration` may be: "a whole number from 1 to 100", "one of 'a', 'b'".
[[nodiscard]] std::string allowedValues(const ParameterDeclaration &declaration);

/// `value` as the program gets it: numbers without needless signs and zeros, booleans as "true" and "false". Throws
/// Fault BadParameter, with the parameter's name as subject, for what the declaration does not allow.
[[nodiscard]] std::string checkedValue(const ParameterDeclaration &declaration, std::string_view value);

/// Why `pattern` is no regular expression that values can be matched with; nothing when it is one.
[[nodiscard]] std::optional<std::string> patternProblem(const std::string &pattern);

} // namespace waybill::services
