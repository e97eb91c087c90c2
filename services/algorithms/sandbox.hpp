// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/algorithm.hpp"
#include "services/algorithms/log_tail.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// A file of this machine that a run may read, as /in/<name>. It must be there, under its name, until the run ends. As
/// root, the user nobody must be able to read it: letProgramsRead() (out_folder.hpp) sees to that.
struct SandboxInput {
  std::string file; ///< path outside; the folders on the way need not be open to anybody
  std::string name; ///< "text" or "many/3": relative, safe
};

/// What is to be run.
struct SandboxTask {
  /// The program first: a path, or a name looked up in /usr/bin. Paths are those within: /in/..., /out/...
  std::vector<std::string> command;
  /// All of it, but for PATH, HOME (/tmp) and LC_ALL (C.UTF-8) where not said, and PWD.
  std::map<std::string, std::string> environment;
  std::vector<SandboxInput> inputs; ///< at most mostInputs
  /// Path outside of an empty folder; /out within, and where the program starts. As root it is given to nobody.
  std::string outFolder;
  static constexpr std::size_t mostInputs = 1000;
  std::optional<std::string> standardInput;  ///< name of an input; none: /dev/null
  std::optional<std::string> standardOutput; ///< name of a file in /out; none: the log
  AlgorithmLimits limits;
};

/// How a run ended.
struct SandboxResult {
  enum class How : std::uint8_t {
    Exited,  ///< by itself: see exitStatus
    Limit,   ///< killed, because of what `limit` says
    Stopped, ///< killed, because stop() said so
  };
  How how = How::Exited;
  std::int32_t exitStatus = 0; ///< 128 + the signal for what a signal ended
  std::string limit;           ///< "CPU time of 61 s (allowed: 60 s)": which limit, what was used, what is allowed
  std::chrono::milliseconds cpu{0};
  std::chrono::milliseconds wall{0};
  std::uint64_t memory = 0; ///< the most that was seen, bytes; 0 for what ended before anybody looked
};

/// Runs programs that nobody trusts, by bubblewrap (bwrap(1)): no network, its own processes, users and /tmp, of this
/// machine's files only the system's programs (read-only), its inputs (read-only) and its output folder; no privilege,
/// an empty environment, limits; nothing is left of it at the end. As root, programs run as the user nobody.
/// docs/decisions/0005-sandbox.md says what this holds back and what not. Thread-safe.
class Sandbox {
public:
  struct Options {
    std::string home;                  ///< of the instance: never to be seen from within
    std::vector<std::string> readOnly; ///< further files and folders of this machine that programs may read
    std::string programs;              ///< a folder, /programs within; nothing where it is not there
    std::uint64_t minimumFree = 0;     ///< bytes of the disk of the output folders that every run leaves free
    std::string bwrap = "/usr/bin/bwrap";
  };
  explicit Sandbox(Options options);

  /// Empty when programs can be run; else why not and what to do. Tried by running /usr/bin/true, again after a minute
  /// when it failed.
  [[nodiscard]] std::string unavailable() const;

  /// Why `program` (as in SandboxTask::command) cannot be run now, as a clause; empty when it can.
  [[nodiscard]] std::string whyNotRunnable(const std::string &program) const;

  /// Runs `task` to its end, and leaves no process of it. `log` gets what it prints. `stop` is asked several times a
  /// second; once it says true all is killed. Throws Fault Internal when the sandbox itself could not be had,
  /// AlgorithmFailed when the program is not there, BadParameter when its arguments cannot be given to a program.
  SandboxResult run(const SandboxTask &task, LogTail &log, const std::function<bool()> &stop) const;

private:
  [[nodiscard]] std::string tryOne() const;

  Options options_;
  mutable std::mutex mutex_;
  mutable std::string problem_;
  mutable std::optional<std::chrono::steady_clock::time_point> tried_;
};

} // namespace waybill::services
