// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/algorithms/child_process.hpp"
#include "services/algorithms/cpu_clock.hpp"
#include "services/algorithms/sandbox.hpp"
#include "services/algorithms/sandbox_view.hpp"

#include <functional>
#include <optional>
#include <string>

namespace waybill::services {

/// One run of bwrap from its start to the end of the last process in it. Used by one thread, once.
class Supervisor {
public:
  /// What bwrap is started with. All descriptors are its caller's and outlive this.
  struct Start {
    std::vector<std::string> command; ///< sandboxCommand()
    int input;                        ///< standard input
    std::optional<int> output;        ///< standard output, where it is not the log
    int outFolder;
  };
  /// Everything else outlives this too. Starts nothing yet.
  Supervisor(Start start, const AlgorithmLimits &limits, std::uint64_t minimumFree, LogTail &log,
             const std::function<bool()> &stop);
  /// Nothing is left of the run.
  ~Supervisor();
  Supervisor(const Supervisor &) = delete;
  Supervisor &operator=(const Supervisor &) = delete;

  /// Runs it. Throws as Sandbox::run().
  SandboxResult run();

private:
  using Clock = std::chrono::steady_clock;

  void start();
  void wait();
  void readLog();
  void readStatus();
  void adopt(pid_t first);
  void limitProcesses(pid_t first) const;
  void tick();
  void lookAtProcesses();
  void lookAtFolder();
  void end();
  void judge();
  void exceed(std::string limit);
  [[noreturn]] void failSetUp() const;
  [[nodiscard]] bool isOver() const;

  Start start_;
  const AlgorithmLimits &limits_;
  std::uint64_t minimumFree_;
  LogTail &log_;
  const std::function<bool()> &stop_;

  storage::FileDescriptor logPipe_;    ///< our end of what the program prints
  storage::FileDescriptor statusPipe_; ///< our end of what bwrap says
  storage::FileDescriptor go_;         ///< closed, it lets the program start
  std::optional<ChildProcess> bwrap_;
  storage::FileDescriptor first_; ///< the sandbox's first process, once it is known
  CpuClock cpuClock_;
  std::optional<SandboxView> view_;

  std::string status_;     ///< what bwrap has said so far
  std::string firstWords_; ///< the beginning of the log, which is bwrap's own where it fails
  std::optional<std::int32_t> exitStatus_;
  SandboxResult result_;
  std::uint64_t hidden_ = 0; ///< bytes of files without a name
  Clock::time_point started_;
  Clock::time_point nextTick_;
  Clock::time_point nextFolder_; ///< when the output folder is to be counted again
  Clock::duration pause_;        ///< between ticks
};

} // namespace waybill::services
