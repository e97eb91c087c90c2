// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/algorithm.hpp"

#include <algorithm>
#include <array>

namespace waybill {

namespace {

constexpr std::array<std::string_view, 5> typeNames{"string", "integer", "decimal", "boolean", "enumeration"};
constexpr std::size_t longestId = 200;

bool isSegment(std::string_view segment) noexcept {
  static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !segment.empty() && segment != "." && segment != ".." &&
         segment.find_first_not_of(allowed) == std::string_view::npos;
}

} // namespace

std::string_view name(ParameterType type) noexcept { return typeNames.at(static_cast<std::size_t>(type)); }

std::optional<ParameterType> parameterTypeNamed(std::string_view name) noexcept {
  const auto *const found = std::find(typeNames.begin(), typeNames.end(), name);
  return found == typeNames.end() ? std::nullopt : std::optional(static_cast<ParameterType>(found - typeNames.begin()));
}

bool isAlgorithmId(std::string_view text) noexcept {
  if (text.size() > longestId) {
    return false;
  }
  while (true) {
    const auto slash = text.find('/');
    if (!isSegment(text.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(slash + 1);
  }
}

} // namespace waybill
