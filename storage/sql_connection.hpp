// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/sql.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <unordered_map>

namespace soci {
class session;
} // namespace soci

namespace waybill::storage {

class SqlDialect;
class SqlStatement;

/// A connection to the database and the statements prepared on it, each once. Used by one thread at a time.
///
/// Every error comes out as DatabaseFault. Text that not every database can keep (NUL, or not UTF-8) is refused with
/// Fault BadParameter by execute().
class SqlConnection {
public:
  /// `dialect` must outlive this.
  SqlConnection(std::unique_ptr<soci::session> session, const SqlDialect &dialect);
  ~SqlConnection();
  SqlConnection(SqlConnection &&) = delete;

  /// Runs a statement without result; returns how many rows it changed. `sql` must outlive this (the statements are
  /// constants).
  std::uint64_t execute(const Sql &sql, std::initializer_list<Parameter> parameters = {});
  /// Runs a statement to its end and hands over each row. The row is valid during the call alone.
  void query(const Sql &sql, std::initializer_list<Parameter> parameters,
             const std::function<void(const Row &)> &onRow);
  /// The first row's conversion, or nothing.
  template <class Convert> auto first(const Sql &sql, std::initializer_list<Parameter> parameters, Convert convert) {
    std::optional<decltype(convert(Row()))> found;
    query(sql, parameters, [&](const Row &row) {
      if (!found) {
        found = convert(row);
      }
    });
    return found;
  }
  /// All rows' conversions.
  template <class Convert> auto all(const Sql &sql, std::initializer_list<Parameter> parameters, Convert convert) {
    std::vector<decltype(convert(Row()))> found;
    query(sql, parameters, [&](const Row &row) { found.push_back(convert(row)); });
    return found;
  }

  /// The first failure that is not Other since clearFailure(): remembered here because whoever caught it may have gone
  /// on.
  [[nodiscard]] const std::optional<DatabaseFault> &failure() const noexcept { return failure_; }
  void clearFailure() noexcept { failure_.reset(); }
  /// For what only the dialect does.
  [[nodiscard]] soci::session &session() noexcept { return *session_; }
  /// Runs text that is not worth preparing, or must not be.
  void run(const char *sql);

private:
  SqlStatement &prepared(const Sql &sql);
  template <class Action> auto guarded(const Sql *sql, const char *text, Action action);

  const SqlDialect &dialect_;
  std::unique_ptr<soci::session> session_;
  std::unordered_map<const Sql *, std::unique_ptr<SqlStatement>> statements_;
  std::optional<DatabaseFault> failure_;
};

} // namespace waybill::storage
