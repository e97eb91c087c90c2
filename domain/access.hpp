// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// Who calls: the instance whose key signed, and, where the token says so, a user within it.
struct Principal {
  std::string instance;               ///< instance id: lower-case hex SHA-256 of the SubjectPublicKeyInfo
  std::optional<std::string> subject; ///< user id within that instance
  friend auto operator<=>(const Principal &, const Principal &) = default;
};

/// "<instance id>" or "<instance id>/<subject>".
[[nodiscard]] std::string format(const Principal &principal);
/// The reverse; nothing when the part before the slash is not 64 lower-case hex digits, or the subject is empty, has
/// control characters or more than 255 bytes.
[[nodiscard]] std::optional<Principal> parsePrincipal(std::string_view text);
/// True for 64 lower-case hex digits.
[[nodiscard]] bool isInstanceId(std::string_view text) noexcept;

enum class Right : std::uint8_t { Read, Write, Delete, List, Invoke, Administer };

/// "read", "write", ...
[[nodiscard]] std::string_view name(Right right) noexcept;
[[nodiscard]] std::optional<Right> rightNamed(std::string_view name) noexcept;
/// "read,write" in the order of the enumeration.
[[nodiscard]] std::string format(const std::set<Right> &rights);
/// Reads names parted by commas or blanks; throws Fault BadParameter naming the first that is none, or when there is
/// none at all.
[[nodiscard]] std::set<Right> parseRights(std::string_view text);

/// Leave for a principal to do things under a path prefix, until it ends. A grant to an instance covers all its
/// subjects.
struct Grant {
  std::string id; ///< 32 hex digits, given by the instance
  Principal principal;
  std::set<Right> rights;
  std::string prefix; ///< path prefix, or algorithm id for Invoke
  std::optional<Time> expires;
  Time created;
  friend bool operator==(const Grant &, const Grant &) = default;
};

/// A key that this instance trusts, and where its owner is reached.
struct TrustedKey {
  std::string instance;       ///< instance id, derived from the certificate's public key
  std::string certificatePem; ///< X.509, PEM
  std::optional<std::string> alias;
  std::optional<std::string> url; ///< https://host:port/ where it serves, for those that do
  bool revoked = false;
  Time added;
  friend bool operator==(const TrustedKey &, const TrustedKey &) = default;
};

} // namespace waybill
