// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "services/fair_turns.hpp"
#include "services/shared_places.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace waybill::services {

/// How many programs run at the same time, in all and for each principal, be it for who waits for the reply or for the
/// queue. Who is next is nextClaim(), of both; principals are as in Claim. Thread-safe; must outlive its turns.
class RunTurns {
public:
  struct Bounds {
    std::size_t active = 4;       ///< programs at the same time
    std::size_t perPrincipal = 2; ///< of them, for one principal
    std::size_t waiting = 8; ///< callers that wait, or run, with their connections open; half of them of one principal
    std::chrono::seconds patience{30};
  };
  RunTurns(Bounds bounds, const Clock &clock) : bounds_(bounds), clock_(clock), callers_(bounds.waiting) {}

  /// Leave to run one program, until it is destroyed.
  class Turn {
  public:
    ~Turn() { turns_.end(principal_); }
    Turn(const Turn &) = delete;
    Turn &operator=(const Turn &) = delete;

  private:
    friend class RunTurns;
    Turn(RunTurns &turns, std::string principal) : turns_(turns), principal_(std::move(principal)) {}
    RunTurns &turns_;
    std::string principal_;
  };
  /// A turn, and for which of several it is.
  struct Taken {
    std::unique_ptr<Turn> turn; ///< null: it is nobody's turn
    std::size_t which = 0;
  };

  /// How many programs there are at most at the same time.
  [[nodiscard]] std::size_t active() const noexcept { return bounds_.active; }
  /// For a caller, before anything is done for it: a place among those that wait or run with their connections open,
  /// to be held until it is served. Throws Fault Busy when there is none, in all or for that principal.
  [[nodiscard]] std::unique_ptr<SharedPlaces::Place> enter(const std::string &principal);
  /// For a caller that has entered: waits for its turn. Throws Fault Busy when it has waited too long, and what `check`
  /// throws, which is called several times a second.
  [[nodiscard]] std::unique_ptr<Turn> wait(
      const std::string &principal, std::int32_t priority = normalPriority, const std::function<void()> &check = [] {});
  /// For the queue: a turn for one of `queued`, which is all that could run now. Callers let the rest of it go before
  /// them where it should, until the queue says anew what it has: it has to, whenever onFree() tells it, and when
  /// something has been added, though nothing may run.
  [[nodiscard]] Taken take(std::vector<Claim> queued);
  /// How many that principal has under way.
  [[nodiscard]] std::size_t underWay(const std::string &principal) const;
  /// Called, in any thread, whenever a turn has ended, or it may be the queue's turn for another reason. Set it before
  /// there are any.
  void onFree(std::function<void()> told) { told_ = std::move(told); }

private:
  void begin(const std::string &principal);
  void end(const std::string &principal);
  [[nodiscard]] bool waitFor(std::unique_lock<std::mutex> &lock, const Claim &self, const std::function<void()> &check);
  [[nodiscard]] const Claim *next() const;

  Bounds bounds_;
  const Clock &clock_;
  std::function<void()> told_;
  mutable std::mutex mutex_;
  std::condition_variable free_;
  Shares shares_; ///< guarded by mutex_, as are the others
  std::size_t active_ = 0;
  std::list<Claim> waiting_;  ///< callers
  std::vector<Claim> queued_; ///< what the queue said last that it has
  SharedPlaces callers_;      ///< guards itself
};

} // namespace waybill::services
