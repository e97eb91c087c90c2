// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/base64.hpp"

#include <array>
#include <cstdint>

namespace waybill::soap {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t blank = 64;
constexpr std::uint8_t equals = 65;
constexpr std::uint8_t wrong = 255;

constexpr std::array<std::uint8_t, 256> makeValues() {
  std::array<std::uint8_t, 256> values{};
  for (auto &value : values) {
    value = wrong;
  }
  for (std::uint8_t i = 0; i < 64; ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = i;
  }
  for (const char c : {' ', '\t', '\r', '\n'}) {
    values[static_cast<unsigned char>(c)] = blank;
  }
  values['='] = equals;
  return values;
}

constexpr auto values = makeValues();

unsigned valueOf(char c) noexcept { return values[static_cast<unsigned char>(c)]; }

} // namespace

std::size_t Base64Decoder::addGroups(std::string_view text) {
  const auto before = bytes_.size();
  bytes_.resize(before + text.size() / 4 * 3);
  auto *to = bytes_.data() + before;
  std::size_t at = 0;
  for (; text.size() - at >= 4; at += 4) {
    const auto a = valueOf(text[at]);
    const auto b = valueOf(text[at + 1]);
    const auto c = valueOf(text[at + 2]);
    const auto d = valueOf(text[at + 3]);
    if ((a | b | c | d) > 63) {
      break;
    }
    const auto group = (a << 18U) | (b << 12U) | (c << 6U) | d;
    *to++ = static_cast<char>(group >> 16U);
    *to++ = static_cast<char>((group >> 8U) & 255U);
    *to++ = static_cast<char>(group & 255U);
  }
  bytes_.resize(static_cast<std::size_t>(to - bytes_.data()));
  return at;
}

bool Base64Decoder::add(std::string_view text) {
  while (!text.empty()) {
    if (digits_ == 0 && padding_ == 0) {
      // In pieces, so that a text full of blanks does not make room for all of its rest at each of them.
      text.remove_prefix(addGroups(text.substr(0, 1024)));
    }
    if (!text.empty()) {
      if (!addOne(text[0])) {
        return false;
      }
      text.remove_prefix(1);
    }
  }
  return true;
}

bool Base64Decoder::addOne(char c) {
  const auto value = valueOf(c);
  if (value == blank) {
    return true;
  }
  if (value == equals) {
    return pad();
  }
  if (value > 63 || padding_ != 0) {
    return false;
  }
  bits_ = (bits_ << 6U) | value;
  if (++digits_ == 4) {
    bytes_ += static_cast<char>(bits_ >> 16U);
    bytes_ += static_cast<char>((bits_ >> 8U) & 255U);
    bytes_ += static_cast<char>(bits_ & 255U);
    bits_ = 0;
    digits_ = 0;
  }
  return true;
}

bool Base64Decoder::pad() {
  ++padding_;
  if (padding_ == 1 && digits_ == 3) {
    if ((bits_ & 3U) != 0) {
      return false;
    }
    bytes_ += static_cast<char>(bits_ >> 10U);
    bytes_ += static_cast<char>((bits_ >> 2U) & 255U);
    digits_ = 0;
    return true;
  }
  if (padding_ == 1 && digits_ == 2) {
    if ((bits_ & 15U) != 0) {
      return false;
    }
    bytes_ += static_cast<char>(bits_ >> 4U);
    digits_ = 3;
    return true;
  }
  if (padding_ == 2 && digits_ == 3) {
    digits_ = 0;
    return true;
  }
  return false;
}

std::string toBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto three = bytes.substr(at, 3);
    unsigned group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8U) | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= three.size() ? alphabet[(group >> (18U - 6U * i)) & 63U] : '=';
    }
  }
  return text;
}

} // namespace waybill::soap
