// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/housekeeping.hpp"

#include "domain/fault.hpp"

#include <chrono>

namespace waybill::services {

Housekeeping::Housekeeping(DataManager &manager, security::Ledger &ledger, Transfers &transfers, const Clock &clock,
                           const Log &log)
    : manager_(manager), ledger_(ledger), transfers_(transfers), clock_(clock), log_(log) {}

Housekeeping::~Housekeeping() { stop(); }

void Housekeeping::start() {
  thread_ = std::jthread([this](const std::stop_token &stop) { run(stop); });
}

void Housekeeping::stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Housekeeping::run(const std::stop_token &stop) {
  while (!stop.stop_requested()) {
    round();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, std::chrono::minutes(1), [] { return false; });
  }
}

void Housekeeping::round() {
  try {
    const auto tokens = ledger_.prune(clock_.now());
    std::size_t objects = 0;
    while (const auto removed = manager_.removeExpired()) {
      objects += removed;
    }
    const auto transfers = transfers_.prune();
    if (tokens + objects + transfers != 0) {
      log_.info("housekeeping", {{"tokens_forgotten", std::to_string(tokens)},
                                 {"objects_expired", std::to_string(objects)},
                                 {"transfers_forgotten", std::to_string(transfers)}});
    }
  } catch (const std::exception &error) {
    log_.error("housekeeping", {{"reason", error.what()}});
  }
}

} // namespace waybill::services
