// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/run_turns.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <utility>

namespace waybill::services {

std::size_t RunTurns::count(const std::string &principal) const {
  const auto found = running_.find(principal);
  return found == running_.end() ? 0 : found->second;
}

std::size_t RunTurns::underWay(const std::string &principal) const {
  const std::lock_guard lock(mutex_);
  return count(principal);
}

bool RunTurns::fits(const std::string &principal) const {
  return active_ < bounds_.active && count(principal) < bounds_.perPrincipal;
}

bool RunTurns::isNext(const Waiter &waiter) const {
  const auto place = [&](const Waiter &one) { return std::pair(count(one.principal), one.since); };
  return fits(waiter.principal) && std::none_of(waiting_.begin(), waiting_.end(), [&](const Waiter &other) {
           return fits(other.principal) && place(other) < place(waiter);
         });
}

std::unique_ptr<RunTurns::Turn> RunTurns::wait(const std::string &principal) {
  std::unique_lock lock(mutex_);
  const auto found = callersOf_.find(principal);
  if (callers_ >= bounds_.waiting ||
      (found != callersOf_.end() && found->second >= std::max<std::size_t>(1, bounds_.waiting / 2))) {
    throw Fault(FaultCode::Busy, "this instance runs and keeps waiting as many programs as it may, in all or for one "
                                 "principal; try again later, or "
                                 "name in wsa:ReplyTo where the result is to go, and it is queued");
  }
  ++callers_;
  ++callersOf_[principal];
  const auto self = waiting_.insert(waiting_.end(), {principal, clock_.now()});
  const auto came = free_.wait_for(lock, bounds_.patience, [&] { return isNext(*self); });
  waiting_.erase(self);
  if (!came) {
    leave(principal);
    lock.unlock();
    free_.notify_all(); // somebody may have waited for this one to go first
    throw Fault(FaultCode::Busy, "other programs have kept this one waiting for " +
                                     std::to_string(bounds_.patience.count()) +
                                     " seconds; try again later, or name in wsa:ReplyTo where the result is to go, and "
                                     "it is queued");
  }
  ++active_;
  ++running_[principal];
  lock.unlock();
  free_.notify_all();
  return std::unique_ptr<Turn>(new Turn(*this, principal, true)); // NOLINT: its constructor is private
}

std::unique_ptr<RunTurns::Turn> RunTurns::tryTake(const std::string &principal, Time due) {
  const std::lock_guard lock(mutex_);
  const auto kept = std::any_of(waiting_.begin(), waiting_.end(),
                                [&](const Waiter &waiter) { return fits(waiter.principal) && waiter.since < due; });
  if (!fits(principal) || kept) {
    return nullptr;
  }
  ++active_;
  ++running_[principal];
  return std::unique_ptr<Turn>(new Turn(*this, principal, false)); // NOLINT: its constructor is private
}

void RunTurns::leave(const std::string &principal) {
  --callers_;
  const auto found = callersOf_.find(principal);
  if (--found->second == 0) {
    callersOf_.erase(found);
  }
}

void RunTurns::end(const std::string &principal, bool caller) {
  {
    const std::lock_guard lock(mutex_);
    --active_;
    if (caller) {
      leave(principal);
    }
    const auto found = running_.find(principal);
    if (--found->second == 0) {
      running_.erase(found);
    }
  }
  free_.notify_all();
  if (told_) {
    told_();
  }
}

} // namespace waybill::services
