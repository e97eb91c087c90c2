// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/fair_turns.hpp"

#include <map>
#include <string_view>
#include <tuple>

namespace waybill::services {

const Claim *nextClaim(const std::vector<const Claim *> &claims,
                       const std::function<std::size_t(const std::string &principal)> &underWay) {
  std::map<std::string_view, const Claim *> entered; // by principal
  for (const auto *claim : claims) {
    auto *&best = entered[claim->principal];
    if (best == nullptr || std::tuple(-claim->priority, claim->since) < std::tuple(-best->priority, best->since)) {
      best = claim;
    }
  }
  const auto place = [&](const Claim &claim) {
    return std::tuple(claim.priority != receiptPriority, underWay(claim.principal), claim.since);
  };
  const Claim *next = nullptr;
  for (const auto &[principal, claim] : entered) {
    if (next == nullptr || place(*claim) < place(*next)) {
      next = claim;
    }
  }
  return next;
}

} // namespace waybill::services
