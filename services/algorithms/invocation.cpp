// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/invocation.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/algorithms/out_folder.hpp"
#include "storage/block_worker.hpp"
#include "storage/digested_file.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/file_errors.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>

namespace waybill::services {

namespace {

constexpr const char *unknownType = "application/octet-stream";

/// A status and what it may mean: "137 (SIGKILL)".
std::string statusText(std::int32_t status) {
  constexpr std::int32_t signalled = 128;
  const auto *const signal = status > signalled ? ::sigabbrev_np(status - signalled) : nullptr;
  std::string text = std::to_string(status);
  if (signal != nullptr) {
    text += std::string(" (SIG") + signal;
    text += status == signalled + SIGKILL ? ": of its own doing, or the machine had no memory left)" : ")";
  }
  return text;
}

/// An input on its way into its file, written and digested beside whatever brings it.
class InputFile final : public Sink {
public:
  /// `check` is asked at each write.
  InputFile(const Invocation::Tools &tools, const std::string &path, const NamedData &input,
            const std::function<void()> &check)
      : limit_(tools.inputBytes), input_(input), check_(check), watch_(tools.room, input.name),
        file_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)),
        writing_(file_.get(), {"writing an input", path, input.name}) {
    if (!file_.isOpen()) {
      throw storage::systemFault("writing an input", path, errno);
    }
  }

  void write(ByteView bytes) override { writeAt(size_, bytes); }
  /// In any order, each byte once.
  void writeAt(std::uint64_t offset, ByteView bytes) {
    if (check_) {
      check_();
    }
    size_ += bytes.size();
    if (limit_ != 0 && size_ > limit_) {
      throw Fault(FaultCode::TooLarge,
                  "Invoke takes inputs of at most " + std::to_string(limit_) +
                      " bytes (limits.object_bytes); this one has more",
                  input_.name);
    }
    watch_.before(bytes.size());
    writing_.add(offset, bytes);
  }
  void finish() { digests_ = writing_.finish(); }

  template <class Declared> void check(const Declared &declared) {
    if (declared.size && *declared.size != size_) {
      throw Fault(FaultCode::DigestMismatch,
                  "Invoke was told a Size of " + std::to_string(*declared.size) + " bytes for this input and got " +
                      std::to_string(size_) + "; nothing was run; send it again",
                  input_.name);
    }
    if (!declared.digest) {
      return;
    }
    const auto &found = declared.digest->algorithm == DigestAlgorithm::Sha256 ? digests_.sha256 : digests_.adler32;
    if (lowerCase(declared.digest->hex) != found) {
      throw Fault(FaultCode::DigestMismatch,
                  "Invoke was told a " + std::string(name(declared.digest->algorithm)) + " digest of " +
                      printable(declared.digest->hex, 80) + " for this input, and what came has " + found +
                      "; nothing was run; send it again",
                  input_.name);
    }
  }

private:
  std::uint64_t limit_;
  const NamedData &input_;
  const std::function<void()> &check_;
  RoomWatch watch_;
  storage::FileDescriptor file_;
  std::uint64_t size_ = 0;
  storage::DigestedFile::Digests digests_;
  storage::DigestedFile writing_; ///< the last: it ends before what it uses
};

} // namespace

Invocation::Invocation(const Tools &tools, std::shared_ptr<const Algorithm> algorithm, InvokeRequest request,
                       std::string job)
    : tools_(tools), algorithm_(std::move(algorithm)), request_(std::move(request)), job_(std::move(job)),
      values_(checkedParameters(algorithm_->description, request_.parameters)) {
  checkInputs(algorithm_->description, request_.inputs);
  checkOutputs(algorithm_->description, request_.outputs);
}

std::string Invocation::file(std::size_t input) const { return tools_.folders.in(job_) + "/" + std::to_string(input); }

const InputDeclaration &Invocation::declaration(std::size_t input) const {
  return *declared(algorithm_->description.inputs, request_.inputs[input].name); // checkInputs() has seen it
}

/// For messages: several inputs may have one name.
std::string Invocation::called(std::size_t input) const {
  return "the input '" + printable(request_.inputs[input].name, 100) + "' (number " + std::to_string(input + 1) +
         " of the message)";
}

void Invocation::takeAttached(Call &call) {
  for (std::size_t i = 0; i < request_.inputs.size(); ++i) {
    std::vector<std::string> tried;
    if (auto resolved = DataResolver::attached(request_.inputs[i].data, call, tried)) {
      keep(i, std::move(*resolved), {});
      auto &data = request_.inputs[i].data;
      data.content.reset();
      data.attachment.reset();
      data.href.reset();
    }
  }
  call.attachments->finish();
}

InvokeRequest Invocation::withoutParts(Call &call) const {
  auto request = request_;
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    auto &data = request.inputs[i].data;
    if (!taken_.contains(i) && !data.id && !data.href && !data.path) {
      (void)tools_.resolver.resolve(data, call, PathIs::Name, called(i)); // which says what was tried
    }
    data.content.reset();
    data.attachment.reset();
  }
  return request;
}

void Invocation::fetch(Call &call) {
  for (std::size_t i = 0; i < request_.inputs.size(); ++i) {
    if (!taken_.contains(i)) {
      keep(i, tools_.resolver.resolve(request_.inputs[i].data, call, PathIs::Name, called(i)), call.check);
    }
  }
}

void Invocation::keep(std::size_t input, ResolvedData resolved, const std::function<void()> &check) {
  const auto &given = request_.inputs[input];
  const auto type = given.data.contentType.value_or(resolved.contentType);
  // What nobody has said anything about may be anything.
  if (!type.empty() && type != unknownType && !accepts(declaration(input), type)) {
    std::string taken;
    for (const auto &one : declaration(input).contentTypes) {
      taken += (taken.empty() ? "" : ", ") + one;
    }
    throw Fault(FaultCode::BadParameter,
                "the algorithm '" + request_.algorithm + "' takes for this input data of type " + taken +
                    ", and this is " + printable(type, 100) +
                    "; give data of that type, or its right type as ContentType",
                given.name);
  }
  const auto path = file(input);
  InputFile into(tools_, path, given, check);
  if (resolved.scattered) {
    resolved.scattered([&](std::uint64_t offset, ByteView bytes) { into.writeAt(offset, bytes); });
  } else {
    copyAll(*resolved.source, into);
  }
  into.finish();
  into.check(given.data);
  into.check(resolved);
  letProgramsRead(path);
  taken_[input] = type;
}

SandboxTask Invocation::task() const {
  SandboxTask task;
  InputPaths paths;
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < request_.inputs.size(); ++i) {
    const auto &name = request_.inputs[i].name;
    const auto within = inputFile(*algorithm_, declaration(i), ++counts[name]);
    paths[name].push_back("/in/" + within);
    task.inputs.push_back({file(i), within});
    if (algorithm_->standardInput == name) {
      task.standardInput = within;
    }
  }
  task.command = expandedCommand(*algorithm_, values_, paths);
  task.environment = algorithm_->environment;
  task.outFolder = tools_.folders.out(job_);
  if (algorithm_->standardOutput) {
    task.standardOutput = outputFile(*algorithm_, *algorithm_->standardOutput);
  }
  task.limits = algorithm_->description.limits;
  return task;
}

void Invocation::run(LogTail &log, const std::function<void()> &check, std::optional<std::int32_t> &exitStatus) const {
  std::exception_ptr stopped;
  const auto stop = [&] {
    try {
      check();
      return false;
    } catch (...) {
      stopped = std::current_exception();
      return true;
    }
  };
  const auto result = tools_.sandbox.run(task(), log, stop);
  if (stopped) {
    std::rethrow_exception(stopped);
  }
  exitStatus = result.exitStatus;
  if (result.how == SandboxResult::How::Limit) {
    fail("was killed at a limit: " + result.limit, log);
  }
  if (result.exitStatus != 0) {
    fail("failed with exit status " + statusText(result.exitStatus), log);
  }
  for (const auto &output : algorithm_->description.outputs) {
    const auto name = outputFile(*algorithm_, output.name);
    if (output.required && !openOutput(tools_.folders.out(job_), name)) {
      fail("ended well, but has not made its output '" + output.name + "', the file /out/" + name, log);
    }
  }
}

void Invocation::fail(const std::string &how, const LogTail &log) const {
  const auto said = log.text();
  throw Fault(FaultCode::AlgorithmFailed,
              "the algorithm '" + request_.algorithm + "' " + how + "; " +
                  (said.empty() ? std::string("it printed nothing") : "the end of what it printed:\n" + said),
              request_.algorithm);
}

std::vector<Invocation::Made> Invocation::outputs() const {
  std::vector<Made> all;
  for (const auto &output : algorithm_->description.outputs) {
    Made made{output.name, outputFile(*algorithm_, output.name), outputContentType(output, values_), 0, {}};
    const auto source = openOutput(tools_.folders.out(job_), made.file);
    if (!source) {
      continue; // run() has seen to those that are required
    }
    storage::Digester digester;
    storage::BlockWorker worker([&](std::uint64_t, ByteView bytes) { digester.update(bytes); });
    std::vector<std::byte> block(copyBlock);
    while (const auto got = source->read(block)) {
      worker.add(made.size, {block.data(), got});
      made.size += got;
    }
    worker.finish();
    made.sha256 = digester.sha256Hex();
    all.push_back(std::move(made));
  }
  return all;
}

} // namespace waybill::services
