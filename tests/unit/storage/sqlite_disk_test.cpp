// SPDX-License-Identifier: GPL-3.0-or-later
// What the SQLite catalog does with its disk: when it syncs, how works share a commit, what a full or failing disk
// leads to.
#include "catalog_suite.hpp"
#include "raw_database.hpp"
#include "small_disk.hpp"
#include "storage/catalog_statements.hpp"
#include "storage/sqlite_catalog.hpp"
#include "temporary_folder.hpp"
#include "watched_disk.hpp"

#include <algorithm>
#include <filesystem>
#include <latch>
#include <optional>
#include <thread>

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;
namespace fs = std::filesystem;

class SqliteDiskTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SqliteDiskTest);
  CPPUNIT_TEST(aDurableCommitSyncsARelaxedOneDoesNot);
  CPPUNIT_TEST(anEmptyCommitSyncsNothing);
  CPPUNIT_TEST(manyWorksShareATransaction);
  CPPUNIT_TEST(theLogIsCopiedBackNowAndThen);
  CPPUNIT_TEST(aFullDiskIsNoSpaceAndPasses);
  CPPUNIT_TEST(aReallyFullDisk);
  CPPUNIT_TEST(aWriteErrorIsFinal);
  CPPUNIT_TEST(aFailedSyncIsFinalAndNeverTriedAgain);
  CPPUNIT_TEST(whatFailedIsNotThereAfterARestart);
  CPPUNIT_TEST(aFailureInTheMiddleFailsTheWholeGroup);
  CPPUNIT_TEST(aFailureThatAWorkCatchesIsStillAFailure);
  CPPUNIT_TEST(aFailingCheckpointIsFinal);
  CPPUNIT_TEST(aCheckpointWithoutRoomIsTriedAgain);
  CPPUNIT_TEST(listsAndPruningUseTheirIndexes);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override { disk_.emplace(); }
  void tearDown() override { disk_.reset(); }

  void aDurableCommitSyncsARelaxedOneDoesNot() {
    const auto catalog = open();
    put(*catalog, "first", Durability::Durable); // the log's header is synced once
    for (int round = 0; round < 3; ++round) {
      auto before = disk_->log.syncs.load();
      put(*catalog, "relaxed" + std::to_string(round), Durability::Relaxed);
      put(*catalog, "relaxed again" + std::to_string(round), Durability::Relaxed);
      CPPUNIT_ASSERT_EQUAL(0, disk_->log.syncs - before);
      put(*catalog, "durable" + std::to_string(round), Durability::Durable);
      CPPUNIT_ASSERT_EQUAL(1, disk_->log.syncs - before);
      put(*catalog, "durable again" + std::to_string(round), Durability::Durable);
      CPPUNIT_ASSERT_EQUAL(2, disk_->log.syncs - before);
    }
  }

  void anEmptyCommitSyncsNothing() {
    const auto catalog = open();
    put(*catalog, "first", Durability::Durable);
    const auto before = disk_->log.syncs.load();
    catalog->commit(Durability::Durable, [](Transaction &transaction) { transaction.releaseToken("unknown"); });
    expectFault(FaultCode::TooLarge, [&] {
      catalog->commit(Durability::Durable, [](Transaction &transaction) {
        transaction.putSetting("a", "b");
        throw Fault(FaultCode::TooLarge, "undone");
      });
    });
    CPPUNIT_ASSERT_EQUAL(0, disk_->log.syncs - before);
  }

  void manyWorksShareATransaction() {
    const auto catalog = open();
    put(*catalog, "first", Durability::Durable);
    const auto before = catalog->transactions();
    const auto syncsBefore = disk_->log.syncs.load();
    constexpr int threads = 24;
    std::latch running(1);
    std::latch goOn(1);
    {
      // The first holds the transaction until all others have come; then they are one group.
      std::vector<std::jthread> committing;
      committing.emplace_back([&] {
        catalog->commit(Durability::Durable, [&](Transaction &transaction) {
          running.count_down();
          goOn.wait();
          transaction.putSetting("leader", "here");
        });
      });
      running.wait();
      for (int i = 0; i < threads; ++i) {
        committing.emplace_back([&, i] { put(*catalog, std::to_string(i), Durability::Durable); });
      }
      for (int i = 0; i < 60'000 && catalog->worksWaiting() < threads; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      goOn.count_down();
    }
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, catalog->transactions() - before);
    CPPUNIT_ASSERT_EQUAL(2, disk_->log.syncs - syncsBefore);
    for (int i = 0; i < threads; ++i) {
      CPPUNIT_ASSERT(catalog->setting(std::to_string(i)));
    }
  }

  void theLogIsCopiedBackNowAndThen() {
    const auto catalog = open({.checkpointPages = 20});
    for (int i = 0; i < 300; ++i) {
      catalog->commit(Durability::Relaxed, [&](Transaction &transaction) {
        transaction.putSetting(std::to_string(i), std::string(3000, 'x'));
      });
      if (i % 10 == 0) {
        CPPUNIT_ASSERT(catalog->setting(std::to_string(i)));
      }
    }
    // 300 pages and more were written; the log begins anew after each copy.
    CPPUNIT_ASSERT(fs::file_size(path_ + "-wal") < 100 * 4096);
    CPPUNIT_ASSERT(fs::file_size(path_) > 200 * 4096);
    CPPUNIT_ASSERT(disk_->database.syncs > 3);
  }

  void aFullDiskIsNoSpaceAndPasses() {
    const auto catalog = open();
    put(*catalog, "before", Durability::Durable);
    disk_->log.writeResult = SQLITE_FULL;
    for (int again = 0; again < 2; ++again) {
      const auto fault = expectFault(FaultCode::NoSpace, [&] { put(*catalog, "while full", Durability::Durable); });
      expectMentions(fault, "catalog.sqlite");
      expectMentions(fault, "full");
      CPPUNIT_ASSERT(fault.log().forLog().find(path_) != std::string::npos);
      CPPUNIT_ASSERT(fault.reason().find(path_) == std::string::npos);
    }
    CPPUNIT_ASSERT(catalog->setting("before"));
    CPPUNIT_ASSERT(!catalog->setting("while full"));
    disk_->log.writeResult = SQLITE_OK;
    put(*catalog, "after", Durability::Durable);
    CPPUNIT_ASSERT(catalog->setting("after"));
    CPPUNIT_ASSERT_EQUAL(std::string(), catalog->readOnlyReason());
    catalog->check();
  }

  void aReallyFullDisk() {
    const SmallDisk small(1024 * 1024);
    const auto catalog = openSqliteCatalog(small.path() + "/catalog.sqlite", clock_, {.checkpointPages = 100});
    int kept = 0;
    expectFault(FaultCode::NoSpace, [&] {
      for (; kept < 1000; ++kept) {
        catalog->commit(Durability::Durable, [&](Transaction &transaction) {
          transaction.putSetting(std::to_string(kept), std::string(3000, 'x'));
        });
      }
    });
    CPPUNIT_ASSERT(kept > 10);
    CPPUNIT_ASSERT_EQUAL(std::string(), catalog->readOnlyReason());
    for (int i = 0; i < kept; ++i) {
      CPPUNIT_ASSERT(catalog->setting(std::to_string(i)));
    }
    CPPUNIT_ASSERT(!catalog->setting(std::to_string(kept)));
    CPPUNIT_ASSERT_EQUAL(std::string("ok"),
                         RawDatabase(small.path() + "/catalog.sqlite").value("PRAGMA integrity_check"));
  }

  void aWriteErrorIsFinal() {
    const auto catalog = open();
    disk_->log.writeResult = SQLITE_IOERR_WRITE;
    expectFault(FaultCode::Internal, [&] { put(*catalog, "lost", Durability::Relaxed); });
    disk_->log.writeResult = SQLITE_OK;
    checkRefuses(*catalog);
  }

  void aFailedSyncIsFinalAndNeverTriedAgain() {
    const auto catalog = open();
    put(*catalog, "before", Durability::Durable);
    const auto before = disk_->log.syncs.load();
    disk_->log.syncResult = SQLITE_IOERR_FSYNC;
    const auto fault = expectFault(FaultCode::Internal, [&] { put(*catalog, "lost", Durability::Durable); });
    expectMentions(fault, "I/O error");
    disk_->log.syncResult = SQLITE_OK;
    checkRefuses(*catalog);
    CPPUNIT_ASSERT(!catalog->setting("lost"));
    CPPUNIT_ASSERT(catalog->setting("before"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("never tried again", 1, disk_->log.syncs - before);
  }

  void whatFailedIsNotThereAfterARestart() {
    // Once as the first transaction in the log, once after others, once with many pages.
    for (int kind = 0; kind < 3; ++kind) {
      TemporaryFolder crashed;
      fs::remove(path_);
      {
        const auto catalog = open();
        if (kind != 0) {
          put(*catalog, "before", Durability::Durable);
        }
        disk_->log.syncResult = SQLITE_IOERR_FSYNC;
        expectFault(FaultCode::Internal, [&] {
          catalog->commit(Durability::Durable, [&](Transaction &transaction) {
            for (int i = 0; i < (kind == 2 ? 100 : 1); ++i) {
              transaction.putSetting("lost" + std::to_string(i), std::string(2000, 'x'));
            }
          });
        });
        disk_->log.syncResult = SQLITE_OK;
        // The files as a killed process leaves them.
        for (const auto *end : {"", "-wal"}) {
          fs::copy_file(path_ + end, crashed.file("catalog.sqlite") + end);
        }
      }
      for (const auto &path : {crashed.file("catalog.sqlite"), path_}) {
        const auto again = openSqliteCatalog(path, clock_);
        CPPUNIT_ASSERT(!again->setting("lost0"));
        CPPUNIT_ASSERT_EQUAL(kind != 0, again->setting("before").has_value());
        put(*again, "goes on", Durability::Durable);
        CPPUNIT_ASSERT_EQUAL(std::string("ok"), RawDatabase(path).value("PRAGMA integrity_check"));
      }
    }
  }

  void aFailureInTheMiddleFailsTheWholeGroup() {
    const auto catalog = open();
    put(*catalog, "before", Durability::Durable);
    std::latch running(1);
    std::latch goOn(1);
    std::atomic<int> noSpace{0};
    {
      std::vector<std::jthread> committing;
      committing.emplace_back([&] {
        catalog->commit(Durability::Durable, [&](Transaction &transaction) {
          running.count_down();
          goOn.wait();
          transaction.putSetting("leader", "here");
        });
      });
      running.wait();
      for (int i = 0; i < 8; ++i) {
        committing.emplace_back([&, i] {
          try {
            catalog->commit(Durability::Durable, [&](Transaction &transaction) {
              disk_->log.writeResult = SQLITE_FULL;
              transaction.putSetting(std::to_string(i), "lost");
            });
          } catch (const Fault &fault) {
            noSpace += fault.code() == FaultCode::NoSpace ? 1 : 0;
          }
        });
      }
      for (int i = 0; i < 60'000 && catalog->worksWaiting() < 8; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      goOn.count_down();
    }
    CPPUNIT_ASSERT_EQUAL(8, noSpace.load());
    CPPUNIT_ASSERT(catalog->setting("leader"));
    CPPUNIT_ASSERT(!catalog->setting("0"));
    disk_->log.writeResult = SQLITE_OK;
    put(*catalog, "after", Durability::Durable);
  }

  void aFailureThatAWorkCatchesIsStillAFailure() {
    const auto catalog = open();
    put(*catalog, "before", Durability::Durable);
    int caught = 0;
    expectFault(FaultCode::NoSpace, [&] {
      catalog->commit(Durability::Durable, [&](Transaction &transaction) {
        // More than the cache holds, so that pages go out before the commit.
        disk_->log.writeResult = SQLITE_FULL;
        for (int i = 0; i < 400; ++i) {
          try {
            transaction.putSetting("large" + std::to_string(i), std::string(30'000, 'x'));
          } catch (const Fault &) {
            ++caught;
          }
        }
      });
    });
    CPPUNIT_ASSERT(caught > 0);
    disk_->log.writeResult = SQLITE_OK;
    CPPUNIT_ASSERT(!catalog->setting("large0"));
    CPPUNIT_ASSERT(!catalog->setting("large399"));
    put(*catalog, "after", Durability::Durable);
    CPPUNIT_ASSERT(catalog->setting("after"));
  }

  void aFailingCheckpointIsFinal() {
    const auto catalog = open({.checkpointPages = 10});
    disk_->database.syncResult = SQLITE_IOERR_FSYNC;
    fillUntilCheckpoint(*catalog, [&] { return !catalog->readOnlyReason().empty(); });
    disk_->database.syncResult = SQLITE_OK;
    checkRefuses(*catalog);
  }

  void aCheckpointWithoutRoomIsTriedAgain() {
    const auto catalog = open({.checkpointPages = 10});
    const auto syncs = disk_->database.syncs.load();
    disk_->database.writeResult = SQLITE_FULL;
    fillUntilCheckpoint(*catalog, [] { return false; });
    CPPUNIT_ASSERT_EQUAL(syncs, disk_->database.syncs.load());
    CPPUNIT_ASSERT_EQUAL(std::string(), catalog->readOnlyReason());
    disk_->database.writeResult = SQLITE_OK;
    fillUntilCheckpoint(*catalog, [&] { return disk_->database.syncs > syncs; });
    CPPUNIT_ASSERT(disk_->database.syncs > syncs);
  }

  void listsAndPruningUseTheirIndexes() {
    const auto catalog = open();
    constexpr int rows = 100'000;
    RawDatabase raw(path_);
    raw.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(rows) +
            ") INSERT INTO object SELECT printf('%032x', i), printf('/d%d/f%06d', i % 100, i), 'o', i, 's', 'a', 't', "
            "1, i, NULL, '[]' FROM n");
    const auto page = catalog->list("/d42", "/d42/f050000", 1000);
    CPPUNIT_ASSERT_EQUAL(std::size_t{500}, page.size());
    CPPUNIT_ASSERT_EQUAL(std::string("/d42/f050042"), page.front().path);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, catalog->list("/", "", 1000).size());

    const auto plan = [&](const Sql &sql) { return raw.column("EXPLAIN QUERY PLAN " + std::string(sql.text)); };
    using Plan = std::vector<std::string>;
    CPPUNIT_ASSERT(
        (plan(statements::objectsBetween) == Plan{"SEARCH object USING INDEX object_path (path>? AND path<?)"}));
    CPPUNIT_ASSERT((plan(statements::objectByPath) == Plan{"SEARCH object USING INDEX object_path (path=?)"}));
    CPPUNIT_ASSERT(
        (plan(statements::objectById) == Plan{"SEARCH object USING INDEX sqlite_autoindex_object_1 (id=?)"}));
    CPPUNIT_ASSERT(
        (plan(statements::objectsAfter) == Plan{"SEARCH object USING INDEX sqlite_autoindex_object_1 (id>?)"}));
    CPPUNIT_ASSERT((plan(statements::objectsExpired) ==
                    Plan{"SEARCH object USING INDEX object_expires (expires>? AND expires<?)"}));
    CPPUNIT_ASSERT((plan(statements::pruneTokens) == Plan{"SEARCH token USING INDEX token_keep_until (keep_until<?)"}));
    for (const auto *sql : {&statements::forgetHeldTokens, &statements::releaseBoundTokens}) {
      CPPUNIT_ASSERT(plan(*sql).front().find("token_held") != std::string::npos);
    }
    for (const auto *sql : {&statements::reserveBoundToken, &statements::bindToken, &statements::forgetHeldToken}) {
      CPPUNIT_ASSERT((plan(*sql) == Plan{"SEARCH token USING INDEX sqlite_autoindex_token_1 (id=?)"}));
    }
    CPPUNIT_ASSERT((plan(statements::spendToken) == Plan{"SEARCH token USING INDEX sqlite_autoindex_token_1 (id=?)"}));
    CPPUNIT_ASSERT(
        (plan(statements::keyByAlias) == Plan{"SEARCH trusted_key USING INDEX trusted_key_alias (alias=?)"}));
    CPPUNIT_ASSERT(
        (plan(statements::queuedJobs) == Plan{"SEARCH transfer USING INDEX transfer_queued_job (<expr>=?)"}));
    const auto due = plan(statements::transfersDue);
    CPPUNIT_ASSERT(std::count(due.begin(), due.end(), "SEARCH transfer USING INDEX transfer_of_peer (phase=?)") == 1);
    CPPUNIT_ASSERT(plan(statements::permissionsOf).front() ==
                   "SEARCH permission USING INDEX permission_instance (instance=?)");
  }

private:
  std::unique_ptr<SqlCatalog> open(const SqliteSettings &settings = {}) {
    return openSqliteCatalog(path_, clock_, settings);
  }

  static void put(Catalog &catalog, const std::string &name, Durability durability) {
    catalog.commit(durability, [&](Transaction &transaction) { transaction.putSetting(name, "value"); });
  }

  static void fillUntilCheckpoint(Catalog &catalog, const std::function<bool()> &enough) {
    static int made = 0;
    for (int i = 0; i < 60 && !enough(); ++i) {
      catalog.commit(Durability::Relaxed, [&](Transaction &transaction) {
        transaction.putSetting("fill" + std::to_string(++made), std::string(3000, 'x'));
      });
    }
  }

  void checkRefuses(Catalog &catalog) {
    CPPUNIT_ASSERT(catalog.readOnlyReason().find("catalog.sqlite") != std::string::npos);
    for (int again = 0; again < 2; ++again) {
      const auto fault = expectFault(FaultCode::Internal, [&] { put(catalog, "later", Durability::Relaxed); });
      expectMentions(fault, catalog.readOnlyReason());
    }
    expectFault(FaultCode::Internal, [&] { catalog.check(); });
    CPPUNIT_ASSERT(!catalog.setting("later"));
  }

  std::optional<WatchedDisk> disk_;
  TemporaryFolder folder_;
  std::string path_ = folder_.file("catalog.sqlite");
  FixedClock clock_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SqliteDiskTest);

} // namespace
