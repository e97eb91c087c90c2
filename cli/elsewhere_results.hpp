// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/remote_name.hpp"
#include "domain/fault.hpp"
#include "domain/job.hpp"
#include "domain/messages.hpp"
#include "services/algorithms/arguments.hpp"
#include "services/remote_instance.hpp"

#include <string>
#include <vector>

namespace waybill::cli {

/// The outputs of a run on their way to an instance, which makes the run a job of the called one.
class ElsewhereResults {
public:
  /// Both instances must outlive this.
  ElsewhereResults(services::RemoteInstance &called, services::RemoteInstance &destination, RemoteName target,
                   Overwrite overwrite);

  /// Says in `request` where each output goes: the only one to the target, several below it under their names, with the
  /// ending of their type as files have it. Throws
  /// WrongUsage when the target does not end in "/" and there are several, and Fault AlreadyExists for what is there
  /// and is not to be replaced, so that nothing is run for nothing.
  void want(const AlgorithmDescription &algorithm, const services::ParameterValues &values, InvokeRequest &request);
  /// Begins the job, and returns its id. Throws what the called instance answers.
  [[nodiscard]] std::string begin(const InvokeRequest &request, const services::CallExtras &extras);
  /// Why a job has not succeeded, its reason naming the side that it is about. `logShown`: what its program printed
  /// need not be in it.
  [[nodiscard]] Fault failureOf(const Job &job, bool logShown) const;

private:
  void refuseTaken();
  [[nodiscard]] Fault refused(const Fault &fault) const;

  services::RemoteInstance &called_;
  services::RemoteInstance &destination_;
  RemoteName target_;
  Overwrite overwrite_;
  std::vector<std::string> paths_;
};

} // namespace waybill::cli
