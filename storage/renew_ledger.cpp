// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/renew_ledger.hpp"

#include "domain/fault.hpp"
#include "storage/home_lock.hpp"
#include "storage/sql_transaction.hpp"

#include <filesystem>

namespace waybill::storage {

Time renewLedger(const std::string &home, const Clock &clock) {
  const auto file = home + "/catalog.sqlite";
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) {
    throw Fault(FaultCode::Internal, "there is no catalog to renew the ledger of; check the home's name", file);
  }
  const HomeLock lock(home);
  const auto catalog = openSqliteCatalog(file, clock);
  // Claims are in whole seconds, so a token of this second could not be told from one that is older than the ledger.
  const Time birth = std::chrono::floor<std::chrono::seconds>(clock.now()) + std::chrono::seconds(1);
  catalog->commit(Durability::Durable,
                  [&](Transaction &transaction) { dynamic_cast<SqlTransaction &>(transaction).renewLedger(birth); });
  return birth;
}

} // namespace waybill::storage
