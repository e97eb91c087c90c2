// SPDX-License-Identifier: GPL-3.0-or-later
#include "catalog_suite.hpp"
#include "storage/sqlite_catalog.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;

/// The suite on SQLite.
class SqliteCatalogTest : public CatalogSuite {
  CPPUNIT_TEST_SUB_SUITE(SqliteCatalogTest, CatalogSuite);
  CPPUNIT_TEST_SUITE_END();

protected:
  std::unique_ptr<Catalog> open() override { return openSqliteCatalog(folder_.file("catalog.sqlite"), clock_); }

private:
  TemporaryFolder folder_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SqliteCatalogTest);

} // namespace
