// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sql_connection.hpp"

#include "domain/text.hpp"
#include "storage/sql_dialect.hpp"
#include "storage/sql_statement.hpp"

#include <soci/soci.h>

namespace waybill::storage {

namespace {

void requireStorable(std::initializer_list<Parameter> parameters) {
  for (const auto &parameter : parameters) {
    const auto *text = std::get_if<std::string_view>(&parameter);
    if (text != nullptr && (text->find('\0') != std::string_view::npos || !isUtf8(*text))) {
      throw Fault(FaultCode::BadParameter,
                  "the catalog keeps text in UTF-8 without NUL, and this is none; send it encoded so",
                  printable(*text));
    }
  }
}

} // namespace

SqlConnection::SqlConnection(std::unique_ptr<soci::session> session, const SqlDialect &dialect)
    : dialect_(dialect), session_(std::move(session)) {}

SqlConnection::~SqlConnection() = default;

SqlStatement &SqlConnection::prepared(const Sql &sql) {
  auto &statement = statements_[&sql];
  if (!statement) {
    statement = std::make_unique<SqlStatement>(*session_, sql);
  }
  return *statement;
}

template <class Action> auto SqlConnection::guarded(const Sql *sql, const char *text, Action action) {
  try {
    return action();
  } catch (const soci::soci_error &error) {
    // Before the statement is finished with: that would replace the error that the database remembers.
    DatabaseFault fault = dialect_.explain(*session_, error, text);
    statements_.erase(sql);
    if (!failure_ && fault.failure() != DatabaseFailure::Other) {
      failure_ = fault;
    }
    throw DatabaseFault(fault);
  } catch (...) {
    statements_.erase(sql);
    throw;
  }
}

std::uint64_t SqlConnection::execute(const Sql &sql, std::initializer_list<Parameter> parameters) {
  requireStorable(parameters);
  return guarded(&sql, sql.text, [&] { return prepared(sql).execute(parameters); });
}

void SqlConnection::query(const Sql &sql, std::initializer_list<Parameter> parameters,
                          const std::function<void(const Row &)> &onRow) {
  guarded(&sql, sql.text, [&] { prepared(sql).query(parameters, onRow); });
}

void SqlConnection::run(const char *sql) {
  guarded(nullptr, sql, [&] { *session_ << sql; });
}

} // namespace waybill::storage
