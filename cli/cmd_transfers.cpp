// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/remote_transfers.hpp"
#include "cli/task_command.hpp"

#include <memory>

namespace waybill::cli {

namespace {

std::string bytes(const Transfer &transfer) {
  return transfer.bytesDone == transfer.bytesTotal
             ? sizeForPeople(transfer.bytesTotal)
             : sizeForPeople(transfer.bytesDone) + " of " + sizeForPeople(transfer.bytesTotal);
}

std::string way(const Transfer &transfer) {
  auto text = transfer.sources.empty() ? transfer.operation : transfer.sources.front();
  if (transfer.sources.size() > 1) {
    text += " and " + std::to_string(transfer.sources.size() - 1) + " more";
  }
  return text + " -> " + transfer.destination;
}

Task asTask(const Transfer &transfer) {
  Task task;
  task.id = transfer.messageId;
  task.state = transfer.state;
  task.detail = bytes(transfer);
  task.attempts = transfer.attempts;
  task.priority = transfer.priority ? std::to_string(*transfer.priority) : "";
  task.started = transfer.started;
  task.way = way(transfer);
  task.lastError = transfer.lastError;
  task.step = name(transfer.state);
  task.json = toJson(transfer);
  task.fields = {{"id", transfer.messageId},
                 {"operation", transfer.operation},
                 {"owner", transfer.owner},
                 {"state", std::string(name(transfer.state))},
                 {"bytes", task.detail},
                 {"attempts", std::to_string(transfer.attempts)},
                 {"priority", task.priority},
                 {"last error", transfer.lastError.value_or("")},
                 {"started", formatUtc(transfer.started)},
                 {"ended", transfer.ended ? formatUtc(*transfer.ended) : ""},
                 {"destination", transfer.destination}};
  for (const auto &source : transfer.sources) {
    task.fields.emplace_back("source", source);
  }
  addReceipt(task, transfer.receipt);
  return task;
}

TaskKind transfers() {
  return {"transfer",
          "transfers",
          "BYTES",
          "SOURCE -> DESTINATION",
          [](services::RemoteInstance &remote, std::optional<TransferState> state, const TaskKind::Each &each) {
            listTransfers(remote, state, [&](const Transfer &transfer) { each(asTask(transfer)); });
          },
          [](services::RemoteInstance &remote, const std::string &id) { return asTask(transferOf(remote, id)); },
          [](services::RemoteInstance &remote, const std::string &id) {
            return asTask(remote.call(CancelTransferRequest{id}).message.transfer);
          }};
}

} // namespace

void addTransfers(CLI::App &app, Work &work) {
  auto options = std::make_shared<TaskOptions>();
  auto *command = app.add_subcommand("transfers", "list, watch, show and cancel what instances send to one another");
  addTaskOptions(*command, transfers(), *options);
  command->footer(
      "A transfer is what an instance was asked to send to another; its ID is that of the request that asked for it. "
      "It is tried again until it arrives or its time is over\n"
      "(transfers.deadline there), and can be asked about for a week after its end. --watch with --json prints an "
      "object a line for each change, and with a pipe a line.\n\n"
      "Example:\n  waybill transfers lab --state failed\n  waybill transfers lab --watch\n  waybill transfers cancel "
      "0b7c6a1e-6d3f-4c1f-9a53-1d2a0a2f7c11");
  command->callback(
      [options, &work] { work = [options](Context &context) { return runTasks(transfers(), *options, context); }; });
}

} // namespace waybill::cli
