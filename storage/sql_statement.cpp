// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sql_statement.hpp"

#include <soci/soci.h>

#include <deque>

namespace waybill::storage {

namespace {

/// A variable bound to a parameter or a column.
struct Cell {
  explicit Cell(char letter) : isText(letter == 't') {}

  void set(const Parameter &parameter) {
    indicator = parameter.index() == 0 ? soci::i_null : soci::i_ok;
    if (const auto *asText = std::get_if<std::string_view>(&parameter)) {
      text.assign(*asText);
    } else if (const auto *asNumber = std::get_if<std::int64_t>(&parameter)) {
      number = *asNumber;
    }
  }

  void copyTo(Value &value) const {
    if (indicator == soci::i_null) {
      value = std::monostate();
    } else if (isText) {
      value = text;
    } else {
      value = static_cast<std::int64_t>(number);
    }
  }

  bool isText;
  std::string text;
  long long number = 0;
  soci::indicator indicator = soci::i_null;
};

} // namespace

struct SqlStatement::State {
  State(soci::session &session, const Sql &sql) : row(sql.columns.size()), statement(session) {
    statement.alloc();
    statement.prepare(sql.text);
    for (const auto letter : sql.parameters) {
      auto &cell = in.emplace_back(letter);
      cell.isText ? statement.exchange(soci::use(cell.text, cell.indicator))
                  : statement.exchange(soci::use(cell.number, cell.indicator));
    }
    for (const auto letter : sql.columns) {
      auto &cell = out.emplace_back(letter);
      cell.isText ? statement.exchange(soci::into(cell.text, cell.indicator))
                  : statement.exchange(soci::into(cell.number, cell.indicator));
    }
    statement.define_and_bind();
  }

  /// True when there is a first row.
  bool start(std::span<const Parameter> parameters) {
    if (parameters.size() != in.size()) {
      throw soci::soci_error("a statement with " + std::to_string(in.size()) + " parameters was given " +
                             std::to_string(parameters.size()));
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i].set(parameters[i]);
    }
    return statement.execute(true);
  }

  // Deques: SOCI keeps the addresses of what is in them.
  std::deque<Cell> in;
  std::deque<Cell> out;
  Row row;
  soci::statement statement;
};

SqlStatement::SqlStatement(soci::session &session, const Sql &sql) : state_(std::make_unique<State>(session, sql)) {}
SqlStatement::~SqlStatement() = default;

std::uint64_t SqlStatement::execute(std::span<const Parameter> parameters) {
  state_->start(parameters);
  return static_cast<std::uint64_t>(state_->statement.get_affected_rows());
}

void SqlStatement::query(std::span<const Parameter> parameters, const std::function<void(const Row &)> &onRow) {
  // Always to the end: a statement that is left in the middle would hold its snapshot, and the next read would see old
  // rows.
  for (auto more = state_->start(parameters); more; more = state_->statement.fetch()) {
    for (std::size_t i = 0; i < state_->out.size(); ++i) {
      state_->out[i].copyTo(state_->row[i]);
    }
    onRow(state_->row);
  }
}

} // namespace waybill::storage
