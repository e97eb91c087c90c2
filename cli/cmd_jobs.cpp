// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/remote_jobs.hpp"
#include "cli/task_command.hpp"

#include <memory>

namespace waybill::cli {

namespace {

Task asTask(const Job &job) {
  const std::string state(name(job.state));
  const std::string phase(name(job.phase));
  Task task;
  task.id = job.id;
  task.state = job.state;
  task.detail = phase;
  task.attempts = job.attempts;
  task.priority = job.priority ? std::to_string(*job.priority) : "";
  task.started = job.started;
  task.way = job.algorithm + " -> " + job.destination;
  if (job.lastError) { // what follows the first line is the log, and the end of that line says so
    const auto line = job.lastError->find('\n');
    task.lastError = job.lastError->substr(0, line == std::string::npos ? line : job.lastError->rfind("; ", line));
  }
  task.log = job.log;
  task.step = state + " " + phase;
  task.json = toJson(job);
  task.fields = {{"id", job.id},
                 {"algorithm", job.algorithm},
                 {"owner", job.owner},
                 {"state", state},
                 {"phase", phase},
                 {"attempts", std::to_string(job.attempts)},
                 {"priority", task.priority},
                 {"last error", task.lastError.value_or("")},
                 {"exit status", job.exitStatus ? std::to_string(*job.exitStatus) : ""},
                 {"started", formatUtc(job.started)},
                 {"ended", job.ended ? formatUtc(*job.ended) : ""},
                 {"destination", job.destination}};
  addReceipt(task, job.receipt);
  return task;
}

TaskKind jobs() {
  return {"job",
          "jobs",
          "PHASE",
          "ALGORITHM -> DESTINATION",
          [](services::RemoteInstance &remote, std::optional<TransferState> state, const TaskKind::Each &each) {
            listJobs(remote, state, [&](const Job &job) { each(asTask(job)); });
          },
          [](services::RemoteInstance &remote, const std::string &id) { return asTask(jobOf(remote, id)); },
          [](services::RemoteInstance &remote, const std::string &id) {
            return asTask(remote.call(CancelJobRequest{id}).message.job);
          }};
}

} // namespace

void addJobs(CLI::App &app, Work &work) {
  auto options = std::make_shared<TaskOptions>();
  auto *command = app.add_subcommand("jobs", "list, watch, show and cancel algorithms that run without their caller");
  addTaskOptions(*command, jobs(), *options);
  command->footer(
      "A job is an algorithm whose results go to an instance (waybill run ... -o ALIAS:/path/); its ID is that of the "
      "request that asked for it. In the phase Inputs what it reads\n"
      "is fetched; in the phase Run its program waits or runs, once; in the phase Delivery its results are sent until "
      "they have arrived. 'show' has the end of what the program\n"
      "printed. Cancelling kills the program. "
      "Jobs can be asked about for a week after their end.\n\n"
      "Example:\n  waybill jobs lab --state failed\n  waybill jobs lab --watch\n  waybill jobs show lab "
      "0b7c6a1e-6d3f-4c1f-9a53-1d2a0a2f7c11\n  waybill jobs cancel lab 0b7c6a1e-6d3f-4c1f-9a53-1d2a0a2f7c11");
  command->callback(
      [options, &work] { work = [options](Context &context) { return runTasks(jobs(), *options, context); }; });
}

} // namespace waybill::cli
