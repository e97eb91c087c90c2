// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/task.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace waybill::cli {

namespace {

constexpr std::string_view uuid = "urn:uuid:";
constexpr std::size_t columns = 7;
using Row = std::array<std::string, columns>;

Row rowOf(const Task &task, Time now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(std::max(now - task.started, Time::duration{}));
  return {shortId(task.id),
          std::string(name(task.state)),
          task.detail,
          std::to_string(task.attempts),
          task.priority.empty() ? "-" : task.priority,
          durationForPeople(age),
          task.way};
}

std::string line(const Row &row, const std::array<std::size_t, columns> &widths) {
  std::string text;
  for (std::size_t i = 0; i + 1 < columns; ++i) {
    text += padded(row[i], widths[i]) + "  ";
  }
  return forTerminal(text + row.back()) + "\n";
}

bool hasFailed(const Task &task) { return task.lastError && task.state != TransferState::Succeeded; }

} // namespace

std::string taskTable(const TaskKind &kind, const std::vector<Task> &tasks, Time now) {
  const Row titles{"ID", "STATE", kind.detail, "TRIES", "PRIO", "AGE", kind.way};
  std::vector<Row> rows{titles};
  std::array<std::size_t, columns> widths{};
  for (const auto &task : tasks) {
    rows.push_back(rowOf(task, now));
  }
  for (const auto &row : rows) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  auto text = line(titles, widths);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    text += line(rows[i + 1], widths);
    if (hasFailed(tasks[i])) {
      text += "  " + forTerminal(*tasks[i].lastError) + "\n";
    }
  }
  return text;
}

std::string taskBlock(const Task &task) {
  std::string text;
  for (const auto &[name, value] : task.fields) {
    text += field(name, value);
  }
  return task.log.empty() ? text : text + "log\n" + linesForTerminal(task.log, "  ");
}

std::string taskLine(const Task &task) {
  auto text = shortId(task.id) + "  " + std::string(name(task.state)) + "  " + task.detail + "  " + task.way;
  if (hasFailed(task)) {
    text += "  " + *task.lastError;
  }
  return forTerminal(text) + "\n";
}

void addReceipt(Task &task, const std::vector<Data> &receipt) {
  for (const auto &data : receipt) {
    task.fields.emplace_back("stored", data.path.value_or("") + (data.id ? "  " + *data.id : ""));
  }
}

std::string shortId(const std::string &messageId) {
  return messageId.starts_with(uuid) ? messageId.substr(uuid.size()) : messageId;
}

std::string fullId(const std::string &shortId) {
  return shortId.find(':') == std::string::npos ? std::string(uuid) + shortId : shortId;
}

std::optional<Fault> lastFault(const std::optional<std::string> &lastError) {
  if (!lastError) {
    return std::nullopt;
  }
  // "Code: reason (subject)": Fault::what().
  const auto colon = lastError->find(": ");
  const auto code = faultCodeNamed(lastError->substr(0, colon));
  if (colon == std::string::npos || name(code) != lastError->substr(0, colon)) {
    return Fault(FaultCode::Internal, *lastError);
  }
  return Fault(code, lastError->substr(colon + 2));
}

} // namespace waybill::cli
