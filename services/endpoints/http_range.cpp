// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/http_range.hpp"

#include "domain/bytes.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <optional>

namespace waybill::services {

namespace {

/// What is past all sizes is taken for the largest number.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return error == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
}

/// True when `test` holds for one of the elements of a comma-separated list.
bool anyElement(std::string_view list, const std::function<bool(std::string_view)> &test) {
  while (!list.empty()) {
    const auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(element.size() + 1, list.size()));
    if (test(trimmed(element))) {
      return true;
    }
  }
  return false;
}

} // namespace

ByteRange parseRange(std::string_view value, std::uint64_t size) {
  static constexpr std::string_view unit = "bytes=";
  const ByteRange whole{ByteRange::Kind::Whole, 0, size};
  const auto inBytes = equalIgnoringCase(value.substr(0, unit.size()), unit); // RFC 9110 section 14.1
  const auto spec = inBytes ? trimmed(value.substr(unit.size())) : std::string_view{};
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) {
    return whole;
  }
  const auto first = number(spec.substr(0, dash));
  const auto last = number(spec.substr(dash + 1));
  if ((!first && dash != 0) || (!last && dash + 1 != spec.size()) || (!first && !last) ||
      (first && last && *last < *first)) {
    return whole;
  }
  if (!first) {
    const auto length = std::min(*last, size);
    return length == 0 ? ByteRange{ByteRange::Kind::Unsatisfiable, 0, 0}
                       : ByteRange{ByteRange::Kind::Part, size - length, length};
  }
  if (*first >= size) {
    return {ByteRange::Kind::Unsatisfiable, 0, 0};
  }
  return {ByteRange::Kind::Part, *first, std::min(last.value_or(size - 1), size - 1) - *first + 1};
}

bool matchesEtag(std::string_view ifNoneMatch, std::string_view etag) {
  return anyElement(ifNoneMatch, [&](std::string_view candidate) {
    return candidate == "*" || candidate == etag || (candidate.starts_with("W/") && candidate.substr(2) == etag);
  });
}

bool wantsDigest(std::string_view wantDigest, std::string_view algorithm) {
  return anyElement(wantDigest, [&](std::string_view element) {
    const auto semicolon = element.find(';');
    const auto quality =
        semicolon == std::string_view::npos ? std::string_view{} : trimmed(element.substr(semicolon + 1));
    const auto unwanted = quality.starts_with("q=") && quality.find_first_not_of("0.", 2) == std::string_view::npos;
    return equalIgnoringCase(trimmed(element.substr(0, semicolon)), algorithm) && !unwanted;
  });
}

std::string base64OfHex(std::string_view hex) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto bytes = fromHex(hex).value_or(Bytes{});
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8U) | (i + j < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0U);
    }
    const auto present = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= present ? alphabet[(group >> (18 - 6 * j)) & 63U] : '=';
    }
  }
  return text;
}

} // namespace waybill::services
