// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/transfer.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace waybill::services {

/// Somebody's wish to have something done, in a queue that principals share fairly.
struct Claim {
  std::string principal; ///< its key (Principal::instance): whoever has one makes up its subjects, and they share
  std::int32_t priority = normalPriority;
  Time since; ///< when it could have been done first
};

/// What each principal has had so far of what is shared. Not thread-safe.
class Shares {
public:
  void begin(const std::string &principal);
  void end(const std::string &principal); ///< of one that has begun
  /// How many it has under way.
  [[nodiscard]] std::size_t underWay(const std::string &principal) const { return of(principal).underWay; }
  /// Higher than for all who began their last one earlier; 0: it has never begun one.
  [[nodiscard]] std::uint64_t lastBegun(const std::string &principal) const { return of(principal).lastBegun; }

private:
  struct Share {
    std::size_t underWay = 0;
    std::uint64_t lastBegun = 0;
  };
  [[nodiscard]] Share of(const std::string &principal) const;

  std::uint64_t begun_ = 0;
  std::map<std::string, Share> shares_; ///< of as many as there are keys
};

/// The one of `claims` whose turn it is; null when there are none. Each principal enters the claim of its highest
/// priority, the longest waiting. Of these, receipts (receiptPriority) go first; then who has the fewest under way;
/// then who began its last one longest ago, so that who comes late waits for nobody's whole backlog; then who has
/// entered what waits longest. So a priority moves nothing ahead of what is somebody else's.
[[nodiscard]] const Claim *nextClaim(const std::vector<const Claim *> &claims, const Shares &shares);

} // namespace waybill::services
