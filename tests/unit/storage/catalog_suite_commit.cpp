// SPDX-License-Identifier: GPL-3.0-or-later
// Transactions: who sees what, what fails alone, what lasts.
#include "catalog_suite.hpp"

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

namespace waybill::storage::tests {

using std::chrono::seconds;

void CatalogSuite::whatThrowsChangesNothing() {
  insert({"/before"});
  expectFault(FaultCode::DigestMismatch, [&] {
    durable([&](Transaction &transaction) {
      transaction.insert(rowAt("/new"));
      transaction.removeObject(idOf("/before"));
      transaction.reserveToken(useOf("t1"), "r");
      transaction.putSetting("name", "value");
      throw Fault(FaultCode::DigestMismatch, "the work has failed");
    });
  });
  CPPUNIT_ASSERT((paths("/", "", 10) == std::vector<std::string>{"/before"}));
  CPPUNIT_ASSERT(!catalog_->token("t1"));
  CPPUNIT_ASSERT(!catalog_->setting("name"));
  insert({"/after"});
}

void CatalogSuite::everyCallerGetsItsOwnFailure() {
  constexpr int threads = 16;
  constexpr int rounds = 10;
  std::atomic<int> right{0};
  {
    std::latch start(threads);
    std::vector<std::jthread> running;
    for (int t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        start.arrive_and_wait();
        for (int i = 0; i < rounds; ++i) {
          const auto path = "/" + std::to_string(t) + "/" + std::to_string(i);
          const auto fails = (t + i) % 2 == 0;
          try {
            catalog_->commit(t % 3 == 0 ? Durability::Relaxed : Durability::Durable, [&](Transaction &transaction) {
              transaction.insert(rowAt(path));
              if (fails) {
                throw Fault(FaultCode::TooLarge, "this one", path);
              }
            });
            right += fails ? 0 : 1;
          } catch (const Fault &fault) {
            right += fails && fault.code() == FaultCode::TooLarge && fault.subject() == path ? 1 : 0;
          }
        }
      });
    }
  }
  CPPUNIT_ASSERT_EQUAL(threads * rounds, right.load());
  const auto kept = paths("/", "", 1000);
  CPPUNIT_ASSERT_EQUAL(std::size_t{threads * rounds / 2}, kept.size());
  for (const auto &path : kept) {
    const auto slash = path.find('/', 1);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(path, 1, (std::stoi(path.substr(1, slash)) + std::stoi(path.substr(slash + 1))) % 2);
  }
}

void CatalogSuite::otherExceptionsComeThroughAsTheyAre() {
  CPPUNIT_ASSERT_THROW(durable([&](Transaction &transaction) {
                         transaction.insert(rowAt("/new"));
                         throw std::out_of_range("of the caller's own");
                       }),
                       std::out_of_range);
  CPPUNIT_ASSERT(!catalog_->objectAt("/new"));
}

void CatalogSuite::committingWithinAWorkIsRefused() {
  durable([&](Transaction &transaction) {
    transaction.insert(rowAt("/outer"));
    expectFault(FaultCode::Internal, [&] { durable([&](Transaction &inner) { inner.insert(rowAt("/inner")); }); });
  });
  CPPUNIT_ASSERT((paths("/", "", 10) == std::vector<std::string>{"/outer"}));
}

void CatalogSuite::readsSeeWhatWasCommitted() {
  // Each kind of read, after each commit: one that kept its snapshot would give the state before.
  for (int i = 0; i < 50; ++i) {
    const auto text = std::to_string(1000 + i);
    const auto count = static_cast<std::size_t>(i) + 1;
    durable([&](Transaction &transaction) {
      auto row = rowAt("/" + text);
      row.expires = Time(seconds(1));
      transaction.insert(row);
      transaction.reserveToken(useOf(text), "r");
      transaction.putGrant(
          {text, {std::string(64, '1'), std::nullopt}, {Right::Read}, "/", std::nullopt, Time(seconds(i))});
      transaction.putSetting("last", text);
    });
    CPPUNIT_ASSERT(catalog_->object(idOf("/" + text)));
    CPPUNIT_ASSERT(catalog_->objectAt("/" + text));
    CPPUNIT_ASSERT_EQUAL(count, catalog_->list("/", "", 1000).size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, catalog_->list("/", "", 1).size());
    CPPUNIT_ASSERT_EQUAL(count, catalog_->expired(Time(seconds(2)), 1000).size());
    CPPUNIT_ASSERT(catalog_->token(text));
    CPPUNIT_ASSERT_EQUAL(count, catalog_->grants().size());
    CPPUNIT_ASSERT_EQUAL(count, catalog_->grantsOf(std::string(64, '1')).size());
    CPPUNIT_ASSERT_EQUAL(text, catalog_->setting("last").value());
  }
}

void CatalogSuite::readersAndWritersAtOnce() {
  std::atomic<int> wrong{0};
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  {
    std::vector<std::jthread> readers;
    for (int r = 0; r < 12; ++r) {
      readers.emplace_back([&] {
        do {
          // Rows come in pairs, in one transaction: a read sees both or neither.
          wrong += catalog_->list("/", "", 10'000).size() % 2 == 0 ? 0 : 1;
          ++reads;
        } while (!done);
      });
    }
    std::vector<std::jthread> writers;
    for (int w = 0; w < 4; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; i < 25; ++i) {
          const auto path = "/" + std::to_string(w) + "/" + std::to_string(i);
          durable([&](Transaction &transaction) {
            transaction.insert(rowAt(path + "/a"));
            transaction.insert(rowAt(path + "/b"));
          });
          wrong += catalog_->objectAt(path + "/b") ? 0 : 1;
        }
      });
    }
    writers.clear();
    done = true;
  }
  CPPUNIT_ASSERT_EQUAL(0, wrong.load());
  CPPUNIT_ASSERT(reads >= 12);
  CPPUNIT_ASSERT_EQUAL(std::size_t{200}, catalog_->list("/", "", 10'000).size());
}

void CatalogSuite::relaxedWorkIsSeenToo() {
  catalog_->commit(Durability::Relaxed, [&](Transaction &transaction) { transaction.insert(rowAt("/relaxed")); });
  CPPUNIT_ASSERT(catalog_->objectAt("/relaxed"));
  catalog_.reset();
  catalog_ = open();
  CPPUNIT_ASSERT(catalog_->objectAt("/relaxed"));
}

void CatalogSuite::everythingIsThereAfterReopening() {
  durable([&](Transaction &transaction) {
    transaction.insert(rowAt("/object"));
    transaction.reserveToken(useOf("reserved"), "r");
    transaction.reserveToken(useOf("spent"), "r");
    transaction.spendToken("spent", "r", "<receipt/>", Time(seconds(100)));
    transaction.putKey(keyOf('1', "lab"));
    transaction.putGrant(
        {"g1", {std::string(64, '1'), std::nullopt}, {Right::Read}, "/", std::nullopt, Time(seconds(1))});
    transaction.putSetting("name", "value");
  });
  catalog_.reset();
  catalog_ = open();
  CPPUNIT_ASSERT(catalog_->objectAt("/object") == rowAt("/object"));
  CPPUNIT_ASSERT(!catalog_->token("reserved")->spent);
  CPPUNIT_ASSERT_EQUAL(std::string("<receipt/>"), catalog_->token("spent")->receipt.value());
  CPPUNIT_ASSERT(catalog_->key("lab"));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, catalog_->grants().size());
  CPPUNIT_ASSERT_EQUAL(std::string("value"), catalog_->setting("name").value());
}

void CatalogSuite::theLedgerKeepsItsBirth() {
  const auto birth = clock_.now();
  CPPUNIT_ASSERT(catalog_->ledgerBirth() == birth);
  clock_.set(birth + std::chrono::hours(1));
  catalog_.reset();
  catalog_ = open();
  CPPUNIT_ASSERT(catalog_->ledgerBirth() == birth);
}

void CatalogSuite::twoCatalogsOnOneDatabase() {
  const auto second = open();
  {
    std::vector<std::jthread> writers;
    for (auto *catalog : {catalog_.get(), second.get()}) {
      writers.emplace_back([&, catalog] {
        for (int i = 0; i < 40; ++i) {
          catalog->commit(i % 2 == 0 ? Durability::Durable : Durability::Relaxed, [&](Transaction &transaction) {
            transaction.insert(rowAt((catalog == second.get() ? "/second/" : "/first/") + std::to_string(i)));
            transaction.reserveToken(useOf(std::to_string(i)), "r");
          });
        }
      });
    }
  }
  for (auto *catalog : {catalog_.get(), second.get()}) {
    CPPUNIT_ASSERT_EQUAL(std::size_t{80}, catalog->list("/", "", 1000).size());
  }
  second->commit(Durability::Durable,
                 [&](Transaction &transaction) { transaction.putSetting("name", "by the second"); });
  CPPUNIT_ASSERT_EQUAL(std::string("by the second"), catalog_->setting("name").value());
  durable([&](Transaction &transaction) { CPPUNIT_ASSERT_EQUAL(std::size_t{40}, transaction.releaseAllTokens()); });
  CPPUNIT_ASSERT(!second->token("0"));
}

void CatalogSuite::theCheckPasses() {
  catalog_->check();
  CPPUNIT_ASSERT_EQUAL(std::string(), catalog_->readOnlyReason());
}

} // namespace waybill::storage::tests
