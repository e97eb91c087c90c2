// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sync_calls.hpp"

#include <cerrno>
#include <unistd.h>

namespace waybill::storage {

namespace {

/// EINTR alone is tried again: it says that nothing was done, every other error that pages may be lost.
template <class Call> int untilNotInterrupted(Call call) noexcept {
  while (call() != 0) {
    if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

} // namespace

int SystemSyncCalls::sync(int fd) noexcept {
  return untilNotInterrupted([fd] { return ::fsync(fd); });
}

int SystemSyncCalls::syncFileSystem(int fd) noexcept {
  return untilNotInterrupted([fd] { return ::syncfs(fd); });
}

} // namespace waybill::storage
