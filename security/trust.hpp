// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/access.hpp"
#include "domain/token_claims.hpp"
#include "security/certificate.hpp"
#include "storage/catalog.hpp"

#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::security {

/// What Trust::trust did.
struct TrustChange {
  TrustedKey key;
  bool wasRevoked = false;
  std::optional<std::string> formerAlias; ///< where it had another one
};

/// The keys this instance trusts and what their holders may do. Thread-safe; reads the catalog each time, so that what
/// `waybill trust` or `grant` changes holds at once.
class Trust {
public:
  using UnusableKey = std::function<void(const TrustedKey &key, const std::exception &why)>;

  /// `self` is trusted always, and may do everything. Both must outlive this. `unusable` is told, once, of each trusted
  /// key whose certificate cannot be used as the catalog keeps it; it must not throw.
  Trust(const storage::Catalog &catalog, Certificate self, const Clock &clock, UnusableKey unusable = {});

  /// For TokenOpener. A key whose certificate cannot be used is left out: it must not keep the others from calling.
  [[nodiscard]] std::vector<Certificate> find(ByteView subjectKeyId) const;

  // What changes something does so in the caller's transaction, so that it can be one with the spending of a token.

  /// Adds or updates a key, un-revoking it; it keeps the alias and the URL that it has when none is given. An alias is
  /// taken over from a revoked key, which then has none. Throws Fault AlreadyExists when the alias belongs to another
  /// key that is not revoked, BadParameter for a bad alias (letters, digits, "-", "_", ".", at most 64; never 64 hex
  /// digits) or a URL that is not https.
  TrustChange trust(storage::Transaction &transaction, const Certificate &certificate,
                    const std::optional<std::string> &alias, const std::optional<std::string> &url) const;
  /// From now on its tokens are refused. Throws Fault NoSuchData when unknown.
  static TrustedKey revokeKey(storage::Transaction &transaction, const std::string &instanceOrAlias);
  [[nodiscard]] std::vector<TrustedKey> keys() const;

  /// "<instance id>[/<subject>]" or "<alias>[/<subject>]" as a principal. Throws Fault BadParameter when the alias is
  /// unknown.
  [[nodiscard]] Principal resolve(std::string_view text) const;
  /// `principal`: as for resolve().
  Grant grant(storage::Transaction &transaction, std::string_view principal, std::set<Right> rights,
              const std::string &prefix, std::optional<Time> expires, std::string id) const;
  /// Throws Fault NoSuchData.
  static Grant revoke(storage::Transaction &transaction, const std::string &grantId);
  [[nodiscard]] std::vector<Grant> grants(const std::optional<Principal> &principal) const;

  /// The prefixes under which `principal` has `right` now.
  [[nodiscard]] std::vector<std::string> prefixes(const Principal &principal, Right right) const;
  [[nodiscard]] bool may(const Principal &principal, Right right, std::string_view path) const;

private:
  [[nodiscard]] std::optional<Certificate> parsed(const TrustedKey &key) const;

  const storage::Catalog &catalog_;
  Certificate self_;
  const Clock &clock_;
  UnusableKey unusable_;
  // Parsing a certificate costs more than all else here; what a text parses to never changes.
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::optional<Certificate>> parsed_; ///< nothing: it cannot be used
};

/// Whether the claims' resources (none: no limit) cover the object with that id and path.
[[nodiscard]] bool resourceCovers(const TokenClaims &claims, std::string_view id, std::string_view path);

} // namespace waybill::security
