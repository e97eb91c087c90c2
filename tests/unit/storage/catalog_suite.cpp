// SPDX-License-Identifier: GPL-3.0-or-later
// Objects, lists, and what the tests share; see catalog_suite_ledger.cpp and catalog_suite_commit.cpp for the rest.
#include "catalog_suite.hpp"

#include "storage/digests.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace waybill::storage::tests {

using std::chrono::microseconds;
using std::chrono::seconds;

std::string CatalogSuite::idOf(const std::string &path) {
  Digester digester;
  digester.update(asBytes(path));
  return digester.sha256Hex().substr(0, 32);
}

ObjectRow CatalogSuite::rowAt(const std::string &path) {
  ObjectRow row;
  row.id = idOf(path);
  row.path = path;
  row.owner = std::string(64, 'a') + "/somebody";
  row.size = 7;
  row.sha256 = std::string(64, 'b');
  row.adler32 = "01234567";
  row.contentType = "text/plain";
  row.created = Time(seconds(1'700'000'000));
  return row;
}

TokenUse CatalogSuite::useOf(const std::string &id) {
  return {id, std::string(64, 'a'), "Receive", "urn:uuid:" + id, Time(seconds(1'700'003'600))};
}

TrustedKey CatalogSuite::keyOf(char digit, std::optional<std::string> alias) {
  TrustedKey key;
  key.instance = std::string(64, digit);
  key.certificatePem = std::string("-----BEGIN CERTIFICATE-----\n") + digit + "\n-----END CERTIFICATE-----\n";
  key.alias = std::move(alias);
  key.added = Time(seconds(1'700'000'000 + digit));
  return key;
}

void CatalogSuite::insert(const std::vector<std::string> &paths) {
  durable([&](Transaction &transaction) {
    for (const auto &path : paths) {
      transaction.insert(rowAt(path));
    }
  });
}

std::vector<std::string> CatalogSuite::paths(const std::string &prefix, const std::string &after,
                                             std::size_t limit) const {
  std::vector<std::string> found;
  for (const auto &row : catalog_->list(prefix, after, limit)) {
    found.push_back(row.path);
  }
  return found;
}

void CatalogSuite::objectsComeBackAsTheyWere() {
  auto plain = rowAt("/plain");
  auto full = rowAt("/täglich/日本/😀 'quoted' \"twice\" %_\\;--");
  full.size = 5'000'000'000'000;
  full.secure = false;
  full.created = Time(microseconds(1'700'000'000'123'456));
  full.expires = Time(microseconds(1'800'000'000'654'321));
  full.contentType = "application/x; charset=\"utf-8\"";
  full.metadata = {
      {"a", "1"}, {"a", "again"}, {"", ""}, {"über", "\"[]{}\\ \t\n\x01 <&>'"}, {"z", std::string(100'000, 'z')}};
  auto old = rowAt("/before 1970");
  old.created = Time(microseconds(-1));
  durable([&](Transaction &transaction) {
    for (const auto &row : {plain, full, old}) {
      transaction.insert(row);
    }
  });
  for (const auto &row : {plain, full, old}) {
    CPPUNIT_ASSERT(catalog_->object(row.id) == row);
    CPPUNIT_ASSERT(catalog_->objectAt(row.path) == row);
  }
  CPPUNIT_ASSERT(!catalog_->object(std::string(32, '0')));
  CPPUNIT_ASSERT(!catalog_->objectAt("/PLAIN"));
  CPPUNIT_ASSERT(!catalog_->objectAt("/plai"));
}

void CatalogSuite::aTakenPathIsRefusedAndTheWorkMayGoOn() {
  insert({"/taken"});
  auto second = rowAt("/taken");
  second.id = std::string(32, '1');
  durable([&](Transaction &transaction) {
    const auto fault = expectFault(FaultCode::AlreadyExists, [&] { transaction.insert(second); });
    expectMentions(fault, "/taken");
    transaction.insert(rowAt("/free"));
  });
  CPPUNIT_ASSERT(catalog_->objectAt("/taken") == rowAt("/taken"));
  CPPUNIT_ASSERT(!catalog_->object(second.id));
  CPPUNIT_ASSERT(catalog_->objectAt("/free"));
  expectFault(FaultCode::AlreadyExists,
              [&] { durable([&](Transaction &transaction) { transaction.insert(second); }); });
}

void CatalogSuite::anIdIsTakenOnce() {
  insert({"/one"});
  auto other = rowAt("/two");
  other.id = idOf("/one");
  expectFault(FaultCode::Internal, [&] { durable([&](Transaction &transaction) { transaction.insert(other); }); });
  CPPUNIT_ASSERT(!catalog_->objectAt("/two"));
  CPPUNIT_ASSERT_EQUAL(std::string(), catalog_->readOnlyReason());
  insert({"/three"});
}

void CatalogSuite::objectsAreRemoved() {
  insert({"/a", "/b"});
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.removeObject(idOf("/a")));
    CPPUNIT_ASSERT(!transaction.removeObject(idOf("/a")));
    CPPUNIT_ASSERT(!transaction.removeObject("/b"));
  });
  CPPUNIT_ASSERT(!catalog_->objectAt("/a"));
  CPPUNIT_ASSERT(catalog_->objectAt("/b"));
}

void CatalogSuite::aTransactionSeesItsOwnWrites() {
  durable([&](Transaction &transaction) {
    transaction.insert(rowAt("/new"));
    CPPUNIT_ASSERT(transaction.objectAt("/new") == rowAt("/new"));
    CPPUNIT_ASSERT(transaction.object(idOf("/new")) == rowAt("/new"));
    CPPUNIT_ASSERT(!catalog_->objectAt("/new"));
    transaction.removeObject(idOf("/new"));
    CPPUNIT_ASSERT(!transaction.objectAt("/new"));
    transaction.insert(rowAt("/new"));
  });
  CPPUNIT_ASSERT(catalog_->objectAt("/new"));
}

void CatalogSuite::expiredObjectsAreFound() {
  durable([&](Transaction &transaction) {
    for (int i = 0; i < 5; ++i) {
      auto row = rowAt("/expires/" + std::to_string(i));
      row.expires = Time(seconds(100 + i));
      transaction.insert(row);
    }
    transaction.insert(rowAt("/stays"));
  });
  const auto count = [&](std::int64_t now, std::size_t limit) {
    return catalog_->expired(Time(seconds(now)), limit).size();
  };
  CPPUNIT_ASSERT_EQUAL(std::size_t{0}, count(99, 10));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count(100, 10));
  CPPUNIT_ASSERT_EQUAL(std::size_t{5}, count(1'000'000, 10));
  CPPUNIT_ASSERT_EQUAL(std::size_t{2}, count(1'000'000, 2));
}

void CatalogSuite::textThatIsNotTextIsRefused() {
  for (const auto &bad :
       {std::string("/nul\0here", 9), std::string("/latin1 \xe9"), std::string("/surrogate \xed\xa0\x80")}) {
    auto path = rowAt("/x");
    path.path = bad;
    expectFault(FaultCode::BadParameter, [&] { durable([&](Transaction &transaction) { transaction.insert(path); }); });
    auto metadata = rowAt("/y");
    metadata.metadata = {{"name", bad}};
    if (bad.find('\0') == std::string::npos) {
      expectFault(FaultCode::BadParameter,
                  [&] { durable([&](Transaction &transaction) { transaction.insert(metadata); }); });
    }
    CPPUNIT_ASSERT(!catalog_->objectAt(bad));
    CPPUNIT_ASSERT(!catalog_->key(bad));
  }
  CPPUNIT_ASSERT(catalog_->list("/", "", 10).empty());
}

void CatalogSuite::sizesUpToSixtyThreeBits() {
  auto row = rowAt("/large");
  row.size = std::numeric_limits<std::int64_t>::max();
  durable([&](Transaction &transaction) { transaction.insert(row); });
  CPPUNIT_ASSERT(catalog_->objectAt("/large") == row);
  row = rowAt("/larger");
  row.size = std::uint64_t{1} << 63;
  expectFault(FaultCode::TooLarge, [&] { durable([&](Transaction &transaction) { transaction.insert(row); }); });
}

void CatalogSuite::listsCoverWholeSegments() {
  // What sorts between "/a" and "/a/b" is not under "/a".
  insert({"/a", "/a!", "/a-b", "/a.txt", "/a/b", "/a/b/c", "/a/é", "/a0", "/aa", "/A/b", "/b"});
  using Paths = std::vector<std::string>;
  CPPUNIT_ASSERT((paths("/a", "", 100) == Paths{"/a", "/a/b", "/a/b/c", "/a/é"}));
  CPPUNIT_ASSERT((paths("/a/b", "", 100) == Paths{"/a/b", "/a/b/c"}));
  CPPUNIT_ASSERT((paths("/b", "", 100) == Paths{"/b"}));
  CPPUNIT_ASSERT((paths("/nothing", "", 100) == Paths{}));
  CPPUNIT_ASSERT_EQUAL(std::size_t{11}, paths("/", "", 100).size());
  CPPUNIT_ASSERT((paths("/a", "/a", 100) == Paths{"/a/b", "/a/b/c", "/a/é"}));
  CPPUNIT_ASSERT((paths("/a", "/a-z", 100) == Paths{"/a/b", "/a/b/c", "/a/é"}));
  CPPUNIT_ASSERT((paths("/a", "/a/b", 100) == Paths{"/a/b/c", "/a/é"}));
  CPPUNIT_ASSERT((paths("/a", "/b", 100) == Paths{}));
  CPPUNIT_ASSERT((paths("/a/b", "/a", 100) == Paths{"/a/b", "/a/b/c"}));
}

void CatalogSuite::listsAreInByteOrder() {
  std::vector<std::string> all{"/z",          "/Z",      "/a b", "/a", "/a/b", "/ä", "/€",
                               "/\U0001F600", "/\uFFFD", "/_",   "/1", "/10",  "/2", "/~"};
  insert(all);
  std::sort(all.begin(), all.end());
  CPPUNIT_ASSERT(paths("/", "", 100) == all);
}

void CatalogSuite::listsArePaged() {
  std::vector<std::string> all{"/p"};
  for (int i = 0; i < 25; ++i) {
    all.push_back("/p/" + std::to_string(100 + i));
  }
  insert(all);
  insert({"/o", "/p-", "/q"});
  for (const auto limit : {1UL, 2UL, 7UL, 25UL, 26UL, 27UL, 1000UL}) {
    std::vector<std::string> found;
    for (std::size_t rounds = 0; rounds < 30; ++rounds) {
      const auto page = paths("/p", found.empty() ? "" : found.back(), limit);
      CPPUNIT_ASSERT(page.size() <= limit);
      found.insert(found.end(), page.begin(), page.end());
      if (page.size() < limit) {
        break;
      }
    }
    CPPUNIT_ASSERT(found == all);
  }
  CPPUNIT_ASSERT(paths("/p", "", 0).empty());
  CPPUNIT_ASSERT_EQUAL(all.size(), paths("/p", "", std::numeric_limits<std::size_t>::max()).size());
}

void CatalogSuite::objectsComeInTheOrderOfTheirIds() {
  CPPUNIT_ASSERT(catalog_->objects("", 10).empty());
  std::vector<std::string> ids;
  for (const auto *path : {"/z", "/a", "/m", "/q", "/b"}) {
    insert({path});
    ids.push_back(idOf(path));
  }
  std::sort(ids.begin(), ids.end());
  std::vector<std::string> found;
  while (true) {
    const auto page = catalog_->objects(found.empty() ? "" : found.back(), 2);
    if (page.empty()) {
      break;
    }
    CPPUNIT_ASSERT(page.size() <= 2);
    for (const auto &row : page) {
      found.push_back(row.id);
      CPPUNIT_ASSERT(catalog_->object(row.id) == row);
    }
  }
  CPPUNIT_ASSERT(found == ids);
}

void CatalogSuite::pagesAreStableWhileRowsComeAndGo() {
  std::vector<std::string> staying;
  for (int i = 0; i < 100; ++i) {
    staying.push_back("/stay/" + std::to_string(1000 + 2 * i));
  }
  insert(staying);
  std::multiset<std::string> seen;
  std::string after;
  for (int round = 0; round < 200; ++round) {
    const auto page = paths("/", after, 3);
    if (page.empty()) {
      break;
    }
    seen.insert(page.begin(), page.end());
    after = page.back();
    // Rows come before and behind the place reached, and the last one seen that may go goes.
    const auto number = std::to_string(round);
    insert({"/early/" + number, "/stay/" + std::to_string(1000 + round) + "x", "/stayz/" + number});
    if (round % 2 == 1) {
      durable([&](Transaction &transaction) { transaction.removeObject(idOf("/early/" + number)); });
    }
    if (after.back() == 'x' || after.starts_with("/stayz")) {
      durable([&](Transaction &transaction) { transaction.removeObject(idOf(after)); });
    }
    if (round > 120) {
      break;
    }
  }
  for (const auto &path : staying) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(path, std::size_t{1}, seen.count(path));
  }
}

} // namespace waybill::storage::tests
