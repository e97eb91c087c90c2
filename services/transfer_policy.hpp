// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace waybill::services {

/// Bounds on transfers (Config).
struct TransferPolicy {
  std::size_t active = 8;  ///< attempts at the same time; each has a thread
  std::size_t perPeer = 4; ///< of them, to one host and port
  std::chrono::seconds firstPause{1};
  std::chrono::seconds longestPause{300};
  std::chrono::seconds deadline{86'400};   ///< from the request to giving up
  std::chrono::seconds keepEnded{604'800}; ///< how long an ended one can be asked about
  std::uint64_t waiting = 10'000;          ///< messages that one key may have waiting, ...
  std::uint64_t waitingBytes = 64U << 20U; ///< ... and what they may be in all, without content
  unsigned connections = 4;                ///< by which one large object is pulled
  std::uint64_t leaseFrom = 64U << 20U;    ///< content of so many bytes is left to be pulled; 0: never
};

} // namespace waybill::services
