// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/fair_turns.hpp"

#include <string_view>
#include <tuple>

namespace waybill::services {

void Shares::begin(const std::string &principal) {
  auto &share = shares_[principal];
  ++share.underWay;
  share.lastBegun = ++begun_;
}

void Shares::end(const std::string &principal) { --shares_.at(principal).underWay; }

Shares::Share Shares::of(const std::string &principal) const {
  const auto found = shares_.find(principal);
  return found == shares_.end() ? Share() : found->second;
}

const Claim *nextClaim(const std::vector<const Claim *> &claims, const Shares &shares) {
  std::map<std::string_view, const Claim *> entered; // by principal
  for (const auto *claim : claims) {
    auto *&best = entered[claim->principal];
    if (best == nullptr || std::tuple(-claim->priority, claim->since) < std::tuple(-best->priority, best->since)) {
      best = claim;
    }
  }
  const auto place = [&](const Claim &claim) {
    return std::tuple(claim.priority != receiptPriority, shares.underWay(claim.principal),
                      shares.lastBegun(claim.principal), claim.since);
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
