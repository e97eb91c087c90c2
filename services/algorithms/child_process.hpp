// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/file_descriptor.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace waybill::services {

/// A program in a session of its own, with an empty environment, the default signals, and no open file but those it is
/// given. It is killed and reaped when this goes.
class ChildProcess {
public:
  /// Starts `command` (its first is a path). Descriptor i of it is descriptors[i]. Throws Fault: BadParameter when the
  /// arguments are too long for the system, else Internal or Busy.
  ChildProcess(const std::vector<std::string> &command, const std::vector<int> &descriptors);
  ~ChildProcess();
  ChildProcess(const ChildProcess &) = delete;
  ChildProcess &operator=(const ChildProcess &) = delete;

  [[nodiscard]] pid_t id() const noexcept { return id_; }
  /// For poll(): readable once it has ended.
  [[nodiscard]] int ended() const noexcept { return handle_.get(); }
  /// Kills what is in its process group, and reaps it.
  void kill() noexcept;

private:
  pid_t id_ = -1;
  storage::FileDescriptor handle_;
};

/// A handle (pidfd) of the process `id`, while it is a child of `parent`; not open when it is not, or has ended.
/// Throws Fault Busy when descriptors have run out.
[[nodiscard]] storage::FileDescriptor handleOf(pid_t id, pid_t parent);

/// Kills the process of `handle` and waits until it is gone; of a PID namespace's first process, so goes all of the
/// namespace. False when it is still there after `seconds`. Does nothing for a handle that is not open.
[[nodiscard]] bool killAndWait(const storage::FileDescriptor &handle, int seconds) noexcept;

} // namespace waybill::services
