// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/child_process.hpp"

#include "services/algorithms/proc_files.hpp"
#include "storage/file_errors.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace waybill::services {

namespace {

using storage::FileDescriptor;

FileDescriptor openHandle(pid_t id) { return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))); }

class SpawnActions {
public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions &) = delete;
  SpawnActions &operator=(const SpawnActions &) = delete;

  /// `descriptors` all lie above the numbers that they get.
  void place(const std::vector<FileDescriptor> &descriptors) {
    int number = 0;
    for (const auto &descriptor : descriptors) {
      ::posix_spawn_file_actions_adddup2(&actions_, descriptor.get(), number++);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, number);
    ::posix_spawn_file_actions_addchdir_np(&actions_, "/");
  }
  [[nodiscard]] const posix_spawn_file_actions_t *get() const { return &actions_; }

private:
  posix_spawn_file_actions_t actions_{};
};

class SpawnAttributes {
public:
  SpawnAttributes() {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
  }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes &) = delete;
  SpawnAttributes &operator=(const SpawnAttributes &) = delete;
  [[nodiscard]] const posix_spawnattr_t *get() const { return &attributes_; }

private:
  posix_spawnattr_t attributes_{};
};

} // namespace

ChildProcess::ChildProcess(const std::vector<std::string> &command, const std::vector<int> &descriptors) {
  static const std::string attempted = "starting a sandbox";
  const auto &program = command.front();
  std::vector<FileDescriptor> above; // so that no dup2() closes what a later one needs
  for (const auto descriptor : descriptors) {
    above.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, static_cast<int>(descriptors.size())));
    if (!above.back().isOpen()) {
      throw storage::systemFault(attempted, program, errno);
    }
  }
  SpawnActions actions;
  actions.place(above);
  const SpawnAttributes attributes;
  std::vector<char *> arguments;
  for (const auto &argument : command) {
    arguments.push_back(const_cast<char *>(argument.c_str())); // posix_spawn() does not write to them
  }
  arguments.push_back(nullptr);
  char *const environment[] = {nullptr};
  const int error =
      ::posix_spawn(&id_, program.c_str(), actions.get(), attributes.get(), arguments.data(), environment);
  if (error == E2BIG) {
    throw Fault(FaultCode::BadParameter,
                "the parameters are too long to be given to the algorithm's program; give long text as an input");
  }
  if (error != 0) {
    throw storage::systemFault(attempted, program, error);
  }
  handle_ = openHandle(id_);
  if (!handle_.isOpen()) {
    const int reason = errno;
    kill();
    throw storage::systemFault(attempted, program, reason);
  }
}

ChildProcess::~ChildProcess() { kill(); }

void ChildProcess::kill() noexcept {
  if (id_ <= 0) {
    return;
  }
  ::kill(-id_, SIGKILL);
  while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
  id_ = -1;
}

FileDescriptor handleOf(pid_t id, pid_t parent) {
  auto handle = openHandle(id);
  if (!handle.isOpen() && errno != ESRCH) {
    throw storage::systemFault("starting a sandbox", "pidfd", errno);
  }
  // Read after it was opened: so the handle and what is read are of the same process, or it is not `parent`'s.
  const auto stat = processStat("/proc/" + std::to_string(id) + "/stat");
  return stat && stat->parent == parent ? std::move(handle) : FileDescriptor();
}

bool killAndWait(const FileDescriptor &handle, int seconds) noexcept {
  if (!handle.isOpen()) {
    return true;
  }
  ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
  pollfd gone{handle.get(), POLLIN, 0};
  const bool ended = ::poll(&gone, 1, seconds * 1000) == 1;
  // It becomes this process's child where this one is the machine's or the container's first; else ECHILD is right.
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(handle.get()), &info, WEXITED | WNOHANG);
  return ended;
}

} // namespace waybill::services
