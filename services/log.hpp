// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace waybill::services {

/// Structured lines on standard error: one JSON object each, with time, level, event and what the caller adds.
/// Thread-safe.
class Log {
public:
  /// Empty texts are left out.
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t>;
  using Fields = std::initializer_list<std::pair<std::string_view, Value>>;

  /// `level`: "debug", "info", "warning" or "error": the least severe that is written.
  explicit Log(std::string_view level);
  ~Log();
  Log(const Log &) = delete;
  Log &operator=(const Log &) = delete;

  void debug(std::string_view event, Fields fields = {}) const;
  void info(std::string_view event, Fields fields = {}) const;
  void warning(std::string_view event, Fields fields = {}) const;
  void error(std::string_view event, Fields fields = {}) const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One finished operation.
struct AuditRecord {
  Time time;
  std::string operation;
  std::string principal; ///< formatted, empty for callers that are not known
  std::string tokenId;
  std::string messageId;
  std::string remote;
  std::string outcome;               ///< "Success", "Receipt" (an earlier one given again), or a fault's code
  std::string reason;                ///< of a fault
  std::string undelivered;           ///< why the caller did not get the reply
  std::vector<std::string> subjects; ///< paths and ids
  std::uint64_t bytesIn = 0;
  std::uint64_t bytesOut = 0;
  std::chrono::microseconds took{};
};

/// The audit log: a file of JSON lines, appended to, one a line. Work goes on when it cannot be written: the lines
/// that are lost are told to `onLoss` and to whoever asks trouble(), and, by a line of its own, to the file as soon as
/// it takes lines again. Thread-safe.
class Audit {
public:
  /// Opens `file` for appending, mode 0600. Throws Fault Internal naming it. `onLoss` is called for each line that is
  /// lost, with the reason, by any thread.
  explicit Audit(const std::string &file, std::function<void(const std::string &reason)> onLoss = {});
  ~Audit();
  Audit(const Audit &) = delete;
  Audit &operator=(const Audit &) = delete;
  void write(const AuditRecord &record) noexcept;
  /// Why lines are being lost; empty when they are not. Tries the file first, after a loss.
  [[nodiscard]] std::string trouble();
  /// Opens the file by its name again (after it was rotated away). Throws Fault Internal.
  void reopen();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::services
