// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/work_groups.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <vector>

namespace waybill::storage {

namespace {

/// Bounds how long the first of a group waits for the last.
constexpr std::size_t mostInGroup = 256;

} // namespace

struct WorkGroups::Waiting {
  Work work;
  bool done = false;
  std::condition_variable wake;
};

void WorkGroups::commit(Durability durability, const std::function<void(Transaction &)> &run) {
  Waiting mine{{durability, &run, nullptr}, false, {}};
  {
    std::unique_lock lock(mutex_);
    if (leader_ == std::this_thread::get_id()) {
      throw Fault(
          FaultCode::Internal,
          "a unit of work of the catalog tried to commit another; this is a fault of the program, please report it");
    }
    waiting_.push_back(&mine);
    mine.wake.wait(lock, [&] { return mine.done || (leader_ == std::thread::id() && waiting_.front() == &mine); });
    if (!mine.done) {
      lead(lock);
    }
  }
  if (mine.work.error) {
    std::rethrow_exception(mine.work.error);
  }
}

std::size_t WorkGroups::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void WorkGroups::lead(std::unique_lock<std::mutex> &lock) {
  leader_ = std::this_thread::get_id();
  const auto count = std::min(waiting_.size(), mostInGroup);
  const std::vector<Waiting *> group(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<Work *> works;
  std::transform(group.begin(), group.end(), std::back_inserter(works), [](auto *waiting) { return &waiting->work; });

  lock.unlock();
  runGroup_(works);
  lock.lock();
  for (auto *waiting : group) {
    waiting->done = true;
    waiting->wake.notify_one(); // under the lock: once done, the other thread may destroy it
  }
  lock.unlock();
  upkeep_();
  lock.lock();
  leader_ = std::thread::id();
  if (!waiting_.empty()) {
    waiting_.front()->wake.notify_one();
  }
}

} // namespace waybill::storage
