// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/elsewhere_results.hpp"

#include "cli/media_types.hpp"
#include "cli/people.hpp"
#include "cli/remote_list.hpp"
#include "cli/side_fault.hpp"
#include "cli/task.hpp"
#include "cli/third_party.hpp"
#include "cli/usage.hpp"
#include "domain/data_path.hpp"

#include <utility>

namespace waybill::cli {

namespace {

/// What a last error says twice is taken out: its subject, the algorithm, and what the program printed.
Fault failureOfRun(const Job &job, const Fault &fault, bool logShown) {
  auto reason = fault.reason();
  if (const auto subject = " (" + job.algorithm + ")"; reason.ends_with(subject)) {
    reason.erase(reason.size() - subject.size());
  }
  if (const auto log = "\n" + job.log; logShown && !job.log.empty() && reason.ends_with(log)) {
    reason.replace(reason.size() - log.size(), log.size(), " above");
  }
  return {fault.code(), reason, job.algorithm};
}

} // namespace

ElsewhereResults::ElsewhereResults(services::RemoteInstance &called, services::RemoteInstance &destination,
                                   RemoteName target, Overwrite overwrite)
    : called_(called), destination_(destination), target_(std::move(target)), overwrite_(overwrite) {}

void ElsewhereResults::want(const AlgorithmDescription &algorithm, const services::ParameterValues &values,
                            InvokeRequest &request) {
  const auto &outputs = algorithm.outputs;
  if (outputs.size() != 1 && !target_.namesFolder()) {
    throw WrongUsage("'" + algorithm.id + "' has " + counted(outputs.size(), "output") +
                     ", so its results need a folder: -o " + target_.withPath(target_.path) + "/");
  }
  for (const auto &output : outputs) {
    const auto name = withEnding(output.name, services::outputContentType(output, values));
    paths_.push_back(DataPath::parse(target_.namesFolder() ? target_.path + name : target_.path).text());
    NamedData wish{output.name, {}};
    wish.data.path = paths_.back();
    request.outputs.push_back(std::move(wish));
  }
  if (overwrite_ == Overwrite::Never) {
    refuseTaken();
  }
}

/// Who may not look there is told by the delivery.
void ElsewhereResults::refuseTaken() {
  for (const auto &path : paths_) {
    try {
      static_cast<void>(describeOne(destination_, {target_.instance, path, target_.prefix}));
    } catch (const Fault &fault) {
      if (fault.code() != FaultCode::NoSuchData && fault.code() != FaultCode::NotAllowed) {
        throw explained("destination", fault, destination_.address().url);
      }
      continue;
    }
    throw Fault(FaultCode::AlreadyExists, "destination: there is data at '" + target_.withPath(path) +
                                              "' already, and nothing was run; to replace it, use --overwrite always");
  }
}

std::string ElsewhereResults::begin(const InvokeRequest &request, const services::CallExtras &extras) {
  try {
    // A token for no path in particular would be one for all of them.
    const auto paths = paths_.empty() ? std::vector{parsePathPrefix(target_.path)} : paths_;
    return called_.callElsewhere(request, receiver(destination_, paths, overwrite_), extras);
  } catch (const Fault &fault) {
    throw fault.code() == FaultCode::AddressNotAllowed ? refused(fault) : fault;
  }
}

/// The called instance may not send to the destination.
Fault ElsewhereResults::refused(const Fault &fault) const {
  if (isSameInstance(called_, destination_)) {
    return {fault.code(),
            "the called instance does not know '" + destination_.address().url +
                "' as its own address (server.public_url in its waybill.toml); keep the results there with: --store " +
                target_.path,
            fault.subject()};
  }
  return explained("the called instance", fault, destination_.address().url);
}

Fault ElsewhereResults::failureOf(const Job &job, bool logShown) const {
  if (job.state == TransferState::Cancelled) {
    return {FaultCode::AlgorithmFailed, "the job was cancelled; run the command again if that was not meant"};
  }
  const auto fault = lastFault(job.lastError).value_or(Fault(FaultCode::Internal, "it failed, and nobody says why"));
  if (job.phase != JobPhase::Delivery) {
    return failureOfRun(job, fault, logShown);
  }
  return fault.code() == FaultCode::AddressNotAllowed ? refused(fault)
                                                      : explained("destination", fault, destination_.address().url);
}

} // namespace waybill::cli
