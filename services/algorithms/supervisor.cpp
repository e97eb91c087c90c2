// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/supervisor.hpp"

#include "domain/text.hpp"
#include "services/algorithms/out_folder.hpp"
#include "services/algorithms/proc_files.hpp"
#include "services/algorithms/sandbox_command.hpp"
#include "services/algorithms/seccomp_filter.hpp"
#include "storage/file_errors.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace waybill::services {

namespace {

using namespace std::chrono_literals;
using storage::FileDescriptor;
using storage::systemFault;

constexpr auto firstPause = 20ms;
constexpr auto longestPause = 100ms;
/// Counting the output folder may take a tenth of the time.
constexpr int folderPauses = 10;
/// More files than that take the disk's inodes, whatever their size.
constexpr std::uint64_t mostFiles = 100'000;
/// Each holds up to net.core.wmem_default bytes of the kernel's memory.
constexpr std::uint32_t mostSockets = 256;
/// Killed processes go at once, but for those that wait for a broken disk.
constexpr int patience = 60;
/// CPU time that the kernel lets one process have past its limit.
constexpr auto kernelGrace = 1s;
constexpr std::size_t enoughWords = 2000;
constexpr int signalled = 128;

constexpr std::uint64_t mebibyte = 1ULL << 20U;

std::string bytesText(std::uint64_t bytes) {
  return bytes < mebibyte ? fmt::format("{} bytes", bytes)
                          : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(mebibyte));
}
std::string secondsText(std::chrono::milliseconds time) {
  return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000.0);
}

struct Pipe {
  FileDescriptor readEnd;
  FileDescriptor writeEnd;
};
Pipe madePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw systemFault("starting a sandbox", "a pipe", errno);
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}
/// Of the reader alone: the program's end is a file of its own.
void dontBlock(const FileDescriptor &end) { ::fcntl(end.get(), F_SETFL, O_RDONLY | O_NONBLOCK); }

/// The number after "`key`": in `json`, the last one.
std::optional<std::int32_t> numberAfter(std::string_view json, std::string_view key) {
  auto at = json.rfind(key);
  at = at == std::string_view::npos ? at : json.find_first_of("0123456789", at);
  std::int32_t value = 0;
  // A number at the very end may not be all there yet.
  if (at == std::string_view::npos || json.find_first_not_of("0123456789", at) == std::string_view::npos) {
    return std::nullopt;
  }
  std::from_chars(json.data() + at, json.data() + json.size(), value);
  return value;
}

void writeMap(pid_t process, const char *which) {
  const auto path = fmt::format("/proc/{}/{}", process, which);
  const auto map = fmt::format("0 0 1\n{0} {0} 1\n", nobody);
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.isOpen() || ::write(file.get(), map.data(), map.size()) != static_cast<ssize_t>(map.size())) {
    throw systemFault("setting up the users of a sandbox", path, errno);
  }
}

} // namespace

Supervisor::Supervisor(Start start, const AlgorithmLimits &limits, std::uint64_t minimumFree, LogTail &log,
                       const std::function<bool()> &stop)
    : start_(std::move(start)), limits_(limits), minimumFree_(minimumFree), log_(log), stop_(stop),
      started_(Clock::now()), nextTick_(started_ + firstPause), nextFolder_(started_), pause_(firstPause) {}

Supervisor::~Supervisor() {
  // After a failure; else all is gone by now.
  static_cast<void>(killAll());
}

SandboxResult Supervisor::run() {
  start();
  while (!isOver()) {
    wait();
    readStatus();
    readLog();
    if (!isOver() && Clock::now() >= nextTick_) {
      tick();
    }
  }
  end();
  judge();
  return result_;
}

bool Supervisor::isOver() const {
  return exitStatus_ || !statusPipe_.isOpen() || result_.how != SandboxResult::How::Exited;
}

void Supervisor::start() {
  auto log = madePipe();
  auto status = madePipe();
  auto go = madePipe();
  const auto filter = seccompFilter();
  dontBlock(log.readEnd);
  dontBlock(status.readEnd);
  // The order is that of SandboxDescriptors.
  bwrap_.emplace(start_.command,
                 std::vector<int>{start_.input, start_.output.value_or(log.writeEnd.get()), log.writeEnd.get(),
                                  status.writeEnd.get(), status.writeEnd.get(), go.readEnd.get(), filter.get()});
  logPipe_ = std::move(log.readEnd);
  statusPipe_ = std::move(status.readEnd);
  go_ = std::move(go.writeEnd);
}

void Supervisor::wait() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(nextTick_ - Clock::now());
  std::array<pollfd, 2> watched{{{statusPipe_.get(), POLLIN, 0}, {logPipe_.get(), POLLIN, 0}}};
  if (::poll(watched.data(), watched.size(), static_cast<int>(std::max(left, 0ms).count())) < 0 && errno != EINTR) {
    throw systemFault("waiting for a sandbox", "poll", errno);
  }
}

void Supervisor::readLog() {
  std::array<char, 64 * 1024> block; // NOLINT(cppcoreguidelines-pro-type-member-init): it is written first
  const auto got = logPipe_.isOpen() ? ::read(logPipe_.get(), block.data(), block.size()) : 0;
  if (got > 0) {
    const std::string_view text(block.data(), static_cast<std::size_t>(got));
    log_.append(text);
    firstWords_ += text.substr(0, enoughWords - std::min(firstWords_.size(), enoughWords));
  } else if (got == 0) {
    logPipe_.close();
  }
}

void Supervisor::readStatus() {
  std::array<char, 4096> block{};
  const auto got = ::read(statusPipe_.get(), block.data(), block.size());
  if (got > 0) {
    status_.append(block.data(), static_cast<std::size_t>(got));
  } else if (got == 0) {
    statusPipe_.close(); // bwrap has ended
  }
  if (const auto first = go_.isOpen() ? numberAfter(status_, "\"child-pid\"") : std::nullopt) {
    adopt(*first);
  }
  exitStatus_ = numberAfter(status_, "\"exit-code\"");
}

void Supervisor::adopt(pid_t first) {
  first_ = handleOf(first, bwrap_->id());
  if (!first_.isOpen()) {
    return; // bwrap has failed and says why
  }
  limitProcesses(first);
  if (::geteuid() == 0) {
    writeMap(first, "uid_map");
    writeMap(first, "gid_map");
  }
  cpuClock_ = CpuClock(first);
  view_.emplace(first, start_.outFolder);
  go_.close();
}

// For when this process is held up or killed; what is exact is in tick().
void Supervisor::limitProcesses(pid_t first) const {
  const auto limit = [first](__rlimit_resource what, std::uint64_t soft, std::uint64_t hard) {
    rlimit present{};
    ::prlimit(first, what, nullptr, &present);
    const rlimit wanted{std::min<rlim_t>(soft, present.rlim_max), std::min<rlim_t>(hard, present.rlim_max)};
    if (::prlimit(first, what, &wanted, nullptr) != 0) {
      throw systemFault("limiting a sandbox", "prlimit", errno);
    }
  };
  constexpr std::uint64_t block = 4096; // so that what is past a limit can be seen
  constexpr std::uint64_t files = 256;
  const auto cpu = static_cast<std::uint64_t>((limits_.cpu + kernelGrace).count());
  const auto file = std::max(limits_.output, limits_.memory) + block;
  // A program whose fork() fails may end before anybody has looked, and then its limit has no name: only what is far
  // past it fails.
  const std::uint64_t processes = 2ULL * limits_.processes + 64;
  // Programs reserve more than they use: this is for what shows in no other number.
  const auto memory = 4 * limits_.memory + (1ULL << 30U);
  limit(RLIMIT_CPU, cpu, cpu + 1);
  limit(RLIMIT_FSIZE, file, file);
  limit(RLIMIT_NPROC, processes, processes);
  limit(RLIMIT_DATA, memory, memory);
  limit(RLIMIT_NOFILE, files, files);
  limit(RLIMIT_CORE, 0, 0);
  // When the machine runs out of memory, this goes first.
  std::ofstream(fmt::format("/proc/{}/oom_score_adj", first)) << 1000;
}

void Supervisor::tick() {
  const auto now = Clock::now();
  result_.wall = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
  if (stop_()) {
    result_.how = SandboxResult::How::Stopped;
    return;
  }
  if (result_.wall >= limits_.wall) {
    exceed(fmt::format("wall time of {} (allowed: {})", secondsText(result_.wall), secondsText(limits_.wall)));
    return;
  }
  if (view_ && view_->isThere()) {
    lookAtProcesses();
    lookAtDisk();
    if (now >= nextFolder_) {
      lookAtFolder();
    }
  }
  pause_ = std::min<Clock::duration>(pause_ * 5 / 4, longestPause);
  nextTick_ = std::min(Clock::now() + pause_, std::max(started_ + limits_.wall, now));
}

void Supervisor::lookAtProcesses() {
  const auto use = view_->look(limits_.memory);
  hidden_ = use.hidden;
  result_.cpu = std::max({result_.cpu, use.cpu, cpuClock_.read().value_or(0ms)});
  result_.memory = std::max(result_.memory, use.memory);
  if (result_.cpu > limits_.cpu) {
    exceed(fmt::format("CPU time of {} (allowed: {})", secondsText(result_.cpu), secondsText(limits_.cpu)));
  } else if (use.memory > limits_.memory) {
    exceed(fmt::format("memory of {} (allowed: {})", bytesText(use.memory), bytesText(limits_.memory)));
  } else if (use.processes > limits_.processes) {
    exceed(fmt::format("{} processes and threads at the same time (allowed: {})", use.processes, limits_.processes));
  } else if (use.sockets > mostSockets) {
    exceed(fmt::format("{} sockets at the same time (allowed: {})", use.sockets, mostSockets));
  }
}

void Supervisor::lookAtFolder() {
  const auto began = Clock::now();
  const auto use = folderUse(start_.outFolder, limits_.output, mostFiles);
  const auto bytes = use.bytes + hidden_;
  if (bytes > limits_.output) {
    exceed(fmt::format("output of {} or more (allowed: {})", bytesText(bytes), bytesText(limits_.output)));
  } else if (use.entries > mostFiles) {
    exceed(fmt::format("output of {} files or more (allowed: {})", use.entries, mostFiles));
  } else if (!use.readable) {
    exceed("output in folders that cannot be looked into, or too deep in each other");
  }
  const auto now = Clock::now();
  nextFolder_ = now + folderPauses * (now - began);
}

// The last resort: what shows in no other number fills the disk as well.
void Supervisor::lookAtDisk() {
  struct statvfs disk {};
  if (::fstatvfs(start_.outFolder, &disk) == 0 && disk.f_bavail * disk.f_frsize < minimumFree_) {
    exceed(fmt::format("room on the site's disk: {} are free ({} are to be left)",
                       bytesText(disk.f_bavail * disk.f_frsize), bytesText(minimumFree_)));
  }
}

void Supervisor::exceed(std::string limit) {
  if (result_.how == SandboxResult::How::Exited) {
    result_.how = SandboxResult::How::Limit;
    result_.limit = std::move(limit);
  }
}

bool Supervisor::killAll() noexcept {
  bool gone = killAndWait(first_, patience);
  if (bwrap_) {
    bwrap_->kill();
  }
  // Every process of the run has the log open, those of bwrap included that were not known yet. Nobody writes any more,
  // so this is no more than the pipe holds.
  pollfd rest{logPipe_.get(), POLLIN, 0};
  while (gone && logPipe_.isOpen()) {
    gone = ::poll(&rest, 1, patience * 1000) > 0;
    readLog();
  }
  return gone;
}

void Supervisor::end() {
  const bool gone = killAll();
  result_.wall = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
  result_.cpu = std::max(result_.cpu, cpuClock_.read().value_or(0ms));
  if (!gone) {
    throw Fault(FaultCode::Internal,
                fmt::format("a program that was killed is still there after {} s: it waits for a disk or a network "
                            "file system that does not answer; the site's administrator has to look at it",
                            patience));
  }
}

void Supervisor::judge() {
  if (result_.how == SandboxResult::How::Stopped) {
    return;
  }
  if (result_.how == SandboxResult::How::Exited && !exitStatus_) {
    failSetUp();
  }
  result_.exitStatus = exitStatus_.value_or(signalled + SIGKILL);
  if (result_.how == SandboxResult::How::Limit) {
    return;
  }
  hidden_ = 0;
  lookAtFolder();
  if (const auto temporary = view_ ? view_->temporaryFiles() : 0; temporary > limits_.memory) {
    exceed(fmt::format("memory of {} in /tmp and /dev/shm alone (allowed: {})", bytesText(temporary),
                       bytesText(limits_.memory)));
  }
  // Programs may also end themselves with that status.
  if (result_.exitStatus == signalled + SIGXCPU && result_.cpu * 2 > limits_.cpu) {
    exceed(fmt::format("CPU time of {}, as the kernel counts it for one process (allowed: {})",
                       secondsText(limits_.cpu + kernelGrace), secondsText(limits_.cpu)));
  } else if (result_.exitStatus == signalled + SIGXFSZ) {
    const auto most = std::max(limits_.output, limits_.memory);
    exceed(fmt::format("a file of more than {} (allowed: {})", bytesText(most), bytesText(most)));
  } else if (result_.cpu > limits_.cpu) {
    exceed(fmt::format("CPU time of {} (allowed: {})", secondsText(result_.cpu), secondsText(limits_.cpu)));
  }
}

void Supervisor::failSetUp() const {
  const auto said = std::string(trimmed(firstWords_));
  throw Fault(FaultCode::Internal,
              "the sandbox for a program could not be set up" +
                  (said.empty() ? ": bwrap ended without saying why" : ": " + printable(said)) +
                  "; docs/decisions/0005-sandbox.md says what it needs of the system",
              {}, {}, LogText(printable(said, enoughWords)));
}

} // namespace waybill::services
