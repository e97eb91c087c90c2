// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/transfer.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace waybill::services {

/// Somebody's wish to have something done, in a queue that principals share fairly.
struct Claim {
  std::string principal; ///< formatted
  std::int32_t priority = normalPriority;
  Time since; ///< when it could have been done first
};

/// The one of `claims` whose turn it is; null when there are none. Each principal enters the claim of its highest
/// priority, the longest waiting. Of these, receipts (receiptPriority) go first; then who has the fewest under way;
/// then who has entered what waits longest: so a priority moves nothing ahead of what is somebody else's.
[[nodiscard]] const Claim *nextClaim(const std::vector<const Claim *> &claims,
                                     const std::function<std::size_t(const std::string &principal)> &underWay);

} // namespace waybill::services
