// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace waybill::transport {

namespace {

constexpr std::size_t mappedPrefix = 12;
constexpr std::array<std::uint8_t, mappedPrefix> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mappedBits = 96;

struct Special {
  std::array<std::uint8_t, 16> bytes;
  unsigned bits;
  std::string_view kind;
};

constexpr Special v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, unsigned bits, std::string_view kind) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, 0}, mappedBits + bits, kind};
}

constexpr Special v6(std::uint16_t a, std::uint16_t b, unsigned bits, std::string_view kind) {
  const auto high = [](std::uint16_t word) { return static_cast<std::uint8_t>(word >> 8U); };
  const auto low = [](std::uint16_t word) { return static_cast<std::uint8_t>(word & 0xffU); };
  return {{high(a), low(a), high(b), low(b)}, bits, kind};
}

/// The first that matches counts.
constexpr std::array specials{
    v4(0, 0, 0, 8, "unspecified"),
    v4(10, 0, 0, 8, "private"),
    v4(100, 64, 0, 10, "carrier-grade NAT"),
    v4(127, 0, 0, 8, "loopback"),
    v4(169, 254, 0, 16, "link-local"),
    v4(172, 16, 0, 12, "private"),
    v4(192, 0, 0, 24, "reserved"),
    v4(192, 0, 2, 24, "documentation"),
    v4(192, 88, 99, 24, "reserved"),
    v4(192, 168, 0, 16, "private"),
    v4(198, 18, 0, 15, "benchmarking"),
    v4(198, 51, 100, 24, "documentation"),
    v4(203, 0, 113, 24, "documentation"),
    v4(224, 0, 0, 4, "multicast"),
    v4(240, 0, 0, 4, "reserved or broadcast"),
    v6(0x2001, 0x0db8, 32, "documentation"),
    v6(0x2001, 0x0000, 23, "reserved"), // Teredo, ORCHID, benchmarking
    v6(0x3fff, 0x0000, 20, "documentation"),
    v6(0xfc00, 0, 7, "unique-local"),
    v6(0xfe80, 0, 10, "link-local"),
    v6(0xfec0, 0, 10, "site-local"),
    v6(0xff00, 0, 8, "multicast"),
};

bool samePrefix(const std::array<std::uint8_t, 16> &a, const std::array<std::uint8_t, 16> &b, unsigned bits) {
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) {
    return false;
  }
  const auto rest = bits % 8;
  const auto at = static_cast<std::size_t>(whole);
  return rest == 0 || ((a.at(at) ^ b.at(at)) >> (8U - rest)) == 0;
}

} // namespace

std::optional<IpAddress> IpAddress::parse(const std::string &text) {
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    return IpAddress(bytes);
  }
  std::copy(mapped.begin(), mapped.end(), bytes.begin());
  if (inet_pton(AF_INET, text.c_str(), bytes.data() + mappedPrefix) == 1) {
    return IpAddress(bytes);
  }
  return std::nullopt;
}

bool IpAddress::isV4() const noexcept { return std::equal(mapped.begin(), mapped.end(), bytes_.begin()); }

bool IpAddress::isIn(const IpAddress &network, unsigned bits) const noexcept {
  return isV4() == network.isV4() && samePrefix(bytes_, network.bytes_, network.isV4() ? mappedBits + bits : bits);
}

IpAddress IpAddress::embedded(std::size_t at) const noexcept {
  std::array<std::uint8_t, 16> bytes{};
  std::copy(mapped.begin(), mapped.end(), bytes.begin());
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), 4, bytes.begin() + mappedPrefix);
  return IpAddress(bytes);
}

std::optional<std::string_view> IpAddress::specialKind() const noexcept {
  static constexpr std::array<std::uint8_t, 16> nothing{};
  static constexpr std::array<std::uint8_t, 16> nat64{0, 0x64, 0xff, 0x9b};
  static constexpr std::array<std::uint8_t, 16> sixToFour{0x20, 0x02};
  static constexpr std::array<std::uint8_t, 16> global{0x20};
  for (const auto &special : specials) {
    if (samePrefix(bytes_, special.bytes, special.bits)) {
      return special.kind;
    }
  }
  if (isV4()) {
    return std::nullopt;
  }
  if (samePrefix(bytes_, nothing, mappedBits)) {
    const bool isLoopback = samePrefix(bytes_, nothing, 127) && bytes_[15] == 1;
    return isLoopback ? "loopback" : embedded(mappedPrefix).specialKind().value_or("reserved");
  }
  if (samePrefix(bytes_, nat64, mappedBits)) {
    return embedded(mappedPrefix).specialKind();
  }
  if (samePrefix(bytes_, sixToFour, 16)) {
    return embedded(2).specialKind();
  }
  return samePrefix(bytes_, global, 3) ? std::nullopt : std::optional<std::string_view>("reserved");
}

std::optional<IpNetwork> IpNetwork::parse(const std::string &text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) {
    return std::nullopt;
  }
  const unsigned longest = address->isV4() ? 32 : 128;
  unsigned bits = longest;
  if (slash != std::string::npos) {
    const auto *end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc() || stopped != end || bits > longest) {
      return std::nullopt;
    }
  }
  return IpNetwork{*address, bits};
}

} // namespace waybill::transport
