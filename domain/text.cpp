// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/text.hpp"

#include <algorithm>

namespace waybill {

namespace {

unsigned char octet(char c) noexcept { return static_cast<unsigned char>(c); }

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The length of the well-formed sequence at the start of `rest`, 0 when there is none (Unicode, table 3-7).
std::size_t sequenceLength(std::string_view rest) noexcept {
  const auto first = octet(rest[0]);
  if (first < 0x80) {
    return 1;
  }
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    low = first == 0xE0 ? 0xA0 : low;
    high = first == 0xED ? 0x9F : high;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    low = first == 0xF0 ? 0x90 : low;
    high = first == 0xF4 ? 0x8F : high;
  }
  if (length == 0 || rest.size() < length || octet(rest[1]) < low || octet(rest[1]) > high) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if ((octet(rest[i]) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  return length;
}

} // namespace

bool isUtf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto length = sequenceLength(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

bool hasControlCharacters(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return octet(c) < 0x20 || octet(c) == 0x7F; });
}

std::string printable(std::string_view text, std::size_t limit) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    const bool plain = octet(c) >= 0x20 && octet(c) < 0x7F;
    if (result.size() + (plain ? 1 : 4) + 3 > limit) {
      return result + "...";
    }
    if (plain) {
      result += c;
    } else {
      result += "\\x";
      result += hex[octet(c) >> 4U];
      result += hex[octet(c) & 15U];
    }
  }
  return result;
}

bool equalIgnoringCase(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string lowerCase(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

std::string_view trimmed(std::string_view text) noexcept {
  static constexpr std::string_view blank = " \t\r\n";
  const auto begin = text.find_first_not_of(blank);
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

} // namespace waybill
