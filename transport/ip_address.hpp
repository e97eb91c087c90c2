// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::transport {

/// An IPv4 or IPv6 address. An IPv4-mapped one (::ffff:0:0/96) is the IPv4 address, since that is what is connected to.
class IpAddress {
public:
  /// As inet_pton(3) reads it; a zone id, or anything else, gives nothing.
  [[nodiscard]] static std::optional<IpAddress> parse(const std::string &text);

  [[nodiscard]] bool isV4() const noexcept;
  /// True when the first `bits` bits are those of `network`, of the same family.
  [[nodiscard]] bool isIn(const IpAddress &network, unsigned bits) const noexcept;
  /// What kind of address it is, when it is not one of the public network: "loopback", "private", "link-local" and so
  /// on (IANA's special-purpose registries, RFC 6890). An IPv6 form that carries an IPv4 address (compatible, NAT64,
  /// 6to4) is what that address is. Nothing for a public address.
  [[nodiscard]] std::optional<std::string_view> specialKind() const noexcept;

private:
  explicit IpAddress(const std::array<std::uint8_t, 16> &bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] IpAddress embedded(std::size_t at) const noexcept;

  std::array<std::uint8_t, 16> bytes_; ///< IPv4 in mapped form
};

/// An address or a network as a rule writes it: "10.0.0.0/8", "fd00::/8", "192.0.2.7".
struct IpNetwork {
  IpAddress address;
  unsigned bits;
  /// Nothing when `text` is no such thing.
  [[nodiscard]] static std::optional<IpNetwork> parse(const std::string &text);
  [[nodiscard]] bool contains(const IpAddress &other) const noexcept { return other.isIn(address, bits); }
};

} // namespace waybill::transport
