// SPDX-License-Identifier: GPL-3.0-or-later
// What the SQLite catalog makes of its file: new, foreign, newer, damaged, locked.
#include "catalog_suite.hpp"
#include "raw_database.hpp"
#include "storage/catalog_statements.hpp"
#include "storage/sqlite_catalog.hpp"
#include "temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <latch>
#include <sys/stat.h>
#include <thread>

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;
namespace fs = std::filesystem;

class SqliteFileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SqliteFileTest);
  CPPUNIT_TEST(aNewFileGetsTheSchema);
  CPPUNIT_TEST(onlyTheOwnerMayRead);
  CPPUNIT_TEST(anEmptyFileIsANewOne);
  CPPUNIT_TEST(manyMayCreateItAtOnce);
  CPPUNIT_TEST(theFirstSchemaIsMigrated);
  CPPUNIT_TEST(theSecondSchemaIsMigrated);
  CPPUNIT_TEST(theFourthSchemaIsMigrated);
  CPPUNIT_TEST(transfersAreFoundByIndexes);
  CPPUNIT_TEST(aNewerSchemaIsRefused);
  CPPUNIT_TEST(anUnreadableSchemaVersionIsRefused);
  CPPUNIT_TEST(anotherProgramsDatabaseIsRefusedAndNotTouched);
  CPPUNIT_TEST(whatIsNoDatabaseIsRefusedAndNotTouched);
  CPPUNIT_TEST(aDamagedFileIsNamed);
  CPPUNIT_TEST(rowsThatNobodyWroteAreNamed);
  CPPUNIT_TEST(aFolderThatIsNotThereIsNamed);
  CPPUNIT_TEST(anyNameWillDo);
  CPPUNIT_TEST(aRestoredLedgerGetsANewBirth);
  CPPUNIT_TEST(aHeldDatabaseIsBusy);
  CPPUNIT_TEST_SUITE_END();

public:
  void aNewFileGetsTheSchema() {
    const auto catalog = openSqliteCatalog(path_, clock_);
    CPPUNIT_ASSERT_EQUAL(std::string("7"), catalog->setting("schema.version").value());
    CPPUNIT_ASSERT(catalog->ledgerBirth() == clock_.now());
    RawDatabase raw(path_);
    CPPUNIT_ASSERT_EQUAL(std::string("1463900482"), raw.value("PRAGMA application_id"));
    CPPUNIT_ASSERT_EQUAL(std::string("wal"), raw.value("PRAGMA journal_mode"));
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), raw.value("PRAGMA integrity_check"));
  }

  void onlyTheOwnerMayRead() {
    const auto catalog = openSqliteCatalog(path_, clock_);
    catalog->commit(Durability::Durable, [](Transaction &transaction) { transaction.putSetting("a", "b"); });
    for (const auto *end : {"", "-wal", "-shm"}) {
      struct stat found {};
      CPPUNIT_ASSERT_EQUAL(0, ::stat((path_ + end).c_str(), &found));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(end, mode_t{0600}, found.st_mode & 07777);
    }
  }

  void anEmptyFileIsANewOne() {
    std::ofstream(path_).flush();
    CPPUNIT_ASSERT(openSqliteCatalog(path_, clock_)->setting("schema.version"));
  }

  void manyMayCreateItAtOnce() {
    constexpr int threads = 8;
    std::latch start(threads);
    std::atomic<int> good{0};
    {
      std::vector<std::jthread> opening;
      for (int i = 0; i < threads; ++i) {
        opening.emplace_back([&, i] {
          start.arrive_and_wait();
          const auto catalog = openSqliteCatalog(path_, clock_);
          catalog->commit(Durability::Durable,
                          [&](Transaction &transaction) { transaction.putSetting(std::to_string(i), "here"); });
          ++good;
        });
      }
    }
    CPPUNIT_ASSERT_EQUAL(threads, good.load());
    const auto catalog = openSqliteCatalog(path_, clock_);
    for (int i = 0; i < threads; ++i) {
      CPPUNIT_ASSERT(catalog->setting(std::to_string(i)));
    }
  }

  void theFirstSchemaIsMigrated() {
    (void)openSqliteCatalog(path_, clock_);
    RawDatabase(path_).run(
        "DROP TABLE transfer;"
        "DROP TABLE token;"
        "CREATE TABLE token (id TEXT PRIMARY KEY NOT NULL, principal TEXT NOT NULL, operation TEXT NOT NULL,"
        " message_id TEXT, keep_until INTEGER NOT NULL, spent INTEGER NOT NULL, receipt TEXT) STRICT;"
        "CREATE INDEX token_keep_until ON token (keep_until);"
        "CREATE INDEX token_reserved ON token (spent) WHERE spent = 0;"
        "INSERT INTO token VALUES ('held', 'p', 'Copy', NULL, 5, 0, NULL), ('spent', 'p', 'Receive', 'm', 7, 1, "
        "'<r/>');"
        "UPDATE setting SET value = '1' WHERE name = 'schema.version'");
    const auto catalog = openSqliteCatalog(path_, clock_);
    CPPUNIT_ASSERT_EQUAL(std::string("7"), catalog->setting("schema.version").value());
    const auto spent = catalog->token("spent").value();
    CPPUNIT_ASSERT(spent.spent && !spent.held && !spent.request);
    CPPUNIT_ASSERT_EQUAL(std::string("<r/>"), spent.receipt.value());
    const auto held = catalog->token("held").value();
    CPPUNIT_ASSERT(!held.spent && held.held && !held.request);
    catalog->commit(Durability::Durable, [](Transaction &transaction) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, transaction.releaseAllTokens());
    });
    CPPUNIT_ASSERT(!catalog->token("held"));
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), RawDatabase(path_).value("PRAGMA integrity_check"));
  }

  void theSecondSchemaIsMigrated() {
    auto row = TransferRow();
    row.id = "t";
    {
      const auto catalog = openSqliteCatalog(path_, clock_);
      catalog->commit(Durability::Durable, [](Transaction &transaction) {
        CPPUNIT_ASSERT(transaction.reserveToken({"spent", "p", "Receive", "m", Time()}, "r"));
        CPPUNIT_ASSERT(transaction.spendToken("spent", "r", "<r/>", Time()));
      });
    }
    RawDatabase(path_).run("DROP TABLE transfer; UPDATE setting SET value = '2' WHERE name = 'schema.version'");
    const auto catalog = openSqliteCatalog(path_, clock_);
    CPPUNIT_ASSERT_EQUAL(std::string("7"), catalog->setting("schema.version").value());
    CPPUNIT_ASSERT(catalog->token("spent")->spent);
    catalog->commit(Durability::Durable,
                    [&](Transaction &transaction) { CPPUNIT_ASSERT(transaction.insertTransfer(row)); });
    CPPUNIT_ASSERT(catalog->transferById("t") == row);
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), RawDatabase(path_).value("PRAGMA integrity_check"));
  }

  void theFourthSchemaIsMigrated() {
    const auto add = [&](Transaction &transaction, const std::string &id, std::int32_t priority) {
      TransferRow row;
      row.id = row.messageId = id;
      row.priority = priority;
      CPPUNIT_ASSERT(transaction.insertTransfer(row));
    };
    openSqliteCatalog(path_, clock_)->commit(Durability::Durable, [&](Transaction &transaction) {
      add(transaction, "data", 0);
      add(transaction, "receipt", 1);
    });
    RawDatabase(path_).run("DROP INDEX transfer_queued_job; DROP INDEX transfer_waiting;"
                           "ALTER TABLE transfer DROP COLUMN work_bytes; ALTER TABLE transfer DROP COLUMN request;"
                           "UPDATE setting SET value = '4' WHERE name = 'schema.version'");
    for (int opened = 0; opened < 2; ++opened) { // migrated once
      const auto catalog = openSqliteCatalog(path_, clock_);
      CPPUNIT_ASSERT_EQUAL(std::string("7"), catalog->setting("schema.version").value());
      CPPUNIT_ASSERT_EQUAL(normalPriority, catalog->transferById("data")->priority);
      CPPUNIT_ASSERT_EQUAL(receiptPriority, catalog->transferById("receipt")->priority);
    }
  }

  /// What is asked for at every call, and by the queue all the time, must not become slow with many rows.
  void transfersAreFoundByIndexes() {
    (void)openSqliteCatalog(path_, clock_);
    RawDatabase database(path_);
    for (const auto *statement :
         {statements::transferByMessage.text, statements::transfersOf.text, statements::transfersOfAll.text,
          statements::transfersDue.text, statements::transfersWaiting.text, statements::queuedJobs.text,
          statements::nextTransferDue.text, statements::pruneTransfers.text}) {
      for (const auto &step : database.column("EXPLAIN QUERY PLAN " + std::string(statement))) {
        CPPUNIT_ASSERT_MESSAGE(std::string(statement) + ": " + step, step.find("SCAN transfer") == std::string::npos ||
                                                                         step.find("INDEX") != std::string::npos);
      }
    }
  }

  void aNewerSchemaIsRefused() {
    (void)openSqliteCatalog(path_, clock_);
    RawDatabase(path_).run("UPDATE setting SET value = '8' WHERE name = 'schema.version'; CREATE TABLE later (x)");
    const auto fault = refused();
    expectMentions(fault, "schema 8");
    CPPUNIT_ASSERT_EQUAL(std::string("8"),
                         RawDatabase(path_).value("SELECT value FROM setting WHERE name = 'schema.version'"));
  }

  void anUnreadableSchemaVersionIsRefused() {
    (void)openSqliteCatalog(path_, clock_);
    for (const auto *bad : {"", "1x", "-1", "0", "99999999999999999999999"}) {
      RawDatabase(path_).run("UPDATE setting SET value = '" + std::string(bad) + "' WHERE name = 'schema.version'");
      expectMentions(refused(), "schema");
    }
    RawDatabase(path_).run("DELETE FROM setting");
    expectMentions(refused(), "schema");
  }

  void anotherProgramsDatabaseIsRefusedAndNotTouched() {
    RawDatabase(path_).run("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    const auto before = contents();
    expectMentions(refused(), "another program");
    CPPUNIT_ASSERT(contents() == before);
    fs::remove(path_);
    RawDatabase(path_).run("PRAGMA application_id = 77");
    expectMentions(refused(), "another program");
  }

  void whatIsNoDatabaseIsRefusedAndNotTouched() {
    const std::string text(5000, 't');
    std::ofstream(path_) << text;
    expectMentions(refused(), "not a catalog");
    CPPUNIT_ASSERT(contents() == text);
    fs::remove(path_);
    fs::create_directory(path_);
    (void)refused();
  }

  void aDamagedFileIsNamed() {
    {
      const auto catalog = openSqliteCatalog(path_, clock_);
      catalog->commit(Durability::Durable, [](Transaction &transaction) {
        for (int i = 0; i < 500; ++i) {
          transaction.putSetting(std::to_string(i), std::string(200, 'x'));
        }
      });
    }
    auto damaged = contents();
    damaged.replace(4096, damaged.size() - 4096, damaged.size() - 4096, '\x5a');
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << damaged;
    expectMentions(refused(), "damaged");
  }

  void rowsThatNobodyWroteAreNamed() {
    const auto catalog = openSqliteCatalog(path_, clock_);
    RawDatabase(path_).run("INSERT INTO object VALUES ('1', '/a', 'o', 1, 's', 'a', 't', 1, 1, NULL, '{broken');"
                           "INSERT INTO permission VALUES ('1', 'i', NULL, 'fly', '/', NULL, 1)");
    expectMentions(expectFault(FaultCode::Internal, [&] { (void)catalog->objectAt("/a"); }), "metadata");
    expectMentions(expectFault(FaultCode::Internal, [&] { (void)catalog->grants(); }), "rights");
    CPPUNIT_ASSERT(!catalog->objectAt("/b"));
  }

  void aFolderThatIsNotThereIsNamed() {
    path_ = folder_.file("missing/catalog.sqlite");
    (void)refused();
  }

  void anyNameWillDo() {
    for (const auto *name : {"a b.sqlite", "a=b.sqlite", "a = b c.sqlite", "%41?x#y.sqlite", "file:x?mode=memory",
                             "\"q\".sqlite", ":memory:", "é.sqlite"}) {
      const auto path = folder_.file(name);
      openSqliteCatalog(path, clock_)->commit(Durability::Durable, [&](Transaction &transaction) {
        transaction.putSetting("name", name);
      });
      CPPUNIT_ASSERT_MESSAGE(name, fs::is_regular_file(path));
      CPPUNIT_ASSERT_EQUAL(std::string(name), openSqliteCatalog(path, clock_)->setting("name").value());
    }
    expectFault(FaultCode::BadParameter, [&] { (void)openSqliteCatalog(folder_.file("\"=\""), clock_); });
  }

  void aRestoredLedgerGetsANewBirth() {
    (void)openSqliteCatalog(path_, clock_);
    RawDatabase(path_).run("DELETE FROM setting WHERE name = 'ledger.birth'");
    clock_.set(clock_.now() + std::chrono::hours(5));
    CPPUNIT_ASSERT(openSqliteCatalog(path_, clock_)->ledgerBirth() == clock_.now());
    RawDatabase(path_).run("UPDATE setting SET value = 'once' WHERE name = 'ledger.birth'");
    expectMentions(expectFault(FaultCode::Internal, [&] { (void)openSqliteCatalog(path_, clock_); }), "ledger");
  }

  void aHeldDatabaseIsBusy() {
    const auto catalog = openSqliteCatalog(path_, clock_, {.busyTimeout = std::chrono::milliseconds(50)});
    RawDatabase other(path_);
    other.run("BEGIN IMMEDIATE");
    const auto write = [&] {
      catalog->commit(Durability::Durable, [](Transaction &transaction) { transaction.putSetting("a", "b"); });
    };
    const auto fault = expectFault(FaultCode::Busy, write);
    expectMentions(fault, "another process");
    CPPUNIT_ASSERT(!catalog->setting("a"));
    other.run("ROLLBACK");
    write();
    CPPUNIT_ASSERT(catalog->setting("a"));
    CPPUNIT_ASSERT_EQUAL(std::string(), catalog->readOnlyReason());
  }

private:
  /// Opening is refused with a fault that names the file.
  Fault refused() {
    auto fault = expectFault(FaultCode::Internal, [&] { (void)openSqliteCatalog(path_, clock_); });
    expectMentions(fault, path_);
    return fault;
  }
  [[nodiscard]] std::string contents() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("catalog.sqlite");
  FixedClock clock_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SqliteFileTest);

} // namespace
