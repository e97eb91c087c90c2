// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/messages.hpp"
#include "services/algorithms/algorithm_folder.hpp"
#include "services/algorithms/invocation.hpp"
#include "services/algorithms/job_folders.hpp"
#include "services/data_manager.hpp"
#include "services/job_runner.hpp"
#include "services/run_turns.hpp"
#include "services/stop_time.hpp"
#include "soap/outgoing_message.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::services {

/// An InvokeResponse with the bytes that go with it.
struct InvokeReply {
  InvokeResponse response;
  std::vector<soap::OutgoingPart> parts;
  std::map<std::string, std::string> inlined; ///< bytes by content id
  soap::Packaging packaging = soap::Packaging::Plain;
};

/// An Invoke that has been taken, to be run by the queue. Its folder goes unless it is kept.
struct PreparedJob {
  std::string id; ///< of its folder, and of its row
  InvokeOrder order;
  std::shared_ptr<JobFolderGuard> folder;
};

/// What the operations of /services/algorithms mean, but for those on jobs (TransferService). Thread-safe.
class AlgorithmService final : public JobRunner {
public:
  /// All must outlive this.
  struct Tools {
    AlgorithmFolder &algorithms;
    Invocation::Tools invocations;
    RunTurns &turns;
    DataManager &manager;
    storage::Catalog &catalog;
    const security::Trust &trust;
    Random &random;
    const Clock &clock;
    std::uint64_t inlineBytes;
    std::size_t queuedPerPrincipal; ///< jobs that one key may have waiting
  };
  explicit AlgorithmService(Tools tools) : tools_(tools) {}

  /// Those that the caller may invoke.
  [[nodiscard]] ListAlgorithmsResponse list(Call &call, const ListAlgorithmsRequest &request) const;
  /// Throws Fault NoSuchAlgorithm, also for what the caller may not invoke.
  [[nodiscard]] DescribeAlgorithmResponse describe(Call &call, const DescribeAlgorithmRequest &request) const;
  /// Runs an algorithm while the caller waits. Where it stores, the token is spent with that; else the caller spends
  /// it. Throws Fault NoSuchAlgorithm, BadParameter, UnresolvableData, AlgorithmFailed, Busy; DeliveryFailed, with the
  /// program killed and nothing stored, when the caller has gone meanwhile.
  [[nodiscard]] InvokeReply invoke(Call &call, InvokeRequest request);
  /// The first half of an Invoke whose response goes elsewhere: all that can be refused at once is, and what the
  /// message brings along is kept, durably.
  [[nodiscard]] PreparedJob prepare(Call &call, InvokeRequest request);
  /// Programs that callers wait for are killed from `when` on: the instance stops.
  void stopAt(StopTime::Clock::time_point when) { stop_.set(when); }

  void fetch(const TransferWork &work, const std::string &principal, const std::function<void()> &check,
             const Save &save) override;
  void run(const TransferWork &work, const std::string &principal, JobNote &note, LogTail &log,
           const std::function<void()> &check, const Commit &commit) override;
  void forget(const std::string &job) noexcept override { tools_.invocations.folders.remove(job); }

private:
  /// How the outputs of one Invoke leave.
  struct Results;
  [[nodiscard]] std::shared_ptr<const Algorithm> find(const Call &call, const std::string &id) const;
  [[nodiscard]] static std::vector<std::string> withoutAlgorithms(const Call &call);
  [[nodiscard]] Invocation begin(Call &call, InvokeRequest request, const std::string &job) const;
  void checkResults(Call &call, const Invocation &invocation) const;
  void attach(Results &results, Data &data, const Invocation::Made &made, Attach how, const std::string &job) const;
  [[nodiscard]] Results results(const Invocation &invocation, Attach how, const std::string &job) const;
  [[nodiscard]] static Call callOf(const TransferWork &work, const std::string &principal,
                                   const std::function<void()> &check);
  [[nodiscard]] Invocation takenUp(const Call &call, const TransferWork &work) const;
  void store(Call &call, const Invocation &invocation, Results &results,
             const std::function<std::string(const InvokeResponse &)> &receipt);
  void checkStop() const;
  static void checkCaller(const Call &call);

  Tools tools_;
  StopTime stop_;
};

} // namespace waybill::services
