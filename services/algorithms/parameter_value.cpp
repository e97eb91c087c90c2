// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/parameter_value.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <regex>

namespace waybill::services {

namespace {

constexpr std::size_t mostDigits = 40;
constexpr std::string_view smallestInteger = "-9223372036854775808";
constexpr std::string_view largestInteger = "9223372036854775807";

bool areDigits(std::string_view text) noexcept {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The polynomial matcher of libstdc++: patterns are the operator's, values a stranger's, and the usual one takes time
/// and stack without bound for some pairs of them.
std::regex compiled(const std::string &pattern) {
  return std::regex(pattern, std::regex::ECMAScript | std::regex::nosubs | std::regex_constants::__polynomial);
}

bool isNumber(ParameterType type) noexcept { return type == ParameterType::Integer || type == ParameterType::Decimal; }

/// A bound of `declaration`, whose file was checked; an integer always has both.
std::optional<std::string> bound(const ParameterDeclaration &declaration, const std::optional<std::string> &declared,
                                 std::string_view ofIntegers) {
  return declared || declaration.type != ParameterType::Integer ? declared : std::optional<std::string>(ofIntegers);
}

std::optional<std::string> minimum(const ParameterDeclaration &declaration) {
  return bound(declaration, declaration.minimum, smallestInteger);
}

std::optional<std::string> maximum(const ParameterDeclaration &declaration) {
  return bound(declaration, declaration.maximum, largestInteger);
}

/// What the value means, or nothing when it is none.
std::optional<std::string> number(const ParameterDeclaration &declaration, std::string_view value) {
  const auto given = DecimalNumber::parse(value);
  if (!given || (declaration.type == ParameterType::Integer && value.find('.') != std::string_view::npos)) {
    return std::nullopt;
  }
  const auto low = minimum(declaration);
  const auto high = maximum(declaration);
  if ((low && *given < *DecimalNumber::parse(*low)) || (high && *given > *DecimalNumber::parse(*high))) {
    return std::nullopt;
  }
  return given->text();
}

std::optional<std::string> boolean(std::string_view value) {
  const auto text = trimmed(value);
  if (text == "true" || text == "1") {
    return "true";
  }
  return text == "false" || text == "0" ? std::optional<std::string>("false") : std::nullopt;
}

std::optional<std::string> string(const ParameterDeclaration &declaration, std::string_view value) {
  const bool fits =
      value.size() <= declaration.maxLength.value_or(longestString) &&
      (!declaration.pattern || std::regex_match(value.begin(), value.end(), compiled(*declaration.pattern)));
  return fits ? std::optional(std::string(value)) : std::nullopt;
}

std::optional<std::string> enumerated(const ParameterDeclaration &declaration, std::string_view value) {
  const auto found = std::find(declaration.values.begin(), declaration.values.end(), value);
  return found == declaration.values.end() ? std::nullopt : std::optional(*found);
}

std::optional<std::string> meant(const ParameterDeclaration &declaration, std::string_view value) {
  switch (declaration.type) {
  case ParameterType::String: return string(declaration, value);
  case ParameterType::Integer:
  case ParameterType::Decimal: return number(declaration, value);
  case ParameterType::Boolean: return boolean(value);
  case ParameterType::Enumeration: return enumerated(declaration, value);
  }
  return std::nullopt;
}

std::string range(const std::optional<std::string> &low, const std::optional<std::string> &high) {
  if (low && high) {
    return " from " + *low + " to " + *high;
  }
  return low ? " of " + *low + " or more" : high ? " of " + *high + " or less" : "";
}

std::string list(const std::vector<std::string> &values) {
  std::string all;
  for (const auto &value : values) {
    all += (all.empty() ? "'" : ", '") + printable(value, 60) + "'";
  }
  return all;
}

} // namespace

std::optional<DecimalNumber> DecimalNumber::parse(std::string_view text) {
  text = trimmed(text);
  DecimalNumber number;
  if (text.starts_with('-') || text.starts_with('+')) {
    number.negative_ = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto point = text.find('.');
  auto whole = text.substr(0, point);
  auto fraction = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  if ((whole.empty() && fraction.empty()) || !areDigits(whole) || !areDigits(fraction) ||
      whole.size() + fraction.size() > mostDigits) {
    return std::nullopt;
  }
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  number.whole_ = whole;
  number.fraction_ = fraction;
  number.negative_ = number.negative_ && !(whole.empty() && fraction.empty());
  return number;
}

std::string DecimalNumber::text() const {
  return (negative_ ? "-" : "") + (whole_.empty() ? "0" : whole_) + (fraction_.empty() ? "" : "." + fraction_);
}

std::strong_ordering operator<=>(const DecimalNumber &a, const DecimalNumber &b) noexcept {
  if (a.negative_ != b.negative_) {
    return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  auto size = a.whole_.size() <=> b.whole_.size();
  if (size == std::strong_ordering::equal) {
    size = a.whole_ <=> b.whole_;
  }
  if (size == std::strong_ordering::equal) {
    size = a.fraction_ <=> b.fraction_;
  }
  return a.negative_ ? 0 <=> size : size;
}

std::string allowedValues(const ParameterDeclaration &declaration) {
  switch (declaration.type) {
  case ParameterType::String:
    return "text of at most " + std::to_string(declaration.maxLength.value_or(longestString)) +
           " bytes without control characters" +
           (declaration.pattern ? " that matches " + printable(*declaration.pattern, 300) : "");
  case ParameterType::Integer: return "a whole number" + range(minimum(declaration), maximum(declaration));
  case ParameterType::Decimal:
    return "a decimal number" + range(minimum(declaration), maximum(declaration)) + " such as 0.25";
  case ParameterType::Boolean: return "true or false";
  case ParameterType::Enumeration: return "one of " + list(declaration.values);
  }
  return "";
}

std::string checkedValue(const ParameterDeclaration &declaration, std::string_view value) {
  const auto refuse = [&](const std::string &given) {
    throw Fault(FaultCode::BadParameter,
                "the parameter '" + declaration.name + "' is " + given + "; it has to be " + allowedValues(declaration),
                declaration.name);
  };
  const auto shown = "'" + printable(value, 100) + "'";
  if (!isUtf8(value)) {
    refuse(shown + ", which is no UTF-8");
  }
  // Blanks around a number or boolean, line ends among them, mean nothing (XML Schema's whiteSpace: collapse).
  if (hasControlCharacters(isNumber(declaration.type) || declaration.type == ParameterType::Boolean ? trimmed(value)
                                                                                                    : value)) {
    refuse(shown + ", which has control characters");
  }
  auto result = meant(declaration, value);
  if (!result) {
    refuse(shown + (declaration.type == ParameterType::String ? " of " + std::to_string(value.size()) + " bytes" : ""));
  }
  return std::move(*result);
}

std::optional<std::string> patternProblem(const std::string &pattern) {
  try {
    static_cast<void>(compiled(pattern));
    return std::nullopt;
  } catch (const std::regex_error &error) {
    return error.what();
  }
}

} // namespace waybill::services
