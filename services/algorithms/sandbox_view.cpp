// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/sandbox_view.hpp"

#include "services/algorithms/folder_listing.hpp"
#include "services/algorithms/proc_files.hpp"
#include "storage/file_errors.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fcntl.h>
#include <sstream>
#include <sys/statvfs.h>

namespace waybill::services {

namespace {

using storage::FileDescriptor;

constexpr std::uint64_t kibibyte = 1024;
constexpr int mostRefusals = 20;

/// Calls `found` with each name in the folder `path` of `parent` that begins with a digit: processes, descriptors.
template <class Found> void eachNumber(int parent, const std::string &path, Found found) {
  const int opened = ::openat(parent, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const Listing listing(opened >= 0 ? ::fdopendir(opened) : nullptr);
  while (const auto *name = listing ? nextName(*listing) : nullptr) {
    if (std::isdigit(static_cast<unsigned char>(*name)) != 0) {
      found(std::string(name));
    }
  }
}

/// What a tmpfs takes of the memory, with what the kernel keeps for each of its files.
std::uint64_t usedOf(const FileDescriptor &fileSystem) {
  struct statvfs found {};
  if (::fstatvfs(fileSystem.get(), &found) != 0) {
    return 0; // it goes with the sandbox
  }
  return (found.f_blocks - found.f_bfree) * found.f_frsize + (found.f_files - found.f_ffree) * kibibyte;
}

/// The kibibytes of `keys` together.
std::uint64_t sum(std::string_view text, std::initializer_list<std::string_view> keys) {
  std::uint64_t total = 0;
  for (const auto key : keys) {
    total += lineValue(text, key);
  }
  return total * kibibyte;
}

/// Adds the sockets of one file of /proc/net, and of TCP what was sent and has not been read. Lines of AF_UNIX have no
/// queues in them: its buffers are small.
void addSockets(const std::string &text, bool isTcp, SandboxUse &use) {
  static constexpr std::string_view timeWait = "06"; // what is left of a closed connection: no data
  static constexpr std::size_t digits = 8;
  std::istringstream lines(text);
  std::string skipped;
  std::string state;
  std::string queues;
  for (std::getline(lines, skipped); lines >> skipped >> skipped >> skipped >> state >> queues;) {
    std::getline(lines, skipped);
    if (isTcp && state == timeWait) {
      continue;
    }
    use.sockets += 1;
    if (isTcp && queues.size() == 2 * digits + 1) {
      use.memory += std::stoull(queues, nullptr, 16) + std::stoull(queues.substr(digits + 1), nullptr, 16);
    }
  }
}

} // namespace

SandboxView::SandboxView(pid_t first, int outFolder) : first_(first) {
  if (::fstat(outFolder, &outFolder_) != 0) {
    throw storage::systemFault("looking at an algorithm's output folder", "out", errno);
  }
}

bool SandboxView::isThere() {
  if (shared_.isOpen()) {
    return true;
  }
  const auto path = "/proc/" + std::to_string(first_) + "/root";
  const FileDescriptor root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.isOpen()) {
    // A process that is changing its users may be refused for a moment.
    if ((errno == EACCES || errno == EPERM) && ++refusals_ > mostRefusals) {
      throw Fault(FaultCode::Internal,
                  "the sandbox's limits cannot be watched: this process may not look into " + path +
                      "; run the daemon as root, or let it see its own processes (hidepid, kernel.yama.ptrace_scope)");
    }
    return false;
  }
  // Until bwrap has changed to its new root, this is the machine's own, or an empty one.
  struct stat out {};
  if (::fstatat(root.get(), "out", &out, AT_SYMLINK_NOFOLLOW) != 0 || out.st_dev != outFolder_.st_dev ||
      out.st_ino != outFolder_.st_ino) {
    return false;
  }
  constexpr int place = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  processes_ = FileDescriptor(::openat(root.get(), "proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  temporary_ = FileDescriptor(::openat(root.get(), "tmp", place));
  shared_ = FileDescriptor(::openat(root.get(), "dev/shm", place));
  if (!processes_.isOpen() || !temporary_.isOpen() || !shared_.isOpen()) {
    throw storage::systemFault("looking into a sandbox", path, errno);
  }
  return true;
}

SandboxUse SandboxView::look(std::uint64_t memoryLimit) const {
  SandboxUse use;
  std::map<ino_t, std::uint64_t> hidden;
  eachNumber(processes_.get(), ".", [&](const std::string &process) {
    const auto stat = processStat(process + "/stat", processes_.get());
    const auto status = procFile(process + "/status", processes_.get());
    if (!stat || !status) {
      return; // it has ended, and its times are in its parent's
    }
    use.cpu += stat->cpu;
    use.memory += sum(*status, {"RssAnon", "RssShmem", "VmSwap", "VmPTE"});
    use.processes += process == "1" ? 0 : stat->threads;
    addHidden(process, hidden);
  });
  for (const auto &[inode, bytes] : hidden) {
    use.hidden += bytes;
  }
  const auto ofProcesses = use.memory;
  for (const std::string protocol : {"tcp", "tcp6", "udp", "udp6", "unix"}) {
    // Of the sandbox's first process, so of its network.
    addSockets(procFile("1/net/" + protocol, processes_.get()).value_or(""), protocol.starts_with("tcp"), use);
  }
  const auto inSockets = use.memory - ofProcesses;
  const auto temporary = temporaryFiles();
  use.memory += temporary;
  if (use.memory > memoryLimit) {
    // Exact, but slow: the kernel walks through all pages.
    std::uint64_t shared = 0;
    use.memory = inSockets;
    eachNumber(processes_.get(), ".", [&](const std::string &process) { use.memory += sharesOf(process, shared); });
    // Pages of /dev/shm are mapped and in the file system; those of no file are mapped alone.
    use.memory += std::max(shared, temporary);
  }
  return use;
}

std::uint64_t SandboxView::temporaryFiles() const { return usedOf(temporary_) + usedOf(shared_); }

std::uint64_t SandboxView::sharesOf(const std::string &process, std::uint64_t &shared) const {
  const auto pages = procFile(process + "/smaps_rollup", processes_.get()).value_or("");
  const auto status = procFile(process + "/status", processes_.get()).value_or("");
  shared += sum(pages, {"Pss_Shmem"});
  return sum(pages, {"Pss_Anon", "SwapPss"}) + sum(status, {"VmPTE"});
}

void SandboxView::addHidden(const std::string &process, std::map<ino_t, std::uint64_t> &found) const {
  const auto folder = process + "/fd/";
  eachNumber(processes_.get(), folder, [&](const std::string &descriptor) {
    struct stat file {};
    if (::fstatat(processes_.get(), (folder + descriptor).c_str(), &file, 0) == 0 && S_ISREG(file.st_mode) &&
        file.st_nlink == 0 && file.st_dev == outFolder_.st_dev && file.st_uid == outFolder_.st_uid) {
      constexpr std::uint64_t block = 512; // of st_blocks
      found[file.st_ino] = static_cast<std::uint64_t>(file.st_blocks) * block;
    }
  });
}

} // namespace waybill::services
