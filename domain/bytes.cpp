// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/bytes.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace waybill {

namespace {

int hexValue(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

} // namespace

std::string toHex(ByteView bytes) {
  static constexpr std::string_view alphabet = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    text += alphabet[std::to_integer<unsigned>(byte) >> 4U];
    text += alphabet[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::optional<Bytes> fromHex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hexValue(text[i]);
    const int low = hexValue(text[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

std::size_t ViewSource::read(std::span<std::byte> into) {
  const auto count = std::min(into.size(), rest_.size());
  if (count != 0) {
    std::memcpy(into.data(), rest_.data(), count);
    rest_ = rest_.subspan(count);
  }
  return count;
}

std::uint64_t copyAll(Source &source, Sink &sink) {
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(copyBlock);
  const std::span block(memory.get(), copyBlock);
  std::uint64_t total = 0;
  while (const auto count = source.read(block)) {
    sink.write(block.first(count));
    total += count;
  }
  return total;
}

std::string readAll(Source &source, std::uint64_t limit, std::string_view what) {
  std::string text;
  if (const auto size = source.size(); size && *size <= limit) {
    text.reserve(*size);
  }
  std::array<std::byte, 16 * 1024> block{};
  while (const auto count = source.read(block)) {
    if (text.size() + count > limit) {
      throw Fault(FaultCode::TooLarge,
                  std::string(what) + " has more than the " + std::to_string(limit) + " bytes that are allowed here");
    }
    text.append(asText(ByteView(block).first(count)));
  }
  return text;
}

} // namespace waybill
