// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cppunit/TestAssert.h>

#include <sqlite3.h>
#include <string>
#include <vector>

namespace waybill::storage::tests {

/// A look at a database file past the catalog, as another program has it.
class RawDatabase {
public:
  explicit RawDatabase(const std::string &path) {
    CPPUNIT_ASSERT_EQUAL(SQLITE_OK, sqlite3_open(path.c_str(), &database_));
  }
  ~RawDatabase() { sqlite3_close(database_); }
  RawDatabase(const RawDatabase &) = delete;
  RawDatabase &operator=(const RawDatabase &) = delete;

  void run(const std::string &sql) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(sql, SQLITE_OK, sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr));
  }
  /// The last column of each row.
  std::vector<std::string> column(const std::string &sql) {
    std::vector<std::string> found;
    const auto keep = [](void *rows, int count, char **values, char **) {
      static_cast<std::vector<std::string> *>(rows)->emplace_back(values[count - 1] == nullptr ? "NULL"
                                                                                               : values[count - 1]);
      return 0;
    };
    CPPUNIT_ASSERT_EQUAL_MESSAGE(sql, SQLITE_OK, sqlite3_exec(database_, sql.c_str(), keep, &found, nullptr));
    return found;
  }
  std::string value(const std::string &sql) {
    const auto found = column(sql);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(sql, std::size_t{1}, found.size());
    return found.front();
  }

private:
  sqlite3 *database_ = nullptr;
};

} // namespace waybill::storage::tests
