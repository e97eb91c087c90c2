// SPDX-License-Identifier: GPL-3.0-or-later
// Transfers: what is next.
#include "services/fair_turns.hpp"
#include "services/transfers.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

std::string keyOf(const storage::TransferRow &row) { return parsePrincipal(row.principal).value().instance; }

Claim claimOf(const storage::TransferRow &row) { return {keyOf(row), row.priority, row.nextAttempt}; }

} // namespace

/// So many fetch inputs at the same time: as many as run, and one that is kept for others in any case.
std::size_t Transfers::fetchers() const { return std::max<std::size_t>(2, tools_.turns.active()); }

bool Transfers::mayBegin(const storage::TransferRow &row) const {
  const auto there = std::count_if(running_.begin(), running_.end(),
                                   [&](const auto &entry) { return entry.second->peer == row.peer; });
  return !running_.contains(row.id) &&
         (row.phase != JobPhase::Delivery || static_cast<std::size_t>(there) < policy_.perPeer);
}

/// What one of the threads of that phase does next. The last thread is kept for who has none under way.
const storage::TransferRow *Transfers::pickForThread(const std::vector<storage::TransferRow> &due, JobPhase phase,
                                                     std::size_t threads) const {
  const auto atWork =
      std::count_if(running_.begin(), running_.end(), [&](const auto &entry) { return entry.second->phase == phase; });
  const auto &shares = shares_.at(phase);
  const auto lastThread = threads > 1 && static_cast<std::size_t>(atWork) + 1 >= threads;
  std::vector<Claim> claims;
  std::transform(due.begin(), due.end(), std::back_inserter(claims), claimOf);
  std::vector<const Claim *> open;
  for (std::size_t i = 0; i < due.size(); ++i) {
    // So that one principal's silent peers do not hold every thread until their deadlines.
    if (mayBegin(due[i]) && !(lastThread && shares.underWay(claims[i].principal) != 0)) {
      open.push_back(&claims[i]);
    }
  }
  const auto *const next = nextClaim(open, shares);
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
  // Twice what may be under way: those that have begun may still be among them.
  const auto due = tools_.catalog.dueTransfers(
      phase, look.at, 2 * (phase == JobPhase::Run ? tools_.turns.active() : policy_.perPeer), looked);
  const auto *const best = phase == JobPhase::Run
                               ? pickRun(due, turn)
                               : pickForThread(due, phase, phase == JobPhase::Inputs ? fetchers() : policy_.active);
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
  running->principal = keyOf(*row);
  running->turn = std::move(turn);
  running_[row->id] = running;
  shares_.at(phase).begin(running->principal);
  return row;
}

} // namespace waybill::services
