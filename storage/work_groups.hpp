// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/catalog.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>

namespace waybill::storage {

/// A unit of work that waits for its transaction.
struct Work {
  Durability durability;
  const std::function<void(Transaction &)> *run;
  std::exception_ptr error; ///< what its caller is to get
};

/// Lets works that come at the same time share one transaction. There is no thread of its own: the first thread that
/// comes while none leads becomes the leader, and runs what is waiting, its own work included; what comes meanwhile
/// waits for the next leader. So a lone caller waits for nobody, and the more callers there are, the larger the groups.
/// Thread-safe.
class WorkGroups {
public:
  using RunGroup = std::function<void(std::span<Work *const>)>;
  using Upkeep = std::function<void()>;

  /// `runGroup` runs one group and sets Work::error where a work failed; `upkeep` comes after it, when the group's
  /// callers have gone on already. Neither may throw; both are called by one thread at a time.
  WorkGroups(RunGroup runGroup, Upkeep upkeep) : runGroup_(std::move(runGroup)), upkeep_(std::move(upkeep)) {}

  /// Returns when the work is committed; throws its error. Throws Fault Internal when called from within a work.
  void commit(Durability durability, const std::function<void(Transaction &)> &run);

  /// How many works wait for a leader at this moment.
  [[nodiscard]] std::size_t waiting() const;

private:
  struct Waiting;
  void lead(std::unique_lock<std::mutex> &lock);

  RunGroup runGroup_;
  Upkeep upkeep_;
  mutable std::mutex mutex_;
  std::deque<Waiting *> waiting_; ///< guarded by mutex_
  std::thread::id leader_;        ///< guarded by mutex_; no thread's id when there is none
};

} // namespace waybill::storage
