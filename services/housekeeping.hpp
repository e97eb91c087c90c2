// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "security/ledger.hpp"
#include "services/data_manager.hpp"
#include "services/log.hpp"
#include "services/transfers.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace waybill::services {

/// Once a minute: forgets tokens whose time is over and transfers that ended long ago, and removes expired
/// data. A thread of its own between start() and
/// stop().
class Housekeeping {
public:
  /// All must outlive this.
  Housekeeping(DataManager &manager, security::Ledger &ledger, Transfers &transfers, const Clock &clock,
               const Log &log);
  ~Housekeeping();
  Housekeeping(const Housekeeping &) = delete;
  Housekeeping &operator=(const Housekeeping &) = delete;
  void start();
  void stop(); ///< idempotent; waits for the round that is running

private:
  void run(const std::stop_token &stop);
  void round();

  DataManager &manager_;
  security::Ledger &ledger_;
  Transfers &transfers_;
  const Clock &clock_;
  const Log &log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

} // namespace waybill::services
