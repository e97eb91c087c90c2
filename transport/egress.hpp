// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/peer_identity.hpp"
#include "transport/url.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::transport {

/// What the operator allows, as written in the configuration (`egress.schemes` and so on).
struct EgressRules {
  /// `https`, `http`, `ftp`, `file`.
  std::vector<std::string> schemes{"https"};
  /// Who may be called. Each entry is one of
  ///   "host", "host:port"                    that name; at any port, or at that one
  ///   "*.domain", "*.domain:port"            every name under the domain (not the domain itself)
  ///   "*", "*:port"                          every name and every public address, at the ports in `ports` or at that
  ///   one "192.0.2.7", "[2001:db8::7]:8443"      that address "10.0.0.0/8", "10.0.0.0/8:8443", "fd00::/8"   every
  ///   address of the network
  /// A name is called only where it resolves to a public address, or to one that an entry names as an address or
  /// network: so a name inside needs two entries, its own and its network's. A network alone allows addresses, not
  /// names.
  std::vector<std::string> allow;
  /// Ports for what only "*" allows.
  std::vector<std::uint16_t> ports{443};
  /// `file` URLs are read under these folders alone (absolute paths).
  std::vector<std::string> folders;
};

/// The identity of the trusted instance whose URL the administrator has given as scheme, host (as in UrlParts) and
/// port; nothing when there is none. Called from any thread. What it throws is thrown on.
using TrustedEndpoints =
    std::function<std::optional<PeerIdentity>(const std::string &scheme, const std::string &host, std::uint16_t port)>;

class IpAddress;

/// The egress guard: what this server may connect to. What nothing allows is refused. Immutable; any thread.
class EgressPolicy {
public:
  /// What a URL that passed may do.
  struct Admission {
    UrlParts parts;
    /// Set when a trusted instance was named: it may be at any address, because this identity proves it, and so the
    /// call must insist on it.
    std::optional<PeerIdentity> trusted;
  };

  /// Throws Fault BadParameter naming the entry that makes no sense.
  explicit EgressPolicy(EgressRules rules, TrustedEndpoints trusted = {});
  ~EgressPolicy();
  EgressPolicy(const EgressPolicy &) = delete;
  EgressPolicy &operator=(const EgressPolicy &) = delete;

  /// Before anything is sent, or even resolved. Throws Fault AddressNotAllowed: what was asked, why it is refused, and
  /// which key of the configuration would allow it. Addresses written as such are judged here already, names when they
  /// are connected to. For `file`: only whether its path looks right; see openAllowedFile (allowed_file.hpp).
  [[nodiscard]] Admission check(const std::string &url) const;

  /// The address that is about to be connected to, or that a kept connection leads to, written as inet_ntop(3) writes
  /// it. Throws Fault AddressNotAllowed, the address itself only in its log text.
  void checkAddress(const Admission &admission, const std::string &address) const;

  /// Absolute; symbolic links not resolved.
  [[nodiscard]] const std::vector<std::filesystem::path> &folders() const noexcept;

private:
  struct Compiled;
  [[nodiscard]] bool allowsName(const UrlParts &parts) const;
  [[nodiscard]] bool namesAddress(const IpAddress &address, std::uint16_t port) const;
  void checkFile(const std::string &url) const;

  std::unique_ptr<const Compiled> compiled_;
  TrustedEndpoints trusted_;
};

} // namespace waybill::transport
