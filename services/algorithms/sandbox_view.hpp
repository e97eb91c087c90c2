// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/file_descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

namespace waybill::services {

/// What a sandbox uses at one moment.
struct SandboxUse {
  std::chrono::milliseconds cpu{0};
  std::uint64_t memory = 0;    ///< bytes, see SandboxView::look()
  std::uint32_t processes = 0; ///< and threads, without those of the sandbox itself
  std::uint32_t sockets = 0;   ///< that can hold data, those included that no process has open
  std::uint64_t hidden = 0;    ///< bytes of open files of the output folder that have no name any more
};

/// Looks from outside into a running sandbox. Used by one thread.
class SandboxView {
public:
  /// `first`: the first process of the sandbox, which must not have been reaped while this looks. `outFolder`: an open
  /// descriptor that outlives this.
  SandboxView(pid_t first, int outFolder);

  /// False while the sandbox is being set up; then there is nothing to look at yet. Throws Fault Internal when this
  /// process is not allowed to look, again and again.
  [[nodiscard]] bool isThere();

  /// Memory: what processes have that is not a file of the disk, in RAM and in swap, with their page tables,
  /// what is in the sandbox's /tmp and /dev/shm, and what waits in TCP connections. Pages that processes share count
  /// once each, but only where the sum matters: past `memoryLimit`.
  [[nodiscard]] SandboxUse look(std::uint64_t memoryLimit) const;

  /// Bytes of memory that /tmp and /dev/shm take; also when the last process has ended. 0 when isThere() was never
  /// true.
  [[nodiscard]] std::uint64_t temporaryFiles() const;

private:
  [[nodiscard]] std::uint64_t sharesOf(const std::string &process, std::uint64_t &shared) const;
  void addHidden(const std::string &process, std::map<ino_t, std::uint64_t> &found) const;

  pid_t first_;
  struct stat outFolder_ {};
  int refusals_ = 0;
  storage::FileDescriptor processes_; ///< the sandbox's own /proc
  storage::FileDescriptor temporary_; ///< its /tmp
  storage::FileDescriptor shared_;    ///< its /dev/shm
};

} // namespace waybill::services
