// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace waybill::storage {

/// A statement and the types of what goes into it and comes out: a letter each, t for text and i for an integer of 64
/// bits. Parameters are written :name, each once, and given in the order in which they appear.
struct Sql {
  const char *text;
  std::string_view parameters;
  std::string_view columns;
};

/// NULL, an integer or text; the text is kept alive by the caller.
using Parameter = std::variant<std::monostate, std::int64_t, std::string_view>;
using Value = std::variant<std::monostate, std::int64_t, std::string>;
using Row = std::vector<Value>;

/// What kind of failure a database reports: it decides what happens next.
enum class DatabaseFailure : std::uint8_t {
  Busy,    ///< somebody else holds it: try again
  NoSpace, ///< no room: this transaction fails, the next may work
  Disk,    ///< an I/O error: nothing more is written
  Damaged, ///< the database is not what it should be: nothing more is written
  Other,   ///< a constraint, a missing permission, a fault of the program
};

/// A Fault that came out of the database.
class DatabaseFault final : public Fault {
public:
  DatabaseFault(DatabaseFailure failure, const Fault &fault) : Fault(fault), failure_(failure) {}
  [[nodiscard]] DatabaseFailure failure() const noexcept { return failure_; }

private:
  DatabaseFailure failure_;
};

} // namespace waybill::storage
