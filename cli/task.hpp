// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/fault.hpp"
#include "domain/transfer.hpp"
#include "services/remote_instance.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::cli {

/// What an instance does without its caller waiting for it, a transfer or a job, as it is shown to people.
struct Task {
  std::string id; ///< MessageID of the request that began it
  TransferState state = TransferState::Queued;
  std::string detail; ///< what more there is to say of the state: bytes, the phase
  std::uint32_t attempts = 0;
  std::string priority; ///< empty: of what no caller gives one
  Time started;
  std::string way; ///< from what, to where
  std::optional<std::string> lastError;
  std::vector<std::pair<std::string, std::string>> fields; ///< all that is known, with its names
  std::string log;                                         ///< of a program
  std::string step;                                        ///< differs when there is news worth a line
  nlohmann::ordered_json json;
};

/// A kind of them, and how an instance is asked about it. `list` calls `each` for the caller's, the newest first; of
/// one state, when that is given. `show` and `cancel` throw Fault NoSuchTransfer.
struct TaskKind {
  const char *noun;    ///< "transfer"
  const char *command; ///< "transfers"
  const char *detail;  ///< the title of Task::detail
  const char *way;     ///< the title of Task::way
  using Each = std::function<void(const Task &)>;
  std::function<void(services::RemoteInstance &, std::optional<TransferState>, const Each &each)> list;
  std::function<Task(services::RemoteInstance &, const std::string &id)> show;
  std::function<Task(services::RemoteInstance &, const std::string &id)> cancel;
};

/// Tasks for people to read: a line of titles, a line each, and below it what it failed for last. Fit for a terminal.
[[nodiscard]] std::string taskTable(const TaskKind &kind, const std::vector<Task> &tasks, Time now);
/// All that is known of one.
[[nodiscard]] std::string taskBlock(const Task &task);
/// One line, when there is news.
[[nodiscard]] std::string taskLine(const Task &task);

/// The data of a receipt as fields.
void addReceipt(Task &task, const std::vector<Data> &receipt);

/// "urn:uuid:..." as people write it: without that; and back.
[[nodiscard]] std::string shortId(const std::string &messageId);
[[nodiscard]] std::string fullId(const std::string &shortId);

/// The last error of a transfer or a job as the fault that it was; nothing when there is none.
[[nodiscard]] std::optional<Fault> lastFault(const std::optional<std::string> &lastError);

} // namespace waybill::cli
