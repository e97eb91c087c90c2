// SPDX-License-Identifier: GPL-3.0-or-later
// Transfers: what has to be run before it can be delivered.
#include "services/data_resolver.hpp"
#include "services/interrupted.hpp"
#include "services/transfers.hpp"
#include "soap/codec.hpp"

namespace waybill::services {

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

void Transfers::runProgram(storage::TransferRow row, Running &running, const std::stop_token &stop) {
  row.state = TransferState::Active;
  ++row.attempts;
  if (!write(row, storage::Durability::Relaxed)) {
    return; // cancelled a moment ago
  }
  const auto work = parseTransferWork(row.work);
  auto note = parseJobNote(row.job.value());
  const auto check = [&] {
    if (stop.stop_requested() || running.cancelled) {
      throw Interrupted();
    }
  };
  try {
    auto run = row;
    const auto save = [&](const TransferWork &further) {
      row.work = print(further);
      if (!write(row, storage::Durability::Durable)) {
        throw Interrupted(); // cancelled meanwhile
      }
    };
    runner_->run(work, row.principal, note, running.log, check, save,
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
    const auto passes = mayPass(fault.code()) || dynamic_cast<const UnreachableData *>(&fault) != nullptr;
    finish(std::move(row), work, {passes ? Delivered::How::Again : Delivered::How::Refused, fault, {}, {}, false}, 0);
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
  job.priority = row.priority;
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
