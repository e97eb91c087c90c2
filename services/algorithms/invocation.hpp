// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"
#include "services/algorithms/algorithm.hpp"
#include "services/algorithms/arguments.hpp"
#include "services/algorithms/job_folders.hpp"
#include "services/algorithms/sandbox.hpp"
#include "services/call.hpp"
#include "services/data_resolver.hpp"
#include "services/disk_room.hpp"
#include "services/transfer_work.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::services {

/// One run of an algorithm in the folder of its job, from the inputs to the outputs: takeAttached(), fetch(), run(),
/// outputs(), in this order. One thread; must not outlive what it is made with.
class Invocation {
public:
  /// An output that is there.
  struct Made {
    std::string name;
    std::string file; ///< its name in the job's folder
    std::string contentType;
    std::uint64_t size = 0;
    std::string sha256;
  };
  struct Tools {
    const Sandbox &sandbox;
    const JobFolders &folders;
    const DataResolver &resolver;
    const DiskRoom &room;
    std::uint64_t inputBytes; ///< most that one input may have; 0: no limit
  };

  /// Checks parameters, and the names of inputs and outputs. Throws Fault BadParameter. `job`: its folder, which is
  /// there.
  Invocation(const Tools &tools, std::shared_ptr<const Algorithm> algorithm, InvokeRequest request, std::string job);

  [[nodiscard]] const InvokeRequest &request() const noexcept { return request_; }
  [[nodiscard]] const Algorithm &algorithm() const noexcept { return *algorithm_; }

  /// Puts what the message brings along into the folder, and takes the references to it out of the request.
  void takeAttached(Call &call);
  /// The request without references to parts of its message, for when that is no longer there. Throws Fault
  /// UnresolvableData when an input then has nothing left that could be tried.
  [[nodiscard]] InvokeRequest withoutParts(Call &call) const;
  /// By position, the content types of the inputs that are in the folder.
  [[nodiscard]] const std::map<std::size_t, std::string> &taken() const noexcept { return taken_; }
  /// All inputs are there.
  [[nodiscard]] bool complete() const noexcept { return taken_.size() == request_.inputs.size(); }
  /// For a run that goes on: these are there already.
  void setTaken(std::map<std::size_t, std::string> taken) { taken_ = std::move(taken); }
  /// Puts the other inputs there too. Throws Fault UnresolvableData, BadParameter for data of a type that the algorithm
  /// does not take, TooLarge, DigestMismatch, NoSpace.
  void fetch(Call &call);

  /// Runs the program. Throws Fault AlgorithmFailed, with the end of its log, for all but exit status 0 and outputs
  /// that are missing; and what `check` throws, which is called several times a second. `exitStatus` is set once there
  /// is one.
  void run(LogTail &log, const std::function<void()> &check, std::optional<std::int32_t> &exitStatus) const;
  /// What the program has made, in the order of the declarations, once it was run. Throws Fault AlgorithmFailed for
  /// what is no plain file.
  [[nodiscard]] std::vector<Made> outputs() const;

private:
  [[nodiscard]] const InputDeclaration &declaration(std::size_t input) const;
  [[nodiscard]] std::string called(std::size_t input) const;
  void keep(std::size_t input, ResolvedData resolved, const std::function<void()> &check);
  [[nodiscard]] std::string file(std::size_t input) const;
  [[nodiscard]] SandboxTask task() const;
  [[noreturn]] void fail(const std::string &how, const LogTail &log) const;

  Tools tools_;
  std::shared_ptr<const Algorithm> algorithm_;
  InvokeRequest request_;
  std::string job_;
  ParameterValues values_;
  std::map<std::size_t, std::string> taken_;
};

} // namespace waybill::services
