// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/transfers.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/interrupted.hpp"
#include "soap/codec.hpp"
#include "transport/url.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

/// Ends an attempt in which no content has moved for a minute.
class ProgressWatch {
public:
  void check(std::uint64_t done, const std::string &attempt) {
    static constexpr std::chrono::seconds patience{60};
    const auto now = std::chrono::steady_clock::now();
    if (done != done_ || attempt != attempt_) {
      done_ = done;
      attempt_ = attempt;
      since_ = now;
    } else if (now - since_ > patience) {
      attempt_.clear();
      throw transport::DeliveryFault("the receiver has taken nothing and said nothing for " +
                                         std::to_string(patience.count()) + " seconds; see how it is",
                                     {}, true);
    }
  }

private:
  std::uint64_t done_ = 0;
  std::string attempt_;
  std::chrono::steady_clock::time_point since_;
};

/// With what was tried, where there were several ways.
std::string toldOf(const Fault &fault) {
  std::string told = fault.what();
  for (const auto &tried : fault.tried()) {
    told += "; tried " + tried;
  }
  return told;
}

} // namespace

Transfers::Transfers(Tools tools, TransferPolicy policy) : tools_(std::move(tools)), policy_(policy) {}

Transfers::~Transfers() { stop(); }

std::string Transfers::peerOf(const std::string &address) {
  const auto parts = transport::partsOf(address);
  return parts.host + ":" + std::to_string(parts.port);
}

void Transfers::start(JobRunner &runner) {
  runner_ = &runner;
  std::size_t interrupted = 0;
  tools_.catalog.commit(storage::Durability::Relaxed, [&](storage::Transaction &transaction) {
    interrupted = transaction.requeueActiveTransfers(tools_.clock.now());
  });
  if (interrupted != 0) {
    tools_.log.info("transfers taken up", {{"count", std::uint64_t{interrupted}}});
  }
  for (std::size_t i = 0; i < policy_.active; ++i) {
    threads_.emplace_back([this](const std::stop_token &stop) { deliverAll(stop); });
  }
  for (std::size_t i = 0; i < fetchers(); ++i) {
    threads_.emplace_back([this](const std::stop_token &stop) { fetchAll(stop); });
  }
  // One more than may run: there is always one that tells the turns what waits, so that no caller overtakes it.
  for (std::size_t i = 0; i < tools_.turns.active() + 1; ++i) {
    threads_.emplace_back([this](const std::stop_token &stop) { runAll(stop); });
  }
}

void Transfers::stop() {
  for (auto &thread : threads_) {
    thread.request_stop();
  }
  threads_.clear();
  (void)tools_.turns.take({}); // callers wait for nothing of this any more
}

storage::TransferRow Transfers::rowFor(TransferWork work, const std::string &owner, const std::string &operation,
                                       const std::string &messageId) const {
  const auto bytes = work.content ? work.content->bytes : 0;
  storage::TransferRow row;
  if (work.content && work.content->attach != Attach::Reference && policy_.leaseFrom != 0 &&
      bytes >= policy_.leaseFrom) {
    work.lease = randomId(tools_.random) + randomId(tools_.random);
  }
  row.id = work.run ? work.job : randomId(tools_.random);
  row.principal = owner;
  row.messageId = messageId;
  row.operation = operation;
  row.bytesTotal = bytes;
  row.started = tools_.clock.now();
  row.nextAttempt = row.started;
  row.deadline = row.started + policy_.deadline;
  row.priority = work.run ? work.run->priority : work.content ? work.content->priority : receiptPriority;
  row.peer = peerOf(work.to.address);
  if (work.run) {
    row.phase = work.run->complete ? JobPhase::Run : JobPhase::Inputs;
    row.peer.clear();
    row.job = print(JobNote{work.run->algorithm, std::nullopt, {}});
  }
  if (work.content) {
    std::transform(work.content->items.begin(), work.content->items.end(), std::back_inserter(row.sources),
                   [](const auto &item) { return item.name; });
  }
  row.destination = work.to.address;
  row.work = print(work);
  return row;
}

void Transfers::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++changes_;
  }
  due_.notify_all();
}

/// Until something changes, or what was not due at `look` is. What was due then and could not run has to wait for a
/// change.
void Transfers::wait(const std::stop_token &stop, const Look &look) {
  static constexpr std::chrono::microseconds longest = std::chrono::minutes(1);
  auto pause = longest;
  if (const auto next = tools_.catalog.nextTransferDue(look.at)) {
    pause = std::clamp(*next - tools_.clock.now(), std::chrono::microseconds(0), longest);
  }
  std::unique_lock lock(mutex_);
  due_.wait_for(lock, stop, pause, [&] { return changes_ != look.seen; });
}

void Transfers::deliverAll(const std::stop_token &stop) {
  std::shared_ptr<Running> running;
  ProgressWatch watch;
  transport::ClientOptions options;
  options.guard = tools_.egress;
  // While the receiver pulls from a lease nothing moves on this connection: what counts is the content.
  options.stallDeadline = std::chrono::hours(24);
  options.whileWaiting = [&] {
    if (stop.stop_requested() || (running && running->cancelled)) {
      throw Interrupted();
    }
    if (running) {
      watch.check(*running->done, running->id);
    }
  };
  Courier courier(tools_.courier, std::move(options));
  serve(stop, JobPhase::Delivery, running,
        [&](storage::TransferRow row) { deliver(courier, std::move(row), *running); });
}

/// The end of an attempt, however it came.
class Transfers::Ending {
public:
  Ending(Transfers &transfers, const storage::TransferRow &row, Running &running)
      : transfers_(transfers), row_(row), running_(running) {}
  ~Ending() { transfers_.release(row_, running_); }
  Ending(const Ending &) = delete;
  Ending &operator=(const Ending &) = delete;

private:
  Transfers &transfers_;
  const storage::TransferRow &row_;
  Running &running_;
};

void Transfers::release(const storage::TransferRow &row, Running &running) noexcept {
  try {
    {
      const std::lock_guard lock(mutex_);
      running_.erase(row.id);
      shares_.at(running.phase).end(running.principal);
    }
    running.turn.reset();
    if (running.cancelled) { // which is set only while it is in running_
      forget(parseTransferWork(row.work));
    }
    wake();
  } catch (const std::exception &error) {
    tools_.log.error("transfers", {{"reason", error.what()}});
  }
}

void Transfers::serve(const std::stop_token &stop, JobPhase phase, std::shared_ptr<Running> &running,
                      const std::function<void(storage::TransferRow)> &work) {
  while (!stop.stop_requested()) {
    try {
      Look look;
      if (auto row = pick(phase, running, look)) {
        const Ending ending(*this, *row, *running);
        guarded(*row, work);
      } else {
        wait(stop, look);
      }
    } catch (const std::exception &error) {
      tools_.log.error("transfers", {{"reason", error.what()}});
      std::unique_lock lock(mutex_);
      due_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
    }
  }
}

/// Does `work` with the row, and puts it off when that fails by no fault of the transfer's.
void Transfers::guarded(storage::TransferRow row, const std::function<void(storage::TransferRow)> &work) {
  try {
    work(row);
  } catch (const Interrupted &) { // NOLINT(bugprone-empty-catch)
    // Cancelled, and so written down already, or to be taken up by the next start.
  } catch (const std::exception &error) {
    tools_.log.error("transfer", {{"id", row.id}, {"reason", error.what()}});
    row.state = TransferState::Queued;
    row.lastError = std::string("this instance failed while it worked on the transfer; its log says why");
    row.nextAttempt = tools_.clock.now() + policy_.longestPause;
    (void)write(row, storage::Durability::Relaxed);
  }
}

bool Transfers::write(const storage::TransferRow &row, storage::Durability durability) {
  auto written = false;
  tools_.catalog.commit(
      durability, [&](storage::Transaction &transaction) { written = transaction.updateTransfer(row, std::nullopt); });
  return written;
}

/// False when it was cancelled a moment ago.
bool Transfers::begun(storage::TransferRow &row) {
  row.state = TransferState::Active;
  ++row.attempts;
  return write(row, storage::Durability::Relaxed);
}

void Transfers::deliver(Courier &courier, storage::TransferRow row, const Running &running) {
  if (!begun(row)) {
    return;
  }
  auto work = parseTransferWork(row.work);
  const auto caller = parsePrincipal(row.principal).value();
  const auto delivered = courier.deliver(work, caller, running.done);
  finish(std::move(row), std::move(work), delivered, *running.done);
}

void Transfers::finish(storage::TransferRow row, TransferWork work, const Delivered &delivered, std::uint64_t done) {
  const auto now = tools_.clock.now();
  row.bytesDone = std::min(done, row.bytesTotal);
  row.lastError = delivered.fault ? std::optional(toldOf(*delivered.fault)) : std::nullopt;
  if (delivered.how == Delivered::How::Arrived) {
    row.state = TransferState::Succeeded;
    row.bytesDone = row.bytesTotal;
    row.receipt = delivered.receipt.empty() ? std::nullopt : std::optional(delivered.receipt);
  } else {
    const auto doubled = policy_.firstPause * (1U << std::min(row.attempts - 1, 20U));
    auto pause = std::max(std::min<std::chrono::seconds>(doubled, policy_.longestPause), delivered.notBefore);
    if (delivered.withoutLease) {
      pause = {};
      tools_.courier.leases.end(work.lease);
      work.lease.clear();
      row.work = print(work);
    }
    row.nextAttempt = now + pause;
    row.state = delivered.how == Delivered::How::Again && row.nextAttempt < row.deadline ? TransferState::Queued
                                                                                         : TransferState::Failed;
  }
  if (!isFinal(row.state)) {
    if (delivered.withoutLease) {
      row.lastError.reset(); // nothing has failed: the receiver wants the content attached
    }
    if (!write(row, storage::Durability::Relaxed)) {
      tools_.courier.leases.end(work.lease);
    }
    return;
  }
  row.ended = now;
  auto written = false;
  const auto told = row.state == TransferState::Failed ? notice(row, work, *delivered.fault) : std::nullopt;
  tools_.catalog.commit(storage::Durability::Durable, [&](storage::Transaction &transaction) {
    written = transaction.updateTransfer(row, std::nullopt);
    if (written && told && !transaction.insertTransfer(*told)) {
      throw Fault(FaultCode::Internal, "two messages of this instance have one MessageID", told->messageId);
    }
  });
  forget(work);
  if (written) {
    record(row, work, delivered);
  }
}

/// Tells whom the caller named for faults that the transfer has failed.
std::optional<storage::TransferRow> Transfers::notice(const storage::TransferRow &row, const TransferWork &work,
                                                      const Fault &fault) const {
  // A program that fails is answered as the call would have been: at its fault endpoint, else where its reply goes.
  const auto endpoint = row.phase == JobPhase::Delivery ? work.faultTo : work.faultTo.value_or(work.to);
  if (!endpoint) {
    return std::nullopt;
  }
  const auto told = faultWork(fault, *endpoint, work.version, work.relatesTo, work.transfer, tools_.random);
  return rowFor(told, row.principal, row.operation, told.messageId);
}

void Transfers::record(const storage::TransferRow &row, const TransferWork &work, const Delivered &delivered) {
  const auto outcome = delivered.fault ? std::string(name(delivered.fault->code())) : std::string("Success");
  const auto took = *row.ended - row.started;
  const auto reason = row.lastError.value_or("");
  const auto destination = transport::printableUrl(row.destination);
  const auto *const what = row.phase == JobPhase::Delivery ? "Transfer" : "Run";
  tools_.metrics.operation(what, outcome, took, 0, row.bytesDone);
  tools_.log.info("transfer", {{"phase", name(row.phase)},
                               {"state", name(row.state)},
                               {"principal", row.principal},
                               {"message_id", row.messageId},
                               {"destination", destination},
                               {"attempts", std::uint64_t{row.attempts}},
                               {"reason", reason},
                               {"cause", delivered.fault ? delivered.fault->log().forLog() : std::string()}});
  tools_.audit.write({row.started,
                      what,
                      row.principal,
                      {},
                      work.transfer,
                      destination,
                      outcome,
                      reason,
                      {},
                      row.sources,
                      0,
                      row.bytesDone,
                      took});
}

Transfer Transfers::describe(const storage::TransferRow &row) const {
  Transfer transfer;
  transfer.messageId = row.messageId;
  transfer.operation = row.operation;
  transfer.owner = row.principal;
  transfer.state = row.state;
  transfer.bytesDone = row.bytesDone;
  transfer.bytesTotal = row.bytesTotal;
  transfer.attempts = row.attempts;
  transfer.lastError = row.lastError;
  transfer.started = row.started;
  transfer.ended = row.ended;
  transfer.sources = row.sources;
  transfer.destination = row.destination;
  if (row.priority != receiptPriority) {
    transfer.priority = row.priority;
  }
  if (row.receipt) {
    transfer.receipt = soap::decode<ReceiveResponse>(*row.receipt).data;
  }
  if (!isFinal(row.state)) {
    const std::lock_guard lock(mutex_);
    if (const auto found = running_.find(row.id); found != running_.end()) {
      transfer.bytesDone = std::min<std::uint64_t>(*found->second->done, row.bytesTotal);
    }
  }
  return transfer;
}

storage::TransferRow Transfers::cancelled(storage::TransferRow row) const {
  if (row.job) {
    auto note = parseJobNote(*row.job);
    note.log = describeJob(row).log; // of the program that runs
    row.job = print(note);
  }
  row.state = TransferState::Cancelled;
  row.ended = tools_.clock.now();
  return row;
}

void Transfers::interrupt(const storage::TransferRow &row) {
  const auto work = row.work.empty() ? TransferWork() : parseTransferWork(row.work);
  tools_.courier.leases.end(work.lease);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = running_.find(row.id); found != running_.end()) {
      found->second->cancelled = true; // its thread does the rest
      return;
    }
  }
  forget(work);
}

/// A transfer has ended: what was kept for it goes.
void Transfers::forget(const TransferWork &work) {
  tools_.courier.leases.end(work.lease);
  if (!work.job.empty()) {
    runner_->forget(work.job);
  }
}

std::size_t Transfers::prune() {
  std::size_t forgotten = 0;
  tools_.catalog.commit(storage::Durability::Relaxed, [&](storage::Transaction &transaction) {
    forgotten = transaction.pruneTransfers(tools_.clock.now() - policy_.keepEnded);
  });
  return forgotten;
}

} // namespace waybill::services
