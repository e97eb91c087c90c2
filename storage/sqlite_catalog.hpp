// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/sql_catalog.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace waybill::storage {

/// What openSqliteCatalog takes as given.
struct SqliteSettings {
  std::chrono::milliseconds busyTimeout{10'000}; ///< how long to wait for another process's transaction
  std::size_t readers = 8;                       ///< reading connections at most
  int checkpointPages = 1000; ///< pages in the write-ahead log after which it is copied into the database
};

/// See openSqliteCatalog.
[[nodiscard]] std::unique_ptr<SqlCatalog> openSqliteCatalog(const std::string &path, const Clock &clock,
                                                            const SqliteSettings &settings);

} // namespace waybill::storage
