// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/catalog.hpp"
#include "storage/sql.hpp"

#include <memory>
#include <string>

namespace soci {
class session;
class soci_error;
} // namespace soci

namespace waybill::storage {

class SqlConnection;

/// What differs from one database to another; all else of the catalog is SQL that SQLite and PostgreSQL both
/// understand. The functions that take the writing connection are called by one thread at a time, the others by any.
class SqlDialect {
public:
  virtual ~SqlDialect() = default;

  /// Throw Fault naming the database when it cannot be opened.
  [[nodiscard]] virtual std::unique_ptr<soci::session> openWriter() = 0;
  [[nodiscard]] virtual std::unique_ptr<soci::session> openReader() const = 0;

  /// Begins a transaction that shuts out other writers, and whose commit is as durable as asked.
  virtual void begin(SqlConnection &writer, Durability durability) = 0;
  /// False when the database has given up the transaction by itself.
  [[nodiscard]] virtual bool inTransaction(SqlConnection &writer) const = 0;
  /// Upkeep between transactions. Throws DatabaseFault.
  virtual void afterCommit(SqlConnection &writer) = 0;
  /// Called once, after an I/O error, when nothing is written any more: sees to it that a commit that was reported as
  /// failed stays so after a restart. Returns what could not be done, or nothing.
  [[nodiscard]] virtual std::string voidFailedCommit(SqlConnection &writer) noexcept = 0;

  /// What an error of the database means; `attempted` is the statement.
  [[nodiscard]] virtual DatabaseFault explain(soci::session &session, const soci::soci_error &error,
                                              const char *attempted) const = 0;
};

} // namespace waybill::storage
