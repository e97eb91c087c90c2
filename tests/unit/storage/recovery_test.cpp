// SPDX-License-Identifier: GPL-3.0-or-later
#include "expect_fault.hpp"
#include "storage/catalog.hpp"
#include "storage/content_store.hpp"
#include "storage/recovery.hpp"
#include "temporary_folder.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;
namespace fs = std::filesystem;

/// A home whose parts are opened, checked and brought together as at a daemon's start.
class RecoveryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RecoveryTest);
  CPPUNIT_TEST(aNewHomeIsMarkedOnce);
  CPPUNIT_TEST(aCrashInTheVeryFirstReceive);
  CPPUNIT_TEST(contentThatNoRowNamesGoes);
  CPPUNIT_TEST(aMissingCatalogIsRefused);
  CPPUNIT_TEST(anEmptyCatalogFileIsRefused);
  CPPUNIT_TEST(aForeignCatalogIsRefused);
  CPPUNIT_TEST(contentGivenUpIsMovedAway);
  CPPUNIT_TEST(missingContentIsRefused);
  CPPUNIT_TEST(objectsGivenUpButNotTheGrants);
  CPPUNIT_TEST(aHomeFromBeforeTheMark);
  CPPUNIT_TEST(anOldHomeWithoutItsCatalogIsRefused);
  CPPUNIT_TEST(theOperatorMayVouch);
  CPPUNIT_TEST(rowsWithoutTheirContentGo);
  CPPUNIT_TEST(manyRowsWithoutTheirContentGo);
  CPPUNIT_TEST_SUITE_END();

public:
  void aNewHomeIsMarkedOnce() {
    start();
    const auto mark = fileText("content/mark");
    CPPUNIT_ASSERT_EQUAL(std::size_t{33}, mark.size());
    start();
    CPPUNIT_ASSERT_EQUAL(mark, fileText("content/mark"));
  }

  void aCrashInTheVeryFirstReceive() {
    start();
    put("/a", "published, and no row yet", false);
    const auto recovery = start();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, recovery.contentRemoved);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, contentFiles());
  }

  void contentThatNoRowNamesGoes() {
    start();
    for (int i = 0; i < 40; ++i) {
      put("/" + std::to_string(i), "text", i % 2 == 0);
    }
    const auto recovery = start();
    CPPUNIT_ASSERT_EQUAL(std::size_t{20}, recovery.contentRemoved);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, recovery.rowsRemoved);
    CPPUNIT_ASSERT_EQUAL(std::size_t{20}, contentFiles());
  }

  void aMissingCatalogIsRefused() {
    start();
    put("/a", "text");
    removeCatalog();
    for (int again = 0; again < 2; ++again) {
      const auto fault = expectFault(FaultCode::BadParameter, [&] { start(); });
      expectMentions(fault, "restore the catalog");
      expectMentions(fault, "move the folder content/ away");
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, contentFiles());
    }
  }

  void anEmptyCatalogFileIsRefused() {
    start();
    put("/a", "text");
    removeCatalog();
    std::ofstream(folder_.file("catalog.sqlite")).flush();
    expectFault(FaultCode::BadParameter, [&] { start(); });
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, contentFiles());
  }

  void aForeignCatalogIsRefused() {
    start();
    put("/a", "text");
    const TemporaryFolder other;
    {
      const auto catalog = openSqliteCatalog(other.file("catalog.sqlite"), clock_);
      const auto store = openFileStore(other.path(), [this] { return makeId(); });
      matchContent(*catalog, *store, [this] { return makeId(); });
      catalog->commit(Durability::Durable,
                      [&](Transaction &transaction) { transaction.insert(rowOf(makeId(), "/o")); });
    }
    removeCatalog();
    fs::copy_file(other.file("catalog.sqlite"), folder_.file("catalog.sqlite"));
    const auto fault = expectFault(FaultCode::BadParameter, [&] { start(); });
    expectMentions(fault, "mark");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, contentFiles());
    CPPUNIT_ASSERT(openSqliteCatalog(folder_.file("catalog.sqlite"), clock_)->objectAt("/o"));
  }

  void contentGivenUpIsMovedAway() {
    start();
    put("/a", "text");
    removeCatalog();
    expectFault(FaultCode::BadParameter, [&] { start(); });
    fs::rename(folder_.file("content"), folder_.file("content.old"));
    start();
    put("/b", "text");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, start().contentRemoved);
  }

  void missingContentIsRefused() {
    start();
    put("/a", "text");
    fs::rename(folder_.file("content"), folder_.file("elsewhere"));
    const auto fault = expectFault(FaultCode::BadParameter, [&] { start(); });
    expectMentions(fault, "put the content back");
    fs::remove(folder_.file("content"));
    fs::rename(folder_.file("elsewhere"), folder_.file("content"));
    const auto recovery = start();
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, recovery.contentRemoved + recovery.rowsRemoved);
  }

  void objectsGivenUpButNotTheGrants() {
    start();
    put("/a", "text");
    const auto mark = fileText("content/mark");
    fs::remove_all(folder_.file("content"));
    expectMentions(expectFault(FaultCode::BadParameter, [&] { start(); }), mark.substr(0, 32));
    std::ofstream(folder_.file("content/mark")) << mark;
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, start().rowsRemoved);
    CPPUNIT_ASSERT(!catalog_->objectAt("/a"));
  }

  void aHomeFromBeforeTheMark() {
    openAll();
    put("/a", "text");
    put("/b", "a crash's leftover", false);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, start().contentRemoved);
    CPPUNIT_ASSERT_EQUAL(std::size_t{33}, fileText("content/mark").size());
    CPPUNIT_ASSERT(catalog_->objectAt("/a"));
  }

  void anOldHomeWithoutItsCatalogIsRefused() {
    openAll();
    put("/a", "text");
    removeCatalog();
    expectFault(FaultCode::BadParameter, [&] { start(); });
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, contentFiles());
  }

  void theOperatorMayVouch() {
    start();
    put("/a", "text");
    std::ofstream(folder_.file("content/mark")) << std::string(32, 'e') << '\n';
    expectMentions(expectFault(FaultCode::BadParameter, [&] { start(); }), "remove the file content/mark");
    fs::remove(folder_.file("content/mark"));
    start();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, contentFiles());
  }

  void rowsWithoutTheirContentGo() {
    start();
    std::map<std::string, std::string> ids;
    for (const auto *path : {"/first", "/missing", "/cut", "/kept", "/last"}) {
      ids[path] = put(path, "0123456789");
    }
    for (const auto *path : {"/first", "/missing", "/last"}) {
      fs::remove(contentFile(ids[path]));
    }
    fs::resize_file(contentFile(ids["/cut"]), 4);
    std::map<std::string, std::optional<std::uint64_t>> lost;
    openAll();
    matchContent(*catalog_, *store_, [this] { return makeId(); });
    const auto recovery =
        recover(*catalog_, *store_, [&](const ObjectRow &row, auto found) { lost[row.path] = found; });
    CPPUNIT_ASSERT((lost == std::map<std::string, std::optional<std::uint64_t>>{
                                {"/first", {}}, {"/missing", {}}, {"/last", {}}, {"/cut", 4}}));
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, recovery.rowsRemoved);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, contentFiles());
    const auto rows = catalog_->list("/", "", 100);
    CPPUNIT_ASSERT(rows.size() == 1 && rows.front().path == "/kept");
    put("/missing", "the path is free again");
  }

  void manyRowsWithoutTheirContentGo() {
    start();
    put("/kept", "text");
    catalog_->commit(Durability::Durable, [&](Transaction &transaction) {
      for (int i = 0; i < 2500; ++i) {
        transaction.insert(rowOf(makeId(), "/lost/" + std::to_string(i)));
      }
    });
    CPPUNIT_ASSERT_EQUAL(std::size_t{2500}, start().rowsRemoved);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, catalog_->list("/", "", 10'000).size());
  }

private:
  std::string makeId() {
    // Spread over the shards as random ids are, and the same in each run.
    std::string text(33, '\0');
    ++made_;
    (void)std::snprintf(text.data(), text.size(), "%08x%024x", made_ * 2654435761U, made_);
    text.pop_back();
    return text;
  }

  void openAll() {
    store_.reset();
    catalog_.reset();
    catalog_ = openSqliteCatalog(folder_.file("catalog.sqlite"), clock_);
    store_ = openFileStore(folder_.path(), [this] { return makeId(); });
  }

  Recovery start() {
    openAll();
    matchContent(*catalog_, *store_, [this] { return makeId(); });
    return recover(*catalog_, *store_, [](const ObjectRow &, std::optional<std::uint64_t>) {});
  }

  void removeCatalog() {
    catalog_.reset();
    for (const auto *name : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"}) {
      fs::remove(folder_.file(name));
    }
  }

  static ObjectRow rowOf(const std::string &id, const std::string &path) {
    ObjectRow row;
    row.id = id;
    row.path = path;
    row.contentType = "text/plain";
    return row;
  }

  std::string put(const std::string &path, const std::string &text, bool withRow = true) {
    auto staged = store_->stage();
    staged->write(asBytes(text));
    StagedContent *const one = staged.get();
    store_->publish({&one, 1});
    auto row = rowOf(staged->id(), path);
    row.size = text.size();
    if (withRow) {
      catalog_->commit(Durability::Durable, [&](Transaction &transaction) { transaction.insert(row); });
    }
    return row.id;
  }

  std::string contentFile(const std::string &id) const {
    return folder_.file("content/" + id.substr(0, 2) + "/" + id.substr(2, 2) + "/" + id);
  }
  std::string fileText(const std::string &name) const {
    std::ifstream file(folder_.file(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t contentFiles() const {
    std::size_t files = 0;
    for (const auto &entry : fs::recursive_directory_iterator(folder_.file("content"))) {
      files += entry.is_regular_file() && entry.path().filename() != "mark" ? 1 : 0;
    }
    return files;
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  unsigned made_ = 0;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ContentStore> store_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(RecoveryTest);

} // namespace
