// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace waybill::services {

/// Counters for Prometheus (text exposition format 0.0.4). Thread-safe.
class Metrics {
public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics &) = delete;
  Metrics &operator=(const Metrics &) = delete;

  /// One finished operation: its name, "Success" or a fault's code, how long it took, bytes of content in and out.
  void operation(const std::string &name, const std::string &outcome, std::chrono::microseconds took,
                 std::uint64_t bytesIn, std::uint64_t bytesOut);
  /// A request that was turned away before any operation ("busy", "timeout", ...).
  void refused(const std::string &reason);
  /// A line that the audit log could not take.
  void auditLost();
  void connections(std::int64_t idle, std::int64_t active);
  /// State read at the moment of the scrape.
  void store(bool readOnly, std::uint64_t freeBytes);
  [[nodiscard]] std::string text() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::services
