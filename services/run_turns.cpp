// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/run_turns.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <utility>

namespace waybill::services {

std::size_t RunTurns::underWay(const std::string &principal) const {
  const std::lock_guard lock(mutex_);
  return shares_.underWay(principal);
}

/// The one that may run now; null when none may.
const Claim *RunTurns::next() const {
  std::vector<const Claim *> claims;
  const auto add = [&](const Claim &claim) {
    if (shares_.underWay(claim.principal) < bounds_.perPrincipal) {
      claims.push_back(&claim);
    }
  };
  if (active_ < bounds_.active) {
    std::for_each(waiting_.begin(), waiting_.end(), add);
    std::for_each(queued_.begin(), queued_.end(), add);
  }
  return nextClaim(claims, shares_);
}

/// False when its patience has ended first.
bool RunTurns::waitFor(std::unique_lock<std::mutex> &lock, const Claim &self, const std::function<void()> &check) {
  static constexpr std::chrono::milliseconds checkAgain{250};
  using Steady = std::chrono::steady_clock;
  const auto until = Steady::now() + bounds_.patience;
  while (!free_.wait_until(lock, std::min(until, Steady::now() + checkAgain), [&] { return next() == &self; })) {
    if (Steady::now() >= until) {
      return false;
    }
    check();
  }
  return true;
}

std::unique_ptr<RunTurns::Turn> RunTurns::wait(const std::string &principal, std::int32_t priority,
                                               const std::function<void()> &check) {
  std::unique_lock lock(mutex_);
  const auto self = waiting_.insert(waiting_.end(), {principal, priority, clock_.now()});
  // Others may have waited for this one to go first, those of the queue too.
  const auto goneFromTheLine = [&] {
    waiting_.erase(self);
    const auto told = queued_.empty() ? nullptr : told_;
    lock.unlock();
    free_.notify_all();
    if (told) {
      told();
    }
  };
  try {
    if (!waitFor(lock, *self, check)) {
      throw Fault(FaultCode::Busy,
                  "other programs have kept this one waiting for " + std::to_string(bounds_.patience.count()) +
                      " seconds; try again later, with new tokens for inputs that came with one (they have been "
                      "fetched), or name in wsa:ReplyTo where the result is to go (waybill run -o ALIAS:/path/), and "
                      "it is queued");
    }
  } catch (...) {
    goneFromTheLine();
    throw;
  }
  begin(principal);
  goneFromTheLine();
  return std::unique_ptr<Turn>(new Turn(*this, principal)); // NOLINT: its constructor is private
}

RunTurns::Taken RunTurns::take(std::vector<Claim> queued) {
  Taken taken;
  {
    const std::lock_guard lock(mutex_);
    queued_ = std::move(queued);
    const auto *const chosen = next();
    const auto found =
        std::find_if(queued_.begin(), queued_.end(), [&](const Claim &claim) { return &claim == chosen; });
    if (found != queued_.end()) {
      taken.which = static_cast<std::size_t>(found - queued_.begin());
      begin(found->principal);
      taken.turn.reset(new Turn(*this, found->principal)); // NOLINT: its constructor is private
      queued_.erase(found);
    }
  }
  free_.notify_all(); // who waited for what is no longer there
  return taken;
}

std::unique_ptr<SharedPlaces::Place> RunTurns::enter(const std::string &principal) {
  auto place = callers_.take(principal);
  if (!place) {
    throw Fault(FaultCode::Busy,
                "this instance runs and keeps waiting as many programs as it may, in all or for one "
                "principal (algorithms.waiting); nothing was read or fetched: try again later, or "
                "name in wsa:ReplyTo where the result is to go (waybill run -o ALIAS:/path/), and it is queued");
  }
  return place;
}

void RunTurns::begin(const std::string &principal) {
  ++active_;
  shares_.begin(principal);
}

void RunTurns::end(const std::string &principal) {
  {
    const std::lock_guard lock(mutex_);
    --active_;
    shares_.end(principal);
  }
  free_.notify_all();
  if (told_) {
    told_();
  }
}

} // namespace waybill::services
