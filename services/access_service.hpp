// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"
#include "domain/random.hpp"
#include "security/trust.hpp"
#include "services/call.hpp"

#include <string>

namespace waybill::services {

/// What the operations of /services/access mean. Thread-safe. Every change spends the token with its commit, and its
/// response is the receipt. All but GetInstance, and ListGrants of one's own, need
/// the right "administer" on "/".
class AccessService {
public:
  /// All must outlive this.
  AccessService(storage::Catalog &catalog, const security::Trust &trust, const security::Certificate &self,
                std::string name, Random &random);

  [[nodiscard]] GetInstanceResponse getInstance(Call &call, const GetInstanceRequest &request) const;
  TrustKeyResponse trustKey(Call &call, const TrustKeyRequest &request);
  [[nodiscard]] ListKeysResponse listKeys(Call &call, const ListKeysRequest &request) const;
  RevokeKeyResponse revokeKey(Call &call, const RevokeKeyRequest &request);
  GrantResponse grant(Call &call, const GrantRequest &request);
  RevokeResponse revoke(Call &call, const RevokeRequest &request);
  [[nodiscard]] ListGrantsResponse listGrants(Call &call, const ListGrantsRequest &request) const;

private:
  template <class Work> auto change(Call &call, const Work &work);

  storage::Catalog &catalog_;
  const security::Trust &trust_;
  const security::Certificate &self_;
  std::string name_;
  Random &random_;
};

} // namespace waybill::services
