// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/file_descriptor.hpp"

#include <chrono>
#include <optional>
#include <sys/types.h>

namespace waybill::services {

/// The CPU time of a process and of all its descendants, those included that nobody waited for (which /proc forgets): a
/// counter of perf_event_open(2).
class CpuClock {
public:
  CpuClock() = default;
  /// Of `process`, from now on, and of the children that it starts from now on. Counts nothing where the system does
  /// not allow it (kernel.perf_event_paranoid, a container's filter).
  explicit CpuClock(pid_t process);

  [[nodiscard]] std::optional<std::chrono::milliseconds> read() const;

private:
  storage::FileDescriptor counter_;
};

} // namespace waybill::services
