// SPDX-License-Identifier: GPL-3.0-or-later
// Transfers: what is next.
#include "services/fair_turns.hpp"
#include "services/transfers.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

Claim claimOf(const storage::TransferRow &row) { return {row.principal, row.priority, row.nextAttempt}; }

} // namespace

bool Transfers::mayDeliver(const storage::TransferRow &row) const {
  const auto there = std::count_if(running_.begin(), running_.end(),
                                   [&](const auto &entry) { return entry.second->peer == row.peer; });
  return !running_.contains(row.id) && static_cast<std::size_t>(there) < policy_.perPeer;
}

/// The transfer to be delivered next. The last thread is kept for who has none under way.
const storage::TransferRow *Transfers::pickDelivery(const std::vector<storage::TransferRow> &due) const {
  const auto delivering = std::count_if(running_.begin(), running_.end(),
                                        [](const auto &entry) { return entry.second->phase == JobPhase::Delivery; });
  const auto underWay = [&](const std::string &principal) {
    return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(), [&](const auto &entry) {
      return entry.second->phase == JobPhase::Delivery && entry.second->principal == principal;
    }));
  };
  const auto lastThread = policy_.active > 1 && static_cast<std::size_t>(delivering) + 1 >= policy_.active;
  std::vector<Claim> claims;
  std::transform(due.begin(), due.end(), std::back_inserter(claims), claimOf);
  std::vector<const Claim *> open;
  for (std::size_t i = 0; i < due.size(); ++i) {
    // So that one principal's silent peers do not hold every thread until their deadlines.
    if (mayDeliver(due[i]) && !(lastThread && underWay(due[i].principal) != 0)) {
      open.push_back(&claims[i]);
    }
  }
  const auto *const next = nextClaim(open, underWay);
  return next == nullptr ? nullptr : &due[static_cast<std::size_t>(next - claims.data())];
}

/// The program to be run next; `turn` is its leave to run.
const storage::TransferRow *Transfers::pickRun(const std::vector<storage::TransferRow> &due,
                                               std::unique_ptr<RunTurns::Turn> &turn) const {
  std::vector<const storage::TransferRow *> waiting;
  std::vector<Claim> claims;
  for (const auto &row : due) {
    if (!running_.contains(row.id)) {
      waiting.push_back(&row);
      claims.push_back(claimOf(row));
    }
  }
  auto taken = tools_.turns.take(std::move(claims));
  turn = std::move(taken.turn);
  return turn ? waiting[taken.which] : nullptr;
}

std::optional<storage::TransferRow> Transfers::pick(JobPhase phase, std::shared_ptr<Running> &running, Look &look) {
  static constexpr std::size_t looked = 256;
  std::unique_ptr<RunTurns::Turn> turn; // given back, it wakes this queue: not under the lock
  const std::lock_guard lock(mutex_);
  look = {changes_, tools_.clock.now()};
  const auto due = tools_.catalog.dueTransfers(
      phase, look.at, phase == JobPhase::Run ? tools_.turns.active() : policy_.perPeer * 2, looked);
  const auto *const best = phase == JobPhase::Run ? pickRun(due, turn) : pickDelivery(due);
  if (best == nullptr) {
    return std::nullopt;
  }
  auto row = tools_.catalog.transferById(best->id);
  if (!row || isFinal(row->state) || row->phase != phase) {
    ++changes_; // cancelled since: there may be others
    return std::nullopt;
  }
  running = std::make_shared<Running>();
  running->id = row->id + " " + std::to_string(row->attempts);
  running->phase = phase;
  running->peer = row->peer;
  running->principal = row->principal;
  running->turn = std::move(turn);
  running_[row->id] = running;
  return row;
}

} // namespace waybill::services
