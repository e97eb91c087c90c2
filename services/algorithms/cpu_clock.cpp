// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/cpu_clock.hpp"

#include <cstdint>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace waybill::services {

CpuClock::CpuClock(pid_t process) {
  perf_event_attr wanted{};
  wanted.type = PERF_TYPE_SOFTWARE;
  wanted.size = sizeof wanted;
  wanted.config = PERF_COUNT_SW_TASK_CLOCK;
  wanted.inherit = 1;
  wanted.exclude_kernel = 1; // so that it is allowed without privilege; this clock runs in the kernel as well
  wanted.exclude_hv = 1;
  constexpr int anyProcessor = -1;
  constexpr int noGroup = -1;
  counter_ = storage::FileDescriptor(
      static_cast<int>(::syscall(SYS_perf_event_open, &wanted, process, anyProcessor, noGroup, PERF_FLAG_FD_CLOEXEC)));
}

std::optional<std::chrono::milliseconds> CpuClock::read() const {
  std::uint64_t nanoseconds = 0;
  if (!counter_.isOpen() || ::read(counter_.get(), &nanoseconds, sizeof nanoseconds) != sizeof nanoseconds) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds)));
}

} // namespace waybill::services
