// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/mutex.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// How many connections are open and how many of them have a request running, for a thread that waits until there are
/// none. Thread-safe.
class Occupancy {
public:
  using Clock = std::chrono::steady_clock;

  void set(std::size_t open, std::size_t busy) {
    {
      const Lock lock(mutex_);
      open_ = open;
      busy_ = busy;
    }
    changed_.notify_all();
  }
  /// False when `until` passed first.
  [[nodiscard]] bool waitUntilNoneBusy(Clock::time_point until) {
    const Lock lock(mutex_);
    while (busy_ != 0) {
      if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) {
        return busy_ == 0;
      }
    }
    return true;
  }
  void waitUntilNoneOpen(Clock::time_point until) {
    const Lock lock(mutex_);
    while (open_ != 0 && changed_.wait_until(mutex_, until) != std::cv_status::timeout) {
    }
  }

private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t open_ WAYBILL_GUARDED_BY(mutex_) = 0;
  std::size_t busy_ WAYBILL_GUARDED_BY(mutex_) = 0;
};

} // namespace waybill::transport
