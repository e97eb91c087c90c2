// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/algorithms/log_tail.hpp"
#include "services/transfer_work.hpp"
#include "storage/catalog.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace waybill::services {

/// What is known of a job's program (storage::TransferRow::job).
struct JobNote {
  std::string algorithm;
  std::optional<std::int32_t> exitStatus;
  std::string log; ///< the end of what it printed
  friend bool operator==(const JobNote &, const JobNote &) = default;
};
/// As JSON text.
[[nodiscard]] std::string print(const JobNote &note);
/// Throws Fault Internal for what print() did not write.
[[nodiscard]] JobNote parseJobNote(std::string_view text);

/// Runs what the queue has to run before it can be delivered. Thread-safe.
class JobRunner {
public:
  /// Part of the transaction that keeps what the program has made: given the message that is to be delivered now.
  using Commit = std::function<void(storage::Transaction &, const TransferWork &delivery)>;
  /// Writes down, durably, how far it has come: the work with which it goes on.
  using Save = std::function<void(const TransferWork &)>;

  virtual ~JobRunner() = default;
  /// Fetches what `work.run` needs and has not got yet, for `principal`, a formatted Principal. Calls `save` with what
  /// has come, also when this throws: Fault, and what `check` throws, which is called several times a second.
  virtual void fetch(const TransferWork &work, const std::string &principal, const std::function<void()> &check,
                     const Save &save) = 0;
  /// Runs `work.run`, which has all that it needs, and calls `commit` once it has succeeded. `note` is kept up to date,
  /// also when this throws, as fetch() does.
  virtual void run(const TransferWork &work, const std::string &principal, JobNote &note, LogTail &log,
                   const std::function<void()> &check, const Commit &commit) = 0;
  /// The job has ended: what is kept for it goes.
  virtual void forget(const std::string &job) noexcept = 0;
};

} // namespace waybill::services
