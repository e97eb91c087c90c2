// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/sql.hpp"

#include <functional>
#include <memory>
#include <span>

namespace soci {
class session;
} // namespace soci

namespace waybill::storage {

/// A prepared statement with the variables that SOCI reads and writes. Throws soci::soci_error; after that it is not to
/// be used again.
class SqlStatement {
public:
  SqlStatement(soci::session &session, const Sql &sql);
  ~SqlStatement();
  SqlStatement(SqlStatement &&) = delete;

  std::uint64_t execute(std::span<const Parameter> parameters);
  void query(std::span<const Parameter> parameters, const std::function<void(const Row &)> &onRow);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::storage
