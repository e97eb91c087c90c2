// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>

namespace waybill::services {

/// When the work of an instance that stops has to end. Thread-safe.
class StopTime {
public:
  using Clock = std::chrono::steady_clock;
  void set(Clock::time_point when) noexcept { when_ = when.time_since_epoch().count(); }
  [[nodiscard]] bool isPast() const noexcept { return Clock::now().time_since_epoch().count() >= when_; }

private:
  std::atomic<Clock::rep> when_{Clock::time_point::max().time_since_epoch().count()};
};

} // namespace waybill::services
