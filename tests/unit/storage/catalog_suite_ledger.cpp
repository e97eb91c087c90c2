// SPDX-License-Identifier: GPL-3.0-or-later
// Tokens, keys, grants and settings.
#include "catalog_suite.hpp"

#include <atomic>
#include <latch>
#include <thread>

namespace waybill::storage::tests {

using std::chrono::seconds;

void CatalogSuite::aTokenIsReservedOnce() {
  const auto use = useOf("t1");
  auto other = useOf("t1");
  other.principal = "somebody else";
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.reserveToken(use, "r"));
    CPPUNIT_ASSERT(!transaction.reserveToken(use, "r"));
    CPPUNIT_ASSERT(!transaction.reserveToken(other, "r"));
  });
  durable([&](Transaction &transaction) { CPPUNIT_ASSERT(!transaction.reserveToken(other, "r")); });
  const auto row = catalog_->token("t1");
  CPPUNIT_ASSERT(row);
  CPPUNIT_ASSERT(row->use == use);
  CPPUNIT_ASSERT(!row->spent);
  CPPUNIT_ASSERT(row->held);
  CPPUNIT_ASSERT(!row->request);
  CPPUNIT_ASSERT(!row->receipt);
  CPPUNIT_ASSERT(!catalog_->token("t2"));
  auto anonymous = useOf("t3");
  anonymous.messageId.reset();
  durable([&](Transaction &transaction) { CPPUNIT_ASSERT(transaction.reserveToken(anonymous, "r")); });
  CPPUNIT_ASSERT(catalog_->token("t3")->use == anonymous);
}

void CatalogSuite::aTokenIsSpentOnceAndOnlyWhenReserved() {
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(!transaction.spendToken("t1", "r", "<early/>", Time(seconds(100))));
    transaction.reserveToken(useOf("t1"), "r");
    transaction.reserveToken(useOf("t2"), "r");
    CPPUNIT_ASSERT(transaction.spendToken("t1", "spent for", "<receipt>é</receipt>", Time(seconds(100))));
    CPPUNIT_ASSERT(!transaction.spendToken("t1", "r", "<second/>", Time(seconds(100))));
    CPPUNIT_ASSERT(transaction.spendToken("t2", "r", std::nullopt, Time(seconds(100))));
  });
  CPPUNIT_ASSERT(catalog_->token("t1")->spent);
  CPPUNIT_ASSERT_EQUAL(std::string("spent for"), catalog_->token("t1")->request.value());
  CPPUNIT_ASSERT_EQUAL(std::string("<receipt>é</receipt>"), catalog_->token("t1")->receipt.value());
  CPPUNIT_ASSERT(!catalog_->token("t1")->held);
  CPPUNIT_ASSERT(catalog_->token("t1")->use.keepUntil == Time(seconds(100)));
  CPPUNIT_ASSERT(catalog_->token("t2")->spent);
  CPPUNIT_ASSERT(!catalog_->token("t2")->receipt);
}

void CatalogSuite::aReleasedTokenCanBeReservedAgainASpentOneNever() {
  durable([&](Transaction &transaction) {
    transaction.reserveToken(useOf("t1"), "r");
    transaction.releaseToken("t1");
    transaction.releaseToken("unknown");
    CPPUNIT_ASSERT(transaction.reserveToken(useOf("t1"), "r"));
    CPPUNIT_ASSERT(transaction.spendToken("t1", "r", "<receipt/>", Time(seconds(100))));
    transaction.releaseToken("t1");
    CPPUNIT_ASSERT(!transaction.reserveToken(useOf("t1"), "r"));
  });
  CPPUNIT_ASSERT(catalog_->token("t1")->spent);
}

void CatalogSuite::aBoundTokenIsGoodForItsRequestAlone() {
  auto again = useOf("t1");
  again.messageId = "urn:uuid:another";
  auto stranger = useOf("t1");
  stranger.principal = "somebody else";
  auto elsewhere = useOf("t1");
  elsewhere.operation = "Describe";
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(!transaction.bindToken("t1", "r"));
    CPPUNIT_ASSERT(transaction.reserveToken(useOf("t1"), "r"));
    CPPUNIT_ASSERT(transaction.bindToken("t1", "r"));
    CPPUNIT_ASSERT_MESSAGE("it is still held", !transaction.reserveToken(again, "r"));
    transaction.releaseToken("t1");
    CPPUNIT_ASSERT(!transaction.spendToken("t1", "r", std::nullopt, Time(seconds(100))));
    CPPUNIT_ASSERT(!transaction.bindToken("t1", "another"));
  });
  const auto row = catalog_->token("t1").value();
  CPPUNIT_ASSERT(!row.spent && !row.held);
  CPPUNIT_ASSERT_EQUAL(std::string("r"), row.request.value());
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(!transaction.reserveToken(again, "another"));
    CPPUNIT_ASSERT(!transaction.reserveToken(stranger, "r"));
    CPPUNIT_ASSERT(!transaction.reserveToken(elsewhere, "r"));
    CPPUNIT_ASSERT(transaction.reserveToken(again, "r"));
    CPPUNIT_ASSERT(!transaction.reserveToken(again, "r"));
  });
  CPPUNIT_ASSERT(catalog_->token("t1")->held);
  CPPUNIT_ASSERT(catalog_->token("t1")->use.messageId == again.messageId);
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.spendToken("t1", "r", std::nullopt, Time(seconds(100))));
    transaction.releaseToken("t1");
    CPPUNIT_ASSERT(!transaction.reserveToken(again, "r"));
  });
}

void CatalogSuite::aBoundTokenStaysBoundAndIsPruned() {
  durable([&](Transaction &transaction) {
    for (const auto *id : {"t1", "t2"}) {
      auto use = useOf(id);
      use.keepUntil = Time(seconds(100));
      transaction.reserveToken(use, "r");
      CPPUNIT_ASSERT(transaction.bindToken(id, "r"));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, transaction.releaseAllTokens());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transaction.releaseAllTokens());
    CPPUNIT_ASSERT(!transaction.reserveToken(useOf("t1"), "another"));
    CPPUNIT_ASSERT(transaction.reserveToken(useOf("t2"), "r"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transaction.pruneTokens(Time(seconds(100))));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, transaction.pruneTokens(Time(seconds(101))));
  });
  CPPUNIT_ASSERT(!catalog_->token("t1"));
  CPPUNIT_ASSERT_MESSAGE("held by running work", catalog_->token("t2"));
}

void CatalogSuite::pruningForgetsOldSpentTokens() {
  durable([&](Transaction &transaction) {
    for (int i = 0; i < 4; ++i) {
      auto use = useOf("t" + std::to_string(i));
      use.keepUntil = Time(seconds(100 + i));
      transaction.reserveToken(use, "r");
      if (i != 1) {
        transaction.spendToken(use.tokenId, "r", std::nullopt, use.keepUntil);
      }
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transaction.pruneTokens(Time(seconds(100))));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, transaction.pruneTokens(Time(seconds(103))));
  });
  CPPUNIT_ASSERT(!catalog_->token("t0"));
  CPPUNIT_ASSERT_MESSAGE("held by running work", catalog_->token("t1"));
  CPPUNIT_ASSERT(!catalog_->token("t2"));
  CPPUNIT_ASSERT(catalog_->token("t3"));
}

void CatalogSuite::allReservedTokensAreReleased() {
  durable([&](Transaction &transaction) {
    for (int i = 0; i < 5; ++i) {
      transaction.reserveToken(useOf("t" + std::to_string(i)), "r");
    }
    transaction.spendToken("t2", "r", std::nullopt, Time(seconds(100)));
  });
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, transaction.releaseAllTokens());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transaction.releaseAllTokens());
  });
  CPPUNIT_ASSERT(!catalog_->token("t0"));
  CPPUNIT_ASSERT(catalog_->token("t2")->spent);
}

void CatalogSuite::ofManyThreadsOneReserves() {
  constexpr int threads = 32;
  for (int round = 0; round < 5; ++round) {
    const auto id = "race " + std::to_string(round);
    std::atomic<int> winners{0};
    std::latch start(threads);
    {
      std::vector<std::jthread> racing;
      for (int t = 0; t < threads; ++t) {
        racing.emplace_back([&] {
          start.arrive_and_wait();
          bool won = false;
          catalog_->commit(Durability::Relaxed,
                           [&](Transaction &transaction) { won = transaction.reserveToken(useOf(id), "r"); });
          winners += won ? 1 : 0;
        });
      }
    }
    CPPUNIT_ASSERT_EQUAL(1, winners.load());
    CPPUNIT_ASSERT(catalog_->token(id));
  }
}

void CatalogSuite::keysAreFoundByInstanceAndByAlias() {
  auto lab = keyOf('1', "lab");
  lab.url = "https://lab.example:8443/";
  auto nameless = keyOf('2', std::nullopt);
  nameless.revoked = true;
  durable([&](Transaction &transaction) {
    transaction.putKey(nameless);
    transaction.putKey(lab);
    transaction.putKey(keyOf('3', std::nullopt));
  });
  CPPUNIT_ASSERT(catalog_->key(lab.instance) == lab);
  CPPUNIT_ASSERT(catalog_->key("lab") == lab);
  CPPUNIT_ASSERT(catalog_->key(nameless.instance) == nameless);
  CPPUNIT_ASSERT(!catalog_->key("LAB"));
  CPPUNIT_ASSERT(!catalog_->key(""));
  CPPUNIT_ASSERT((catalog_->keys() == std::vector<TrustedKey>{lab, nameless, keyOf('3', std::nullopt)}));

  lab.revoked = true;
  lab.alias = "old-lab";
  lab.url.reset();
  durable([&](Transaction &transaction) {
    transaction.putKey(lab);
    CPPUNIT_ASSERT(transaction.key("old-lab") == lab);
    CPPUNIT_ASSERT(transaction.key(lab.instance) == lab);
    CPPUNIT_ASSERT(!transaction.key("lab"));
  });
  CPPUNIT_ASSERT(catalog_->key(lab.instance) == lab);
  CPPUNIT_ASSERT(catalog_->key("old-lab") == lab);
  CPPUNIT_ASSERT(!catalog_->key("lab"));
  CPPUNIT_ASSERT_EQUAL(std::size_t{3}, catalog_->keys().size());
}

void CatalogSuite::anAliasBelongsToOneKey() {
  durable([&](Transaction &transaction) {
    transaction.putKey(keyOf('1', "lab"));
    transaction.putKey(keyOf('2', "home"));
  });
  // A new key, and one that is known already, each asking for what is taken.
  for (const char digit : {'3', '2'}) {
    const auto fault = expectFault(FaultCode::AlreadyExists, [&] {
      durable([&](Transaction &transaction) { transaction.putKey(keyOf(digit, "lab")); });
    });
    expectMentions(fault, "lab");
  }
  CPPUNIT_ASSERT(!catalog_->key(std::string(64, '3')));
  CPPUNIT_ASSERT(catalog_->key("home") == keyOf('2', "home"));
  CPPUNIT_ASSERT(catalog_->key("lab") == keyOf('1', "lab"));
  durable([&](Transaction &transaction) {
    transaction.putKey(keyOf('1', std::nullopt));
    transaction.putKey(keyOf('3', "lab"));
  });
  CPPUNIT_ASSERT(catalog_->key("lab") == keyOf('3', "lab"));
}

void CatalogSuite::grantsAreKeptReplacedAndRemoved() {
  const Principal alice{std::string(64, '1'), "alice"};
  const Principal whole{std::string(64, '1'), std::nullopt};
  const Principal other{std::string(64, '2'), std::nullopt};
  Grant first{"g1", alice, {Right::Read, Right::List}, "/", std::nullopt, Time(seconds(1))};
  const Grant second{"g2", whole, {Right::Administer}, "/täglich", Time(seconds(99)), Time(seconds(2))};
  const Grant third{
      "g3", other,        {Right::Read, Right::Write, Right::Delete, Right::List, Right::Invoke, Right::Administer},
      "/",  std::nullopt, Time(seconds(3))};
  durable([&](Transaction &transaction) {
    for (const auto &grant : {third, first, second}) {
      transaction.putGrant(grant);
    }
  });
  CPPUNIT_ASSERT((catalog_->grants() == std::vector<Grant>{first, second, third}));
  CPPUNIT_ASSERT((catalog_->grantsOf(alice.instance) == std::vector<Grant>{first, second}));
  CPPUNIT_ASSERT(catalog_->grantsOf("nobody").empty());
  first.rights = {Right::Write};
  first.principal.subject = "bob";
  durable([&](Transaction &transaction) {
    transaction.putGrant(first);
    CPPUNIT_ASSERT(transaction.removeGrant("g2"));
    CPPUNIT_ASSERT(!transaction.removeGrant("g2"));
    CPPUNIT_ASSERT(transaction.grant("g1") == first);
    CPPUNIT_ASSERT(!transaction.grant("g2"));
  });
  CPPUNIT_ASSERT((catalog_->grants() == std::vector<Grant>{first, third}));
}

void CatalogSuite::aGrantNeedsARight() {
  const Grant empty{"g1", {std::string(64, '1'), std::nullopt}, {}, "/", std::nullopt, Time(seconds(1))};
  expectFault(FaultCode::BadParameter,
              [&] { durable([&](Transaction &transaction) { transaction.putGrant(empty); }); });
  CPPUNIT_ASSERT(catalog_->grants().empty());
}

void CatalogSuite::settingsAreKept() {
  CPPUNIT_ASSERT(!catalog_->setting("instance.name"));
  durable([&](Transaction &transaction) { transaction.putSetting("instance.name", "first"); });
  durable([&](Transaction &transaction) {
    transaction.putSetting("instance.name", "sécond\n");
    transaction.putSetting("empty", "");
  });
  CPPUNIT_ASSERT_EQUAL(std::string("sécond\n"), catalog_->setting("instance.name").value());
  CPPUNIT_ASSERT_EQUAL(std::string(), catalog_->setting("empty").value());
}

void CatalogSuite::theCatalogsOwnSettingsAreNotSetFromOutside() {
  for (const auto *name : {"ledger.birth", "schema.version"}) {
    const auto before = catalog_->setting(name);
    CPPUNIT_ASSERT(before);
    expectFault(FaultCode::BadParameter,
                [&] { durable([&](Transaction &transaction) { transaction.putSetting(name, "0"); }); });
    CPPUNIT_ASSERT(catalog_->setting(name) == before);
  }
}

} // namespace waybill::storage::tests
