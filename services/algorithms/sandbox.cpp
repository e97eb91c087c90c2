// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/sandbox.hpp"

#include "domain/fault.hpp"
#include "services/algorithms/out_folder.hpp"
#include "services/algorithms/sandbox_command.hpp"
#include "services/algorithms/supervisor.hpp"
#include "storage/file_errors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace waybill::services {

namespace {

using storage::FileDescriptor;
using storage::systemFault;

constexpr auto tryAgainAfter = std::chrono::minutes(1);

FileDescriptor opened(const std::string &path, int flags, const std::string &attempted) {
  FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file.isOpen()) {
    throw systemFault(attempted, path, errno);
  }
  return file;
}

/// As root: whether nobody could open it. Else the program fails in ways that nobody understands.
void requireReadable(const SandboxInput &input) {
  struct stat found {};
  if (::stat(input.file.c_str(), &found) != 0) {
    throw systemFault("handing an input to an algorithm", input.file, errno);
  }
  const bool readable = ::geteuid() != 0 || (found.st_mode & S_IROTH) != 0 || found.st_uid == nobody;
  if (!S_ISREG(found.st_mode) || !readable) {
    throw Fault(FaultCode::Internal,
                "handing an input to an algorithm failed: it is no regular file that the user nobody may read; this is "
                "a fault of the program, please report it",
                input.name, {}, LogText(input.file + ": letProgramsRead() was not called"));
  }
}

FileDescriptor standardInput(const SandboxTask &task) {
  if (!task.standardInput) {
    return opened("/dev/null", O_RDONLY, "starting a sandbox");
  }
  const auto input = std::find_if(task.inputs.begin(), task.inputs.end(),
                                  [&](const auto &one) { return one.name == *task.standardInput; });
  if (input == task.inputs.end()) {
    throw Fault(FaultCode::Internal,
                "the algorithm's standard input is to be an input that it does not have; correct the algorithm's file",
                *task.standardInput);
  }
  return opened(input->file, O_RDONLY, "handing an input to an algorithm");
}

/// The open output folder, which belongs to programs from now on.
FileDescriptor outFolder(const SandboxTask &task) {
  auto folder = opened(task.outFolder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, "opening an algorithm's output folder");
  constexpr mode_t mode = S_IRWXU | S_IXGRP | S_IXOTH; // bwrap, which is another user, goes there first
  if (::fchmod(folder.get(), mode) != 0 || (::geteuid() == 0 && ::fchown(folder.get(), nobody, nobody) != 0)) {
    throw systemFault("handing the output folder to an algorithm", task.outFolder, errno);
  }
  return folder;
}

FileDescriptor standardOutput(const SandboxTask &task, int folder) {
  constexpr int fresh = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  if (task.standardOutput->empty() || task.standardOutput->find('/') != std::string::npos) {
    throw Fault(FaultCode::Internal, "an output file's name has no \"/\" in it; correct the algorithm's file",
                *task.standardOutput);
  }
  FileDescriptor file(::openat(folder, task.standardOutput->c_str(), fresh, S_IRUSR | S_IWUSR));
  if (!file.isOpen() || (::geteuid() == 0 && ::fchown(file.get(), nobody, nobody) != 0)) {
    throw systemFault("making an algorithm's output file", task.outFolder + "/" + *task.standardOutput, errno);
  }
  return file;
}

/// An empty folder that goes with it.
class TrialFolder {
public:
  TrialFolder() : path_((std::filesystem::temp_directory_path() / "waybill-sandbox-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw systemFault("trying the sandbox", path_, errno);
    }
  }
  ~TrialFolder() { ::rmdir(path_.c_str()); }
  TrialFolder(const TrialFolder &) = delete;
  TrialFolder &operator=(const TrialFolder &) = delete;
  [[nodiscard]] const std::string &path() const { return path_; }

private:
  std::string path_;
};

} // namespace

Sandbox::Sandbox(Options options) : options_(std::move(options)) {}

std::string Sandbox::unavailable() const {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!tried_ || (!problem_.empty() && now - *tried_ >= tryAgainAfter)) {
    problem_ = tryOne();
    tried_ = now;
  }
  return problem_;
}

std::string Sandbox::whyNotRunnable(const std::string &program) const {
  return services::whyNotRunnable(options_, program);
}

std::string Sandbox::tryOne() const {
  try {
    const TrialFolder folder;
    LogTail log;
    SandboxTask task;
    task.command = {"/usr/bin/true"};
    task.outFolder = folder.path();
    const auto result = run(task, log, [] { return false; });
    if (result.how == SandboxResult::How::Exited && result.exitStatus == 0) {
      return {};
    }
    return "running /usr/bin/true in the sandbox failed with status " + std::to_string(result.exitStatus) +
           (result.limit.empty() ? "" : ", " + result.limit) + ": " + log.text();
  } catch (const Fault &fault) {
    return fault.reason();
  }
}

SandboxResult Sandbox::run(const SandboxTask &task, LogTail &log, const std::function<bool()> &stop) const {
  if (::access(options_.bwrap.c_str(), X_OK) != 0) {
    throw Fault(FaultCode::Internal,
                "programs cannot be run: " + options_.bwrap +
                    " is not there or not executable; install bubblewrap (apt install bubblewrap)");
  }
  if (const auto exposed = exposureOf(options_); !exposed.empty()) {
    throw Fault(FaultCode::Internal, "programs cannot be run: " + exposed);
  }
  if (task.inputs.size() > SandboxTask::mostInputs) {
    throw Fault(FaultCode::BadParameter, "an algorithm can be given " + std::to_string(SandboxTask::mostInputs) +
                                             " inputs, not " + std::to_string(task.inputs.size()) +
                                             "; put several into one, for instance into an archive");
  }
  std::for_each(task.inputs.begin(), task.inputs.end(), requireReadable);
  auto command = sandboxCommand(options_, task);
  const auto folder = outFolder(task);
  const auto input = standardInput(task);
  std::optional<FileDescriptor> output;
  if (task.standardOutput) {
    output = standardOutput(task, folder.get());
  }
  return Supervisor(
             {std::move(command), input.get(), output ? std::optional(output->get()) : std::nullopt, folder.get()},
             task.limits, options_.minimumFree, log, stop)
      .run();
}

} // namespace waybill::services
