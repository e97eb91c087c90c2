// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/job.hpp"
#include "domain/transfer.hpp"
#include "services/algorithms/log_tail.hpp"
#include "services/courier.hpp"
#include "services/fair_turns.hpp"
#include "services/job_runner.hpp"
#include "services/log.hpp"
#include "services/metrics.hpp"
#include "services/run_turns.hpp"
#include "services/transfer_policy.hpp"
#include "storage/catalog.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace waybill::services {

/// The queue of replies that go elsewhere. What is to be delivered, and what has to be fetched and run before it can
/// be, is in the catalog; this picks what is due, does it in threads of its own, and writes down how it ended.
/// Thread-safe.
class Transfers {
public:
  /// All must outlive this.
  struct Tools {
    storage::Catalog &catalog;
    Courier::Tools courier;
    std::shared_ptr<const transport::EgressPolicy> egress;
    const Clock &clock;
    Random &random;
    const Log &log;
    Audit &audit;
    Metrics &metrics;
    RunTurns &turns;
  };
  Transfers(Tools tools, TransferPolicy policy);
  ~Transfers();
  Transfers(const Transfers &) = delete;
  Transfers &operator=(const Transfers &) = delete;

  /// `runner` runs what has to be run; it must outlive this. Also takes up what a crash interrupted.
  void start(JobRunner &runner);
  void stop(); ///< idempotent; breaks off what runs, to go on after the next start

  /// The row that runs and delivers `work` for `owner`, due now; the caller inserts it (Transaction::insertTransfer)
  /// and then calls wake(). `messageId` is what its caller finds it by.
  [[nodiscard]] storage::TransferRow rowFor(TransferWork work, const std::string &owner, const std::string &operation,
                                            const std::string &messageId) const;
  /// Something has been inserted.
  void wake();

  /// As it stands, with what the running attempt has done so far.
  [[nodiscard]] Transfer describe(const storage::TransferRow &row) const;
  [[nodiscard]] Job describeJob(const storage::TransferRow &row) const;
  /// The row as it is once it has been cancelled; the caller writes it (Transaction::updateTransfer).
  [[nodiscard]] storage::TransferRow cancelled(storage::TransferRow row) const;
  /// After that: breaks off the attempt that runs.
  void interrupt(const storage::TransferRow &row);
  /// Forgets those that ended long ago; returns how many.
  std::size_t prune();

private:
  struct Running {
    std::string id; ///< of the attempt
    JobPhase phase = JobPhase::Delivery;
    std::string peer;
    std::string principal;                ///< as in Claim
    std::unique_ptr<RunTurns::Turn> turn; ///< of a run
    LogTail log;                          ///< of a run
    std::atomic<bool> cancelled{false};
    std::shared_ptr<std::atomic<std::uint64_t>> done = std::make_shared<std::atomic<std::uint64_t>>(0);
  };
  /// What a look at the queue has seen.
  struct Look {
    std::uint64_t seen = 0; ///< changes_
    Time at;
  };

  [[nodiscard]] static std::string peerOf(const std::string &address);
  void deliverAll(const std::stop_token &stop);
  void fetchAll(const std::stop_token &stop);
  void runAll(const std::stop_token &stop);
  /// Does `work` with whatever of that phase is due, over and over.
  void serve(const std::stop_token &stop, JobPhase phase, std::shared_ptr<Running> &running,
             const std::function<void(storage::TransferRow)> &work);
  [[nodiscard]] std::optional<storage::TransferRow> pick(JobPhase phase, std::shared_ptr<Running> &running, Look &look);
  [[nodiscard]] const storage::TransferRow *pickForThread(const std::vector<storage::TransferRow> &due, JobPhase phase,
                                                          std::size_t threads) const;
  [[nodiscard]] const storage::TransferRow *pickRun(const std::vector<storage::TransferRow> &due,
                                                    std::unique_ptr<RunTurns::Turn> &turn) const;
  void wait(const std::stop_token &stop, const Look &look);
  class Ending;
  void release(const storage::TransferRow &row, Running &running) noexcept;
  void forget(const TransferWork &work);
  void guarded(storage::TransferRow row, const std::function<void(storage::TransferRow)> &work);
  [[nodiscard]] bool mayBegin(const storage::TransferRow &row) const;
  [[nodiscard]] std::size_t fetchers() const;
  void deliver(Courier &courier, storage::TransferRow row, const Running &running);
  [[nodiscard]] bool begun(storage::TransferRow &row);
  [[nodiscard]] static std::function<void()> checkOf(const Running &running, const std::stop_token &stop);
  void fetchInputs(storage::TransferRow row, const Running &running, const std::stop_token &stop);
  void runProgram(storage::TransferRow row, Running &running, const std::stop_token &stop);
  void notRun(storage::TransferRow row, const TransferWork &work, const Fault &fault);
  void delivering(storage::TransferRow &row, const TransferWork &delivery) const;
  void finish(storage::TransferRow row, TransferWork work, const Delivered &delivered, std::uint64_t done);
  [[nodiscard]] std::optional<storage::TransferRow> notice(const storage::TransferRow &row, const TransferWork &work,
                                                           const Fault &fault) const;
  void record(const storage::TransferRow &row, const TransferWork &work, const Delivered &delivered);
  [[nodiscard]] bool write(const storage::TransferRow &row, storage::Durability durability);

  Tools tools_;
  TransferPolicy policy_;
  JobRunner *runner_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable_any due_;
  std::map<std::string, std::shared_ptr<Running>> running_; ///< by the row's id; guarded by mutex_
  std::map<JobPhase, Shares> shares_{
      {JobPhase::Inputs, {}}, {JobPhase::Run, {}}, {JobPhase::Delivery, {}}}; ///< of threads; guarded by mutex_
  std::uint64_t changes_ = 0;                                                 ///< guarded by mutex_
  std::vector<std::jthread> threads_;
};

} // namespace waybill::services
