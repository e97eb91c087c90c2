// SPDX-License-Identifier: GPL-3.0-or-later
// Transfers: what has to be fetched and run before it can be delivered.
#include "services/data_resolver.hpp"
#include "services/interrupted.hpp"
#include "services/transfers.hpp"
#include "soap/codec.hpp"

namespace waybill::services {

void Transfers::fetchAll(const std::stop_token &stop) {
  std::shared_ptr<Running> running;
  serve(stop, JobPhase::Inputs, running,
        [&](storage::TransferRow row) { fetchInputs(std::move(row), *running, stop); });
}

void Transfers::runAll(const std::stop_token &stop) {
  std::shared_ptr<Running> running;
  serve(stop, JobPhase::Run, running, [&](storage::TransferRow row) { runProgram(std::move(row), *running, stop); });
}

/// Turns the row of a run into that of its delivery, due now.
void Transfers::delivering(storage::TransferRow &row, const TransferWork &delivery) const {
  row.phase = JobPhase::Delivery;
  row.state = TransferState::Queued;
  row.attempts = 0;
  row.nextAttempt = tools_.clock.now();
  row.peer = peerOf(delivery.to.address);
  for (const auto &part : delivery.parts) {
    row.bytesTotal += part.size;
  }
  row.work = print(delivery);
}

std::function<void()> Transfers::checkOf(const Running &running, const std::stop_token &stop) {
  return [&] {
    if (stop.stop_requested() || running.cancelled) {
      throw Interrupted();
    }
  };
}

void Transfers::fetchInputs(storage::TransferRow row, const Running &running, const std::stop_token &stop) {
  if (!begun(row)) {
    return;
  }
  const auto work = parseTransferWork(row.work);
  const auto save = [&] {
    if (!write(row, storage::Durability::Durable)) {
      throw Interrupted(); // cancelled meanwhile
    }
  };
  try {
    runner_->fetch(work, row.principal, checkOf(running, stop), [&](const TransferWork &further) {
      row.work = print(further);
      save();
    });
    row.phase = JobPhase::Run;
    row.state = TransferState::Queued;
    row.attempts = 0;
    row.lastError.reset();
    row.nextAttempt = tools_.clock.now();
    save();
  } catch (const Fault &fault) {
    notRun(std::move(row), work, fault);
  }
}

/// The end of an attempt that brought no result.
void Transfers::notRun(storage::TransferRow row, const TransferWork &work, const Fault &fault) {
  const auto passes = mayPass(fault.code()) || dynamic_cast<const UnreachableData *>(&fault) != nullptr;
  finish(std::move(row), work, {passes ? Delivered::How::Again : Delivered::How::Refused, fault, {}, {}, false}, 0);
}

void Transfers::runProgram(storage::TransferRow row, Running &running, const std::stop_token &stop) {
  if (!begun(row)) {
    return;
  }
  const auto work = parseTransferWork(row.work);
  auto note = parseJobNote(row.job.value());
  try {
    auto run = row;
    runner_->run(work, row.principal, note, running.log, checkOf(running, stop),
                 [&](storage::Transaction &transaction, const TransferWork &delivery) {
                   row.job = print(note);
                   row.lastError.reset();
                   delivering(row, delivery);
                   if (!transaction.updateTransfer(row, std::nullopt)) {
                     throw Interrupted(); // cancelled meanwhile: nothing is kept
                   }
                 });
    run.state = TransferState::Succeeded;
    run.ended = tools_.clock.now();
    record(run, work, {});
  } catch (const Fault &fault) {
    row.job = print(note);
    notRun(std::move(row), work, fault);
  }
}

Job Transfers::describeJob(const storage::TransferRow &row) const {
  const auto note = parseJobNote(row.job.value());
  Job job;
  job.id = row.messageId;
  job.algorithm = note.algorithm;
  job.owner = row.principal;
  job.state = row.state;
  job.phase = row.phase;
  job.attempts = row.attempts;
  job.lastError = row.lastError;
  job.exitStatus = note.exitStatus;
  job.log = note.log;
  job.started = row.started;
  job.ended = row.ended;
  job.destination = row.destination;
  if (row.priority != receiptPriority) { // as that of one that was refused
    job.priority = row.priority;
  }
  if (row.receipt) {
    job.receipt = soap::decode<ReceiveResponse>(*row.receipt).data;
  }
  const std::lock_guard lock(mutex_);
  if (const auto found = running_.find(row.id); found != running_.end() && row.phase == JobPhase::Run) {
    job.log = found->second->log.text();
  }
  return job;
}

} // namespace waybill::services
