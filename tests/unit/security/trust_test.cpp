// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/trust.hpp"

#include "support.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <thread>

namespace {

using namespace waybill;
using namespace waybill::security;
using namespace waybill::security::tests;

class TrustTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TrustTest);
  CPPUNIT_TEST(aTrustedKeyIsFound);
  CPPUNIT_TEST(keysOfOneIdentifierAreAllFound);
  CPPUNIT_TEST(aRevokedKeyIsNotFoundUntilTrustedAgain);
  CPPUNIT_TEST(whatAnotherProcessChangesHoldsAtOnce);
  CPPUNIT_TEST(aTokenOfARevokedSignerIsRefused);
  CPPUNIT_TEST(theInstanceItselfIsTrustedAlways);
  CPPUNIT_TEST(badAliasesAndUrlsAreRefused);
  CPPUNIT_TEST(anAliasBelongsToOneKey);
  CPPUNIT_TEST(trustingAgainKeepsAliasAndUrl);
  CPPUNIT_TEST(anAliasOfARevokedKeyIsTakenOver);
  CPPUNIT_TEST(aRefusedChangeChangesNothing);
  CPPUNIT_TEST(aDamagedCertificateIsNamedAndStopsNobodyElse);
  CPPUNIT_TEST(principalsAreResolved);
  CPPUNIT_TEST(unknownPrincipalsAreRefused);
  CPPUNIT_TEST(aGrantHoldsUnderItsPrefixOnly);
  CPPUNIT_TEST(aGrantToAnInstanceCoversItsSubjects);
  CPPUNIT_TEST(aGrantToASubjectCoversNobodyElse);
  CPPUNIT_TEST(aGrantEndsAtItsExpiry);
  CPPUNIT_TEST(aRevokedGrantIsGone);
  CPPUNIT_TEST(grantsAreListed);
  CPPUNIT_TEST(theInstanceItselfMayDoEverything);
  CPPUNIT_TEST(resourcesLimitAToken);
  CPPUNIT_TEST(threadsFindWhileKeysChange);
  CPPUNIT_TEST_SUITE_END();

  TemporaryFolder folder_;
  StandingClock clock_{at("2026-01-31T12:00:00Z")};
  std::unique_ptr<storage::Catalog> catalog_ = storage::openSqliteCatalog(folder_.file("catalog"), clock_);
  const InstanceKey &lab_ = keyOf("lab");
  const InstanceKey &alice_ = keyOf("alice");
  Trust trust_{*catalog_, lab_.certificate(), clock_};
  Principal alicePrincipal_{alice_.id(), std::nullopt};

  TrustChange trust(const InstanceKey &key, const std::optional<std::string> &alias,
                    const std::optional<std::string> &url = std::nullopt) {
    return storage::committed(*catalog_, [&](storage::Transaction &transaction) {
      return trust_.trust(transaction, key.certificate(), alias, url);
    });
  }
  TrustedKey trustAlice() { return trust(alice_, "alice", "https://alice.example.org:8443/").key; }
  TrustedKey revokeKey(const std::string &name) { return revokeKeyIn(*catalog_, name); }
  static TrustedKey revokeKeyIn(storage::Catalog &catalog, const std::string &name) {
    return storage::committed(catalog,
                              [&](storage::Transaction &transaction) { return Trust::revokeKey(transaction, name); });
  }
  Grant revoke(const std::string &id) {
    return storage::committed(*catalog_,
                              [&](storage::Transaction &transaction) { return Trust::revoke(transaction, id); });
  }
  std::vector<std::string> found(const InstanceKey &key) {
    std::vector<std::string> ids;
    for (const auto &certificate : trust_.find(key.certificate().subjectKeyId())) {
      ids.push_back(certificate.instanceId());
    }
    return ids;
  }
  void grant(const Principal &principal, const std::set<Right> &rights, const std::string &prefix,
             std::optional<Time> expires = {}, const std::string &id = "g1") {
    storage::committed(*catalog_, [&](storage::Transaction &transaction) {
      return trust_.grant(transaction, format(principal), rights, prefix, expires, id);
    });
  }

public:
  void aTrustedKeyIsFound() {
    CPPUNIT_ASSERT(found(alice_).empty());
    const auto key = trustAlice();
    CPPUNIT_ASSERT_EQUAL(alice_.id(), key.instance);
    CPPUNIT_ASSERT(key.added == clock_.now());
    CPPUNIT_ASSERT(found(alice_) == std::vector{alice_.id()});
    CPPUNIT_ASSERT(trust_.keys() == std::vector{key});
    CPPUNIT_ASSERT(trust_.find(asBytes("unknown")).empty());
    CPPUNIT_ASSERT(trust_.find({}).empty());
  }

  void keysOfOneIdentifierAreAllFound() {
    trustAlice();
    trust(keyOf("mallory"), "mallory");
    auto ids = found(alice_);
    std::sort(ids.begin(), ids.end());
    auto expected = std::vector{alice_.id(), keyOf("mallory").id()};
    std::sort(expected.begin(), expected.end());
    CPPUNIT_ASSERT(ids == expected);
  }

  void aRevokedKeyIsNotFoundUntilTrustedAgain() {
    trustAlice();
    CPPUNIT_ASSERT(revokeKey("alice").revoked);
    CPPUNIT_ASSERT(found(alice_).empty());
    CPPUNIT_ASSERT(trust_.keys().at(0).revoked);
    trustAlice();
    CPPUNIT_ASSERT(found(alice_) == std::vector{alice_.id()});
    CPPUNIT_ASSERT(revokeKey(alice_.id()).revoked);
    CPPUNIT_ASSERT(found(alice_).empty());
    (void)expectFault(FaultCode::NoSuchData, [&] { revokeKey("nobody"); });
  }

  void whatAnotherProcessChangesHoldsAtOnce() {
    const auto other = storage::openSqliteCatalog(folder_.file("catalog"), clock_);
    Trust elsewhere(*other, lab_.certificate(), clock_);
    storage::committed(*other, [&](storage::Transaction &transaction) {
      return elsewhere.trust(transaction, alice_.certificate(), "alice", std::nullopt);
    });
    CPPUNIT_ASSERT(found(alice_) == std::vector{alice_.id()});
    revokeKeyIn(*other, "alice");
    CPPUNIT_ASSERT(found(alice_).empty());
  }

  void aTokenOfARevokedSignerIsRefused() {
    trustAlice();
    clock_.set(at("2026-01-31T12:10:00Z"));
    const TokenOpener opener(lab_, [&](ByteView id) { return trust_.find(id); }, clock_, {});
    const auto token = sealToken(claimsFor(alice_, lab_), alice_, lab_.certificate());
    CPPUNIT_ASSERT(opener.open(token) == claimsFor(alice_, lab_));
    revokeKey("alice");
    (void)expectFault(FaultCode::UntrustedKey, [&] { (void)opener.open(token); });
  }

  void theInstanceItselfIsTrustedAlways() {
    CPPUNIT_ASSERT(found(lab_) == std::vector{lab_.id()});
    trust(lab_, "me");
    CPPUNIT_ASSERT(found(lab_) == std::vector{lab_.id()});
    revokeKey("me");
    CPPUNIT_ASSERT(found(lab_) == std::vector{lab_.id()});
  }

  void badAliasesAndUrlsAreRefused() {
    for (const auto &alias : {std::string(), std::string("two words"), std::string("a/b"), std::string("a:b"),
                              std::string("zoë"), std::string(65, 'x'), std::string(64, 'a')}) {
      (void)expectFault(FaultCode::BadParameter, [&] { trust(alice_, alias); });
    }
    for (const std::string url : {"", "alice.example.org", "http://alice.example.org/", "https://a\nb/"}) {
      (void)expectFault(FaultCode::BadParameter, [&] { trust(alice_, std::nullopt, url); });
    }
    CPPUNIT_ASSERT(trust_.keys().empty());
    trust(alice_, std::string(64, 'x'));
  }

  void anAliasBelongsToOneKey() {
    trustAlice();
    (void)expectFault(FaultCode::AlreadyExists, [&] { trust(keyOf("rita"), "alice"); });
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, trust_.keys().size());
    const auto renamed = trust(alice_, "al");
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), renamed.formerAlias.value());
    CPPUNIT_ASSERT(!renamed.wasRevoked);
    trust(keyOf("rita"), "alice");
    CPPUNIT_ASSERT_EQUAL(keyOf("rita").id(), trust_.resolve("alice").instance);
  }

  void trustingAgainKeepsAliasAndUrl() {
    const auto first = trustAlice();
    revokeKey("alice");
    const auto again = trust(alice_, std::nullopt);
    CPPUNIT_ASSERT(again.key == first);
    CPPUNIT_ASSERT(again.wasRevoked);
    CPPUNIT_ASSERT(!again.formerAlias);
    CPPUNIT_ASSERT(trust_.keys() == std::vector{first});
    const auto moved = trust(alice_, std::nullopt, "https://elsewhere.example.org:1/");
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), moved.key.alias.value());
    CPPUNIT_ASSERT_EQUAL(std::string("https://elsewhere.example.org:1/"), moved.key.url.value());
    CPPUNIT_ASSERT(!moved.wasRevoked);
  }

  void anAliasOfARevokedKeyIsTakenOver() {
    trustAlice();
    revokeKey("alice");
    trust(keyOf("rita"), "alice");
    CPPUNIT_ASSERT_EQUAL(keyOf("rita").id(), trust_.resolve("alice").instance);
    const auto old = catalog_->key(alice_.id()).value();
    CPPUNIT_ASSERT(old.revoked);
    CPPUNIT_ASSERT(!old.alias);
    revokeKey("alice");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a key's own alias is not taken from it", std::string("alice"),
                                 trust(keyOf("rita"), "alice").key.alias.value());
  }

  void aRefusedChangeChangesNothing() {
    trustAlice();
    revokeKey("alice");
    (void)expectFault(FaultCode::BadParameter, [&] { trust(keyOf("rita"), "alice", "http://not-https/"); });
    CPPUNIT_ASSERT_EQUAL(alice_.id(), trust_.resolve("alice").instance);
  }

  void aDamagedCertificateIsNamedAndStopsNobodyElse() {
    auto key = trustAlice();
    trust(keyOf("rita"), "rita");
    key.certificatePem = "-----BEGIN CERTIFICATE-----";
    catalog_->commit(storage::Durability::Durable, [&](storage::Transaction &transaction) { transaction.putKey(key); });
    std::vector<std::string> named;
    const Trust watched(*catalog_, lab_.certificate(), clock_,
                        [&](const TrustedKey &bad, const std::exception &) { named.push_back(bad.instance); });
    for (int i = 0; i < 2; ++i) {
      CPPUNIT_ASSERT(watched.find(alice_.certificate().subjectKeyId()).empty());
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, watched.find(keyOf("rita").certificate().subjectKeyId()).size());
    }
    CPPUNIT_ASSERT(named == std::vector{alice_.id()});
  }

  void principalsAreResolved() {
    trustAlice();
    CPPUNIT_ASSERT(trust_.resolve("alice") == alicePrincipal_);
    CPPUNIT_ASSERT(trust_.resolve("alice/bob") == (Principal{alice_.id(), "bob"}));
    CPPUNIT_ASSERT(trust_.resolve(alice_.id()) == alicePrincipal_);
    CPPUNIT_ASSERT(trust_.resolve(alice_.id() + "/bob/x") == (Principal{alice_.id(), "bob/x"}));
  }

  void unknownPrincipalsAreRefused() {
    trustAlice();
    for (const auto &text : {std::string(), std::string("nobody"), std::string("/bob"), std::string("alice/"),
                             std::string("alice/a\nb"), "alice/" + std::string(256, 'x')}) {
      (void)expectFault(FaultCode::BadParameter, [&] { (void)trust_.resolve(text); });
    }
  }

  void aGrantHoldsUnderItsPrefixOnly() {
    grant(alicePrincipal_, {Right::Read, Right::List}, "docs/");
    CPPUNIT_ASSERT(trust_.may(alicePrincipal_, Right::Read, "/docs"));
    CPPUNIT_ASSERT(trust_.may(alicePrincipal_, Right::List, "/docs/a/b"));
    CPPUNIT_ASSERT(!trust_.may(alicePrincipal_, Right::Read, "/docs2"));
    CPPUNIT_ASSERT(!trust_.may(alicePrincipal_, Right::Read, "/"));
    CPPUNIT_ASSERT(!trust_.may(alicePrincipal_, Right::Write, "/docs/a"));
    CPPUNIT_ASSERT(!trust_.may({keyOf("rita").id(), std::nullopt}, Right::Read, "/docs"));
    CPPUNIT_ASSERT(trust_.prefixes(alicePrincipal_, Right::Read) == std::vector<std::string>{"/docs"});
    grant(alicePrincipal_, {Right::Read}, "/", {}, "g2");
    CPPUNIT_ASSERT(trust_.may(alicePrincipal_, Right::Read, "/docs2"));
  }

  void aGrantToAnInstanceCoversItsSubjects() {
    grant(alicePrincipal_, {Right::Read}, "/docs");
    CPPUNIT_ASSERT(trust_.may({alice_.id(), "bob"}, Right::Read, "/docs/a"));
  }

  void aGrantToASubjectCoversNobodyElse() {
    grant({alice_.id(), "bob"}, {Right::Read}, "/docs");
    CPPUNIT_ASSERT(trust_.may({alice_.id(), "bob"}, Right::Read, "/docs/a"));
    CPPUNIT_ASSERT(!trust_.may({alice_.id(), "bobby"}, Right::Read, "/docs/a"));
    CPPUNIT_ASSERT(!trust_.may(alicePrincipal_, Right::Read, "/docs/a"));
  }

  void aGrantEndsAtItsExpiry() {
    const auto end = clock_.now() + std::chrono::hours(1);
    grant(alicePrincipal_, {Right::Read}, "/docs", end);
    clock_.set(end - std::chrono::microseconds(1));
    CPPUNIT_ASSERT(trust_.may(alicePrincipal_, Right::Read, "/docs"));
    clock_.set(end);
    CPPUNIT_ASSERT(!trust_.may(alicePrincipal_, Right::Read, "/docs"));
  }

  void aRevokedGrantIsGone() {
    grant(alicePrincipal_, {Right::Read}, "/docs");
    CPPUNIT_ASSERT_EQUAL(std::string("/docs"), revoke("g1").prefix);
    CPPUNIT_ASSERT(!trust_.may(alicePrincipal_, Right::Read, "/docs"));
    (void)expectFault(FaultCode::NoSuchData, [&] { (void)revoke("g1"); });
  }

  void grantsAreListed() {
    grant(alicePrincipal_, {Right::Read}, "/a", {}, "g1");
    grant({alice_.id(), "bob"}, {Right::Write}, "/b", {}, "g2");
    grant({keyOf("rita").id(), std::nullopt}, {Right::List}, "/c", {}, "g3");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, trust_.grants(std::nullopt).size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, trust_.grants(Principal{alice_.id(), "bob"}).size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, trust_.grants(alicePrincipal_).size());
    (void)expectFault(FaultCode::BadParameter, [&] { grant(alicePrincipal_, {}, "/a"); });
    (void)expectFault(FaultCode::BadParameter, [&] { grant(alicePrincipal_, {Right::Read}, "/a/../b"); });
  }

  void theInstanceItselfMayDoEverything() {
    CPPUNIT_ASSERT(trust_.may({lab_.id(), std::nullopt}, Right::Administer, "/"));
    CPPUNIT_ASSERT(trust_.may({lab_.id(), "root"}, Right::Write, "/anything"));
    CPPUNIT_ASSERT(trust_.prefixes({lab_.id(), std::nullopt}, Right::List) == std::vector<std::string>{"/"});
  }

  void resourcesLimitAToken() {
    const std::string id = "00000000000000000000000000000001";
    auto claims = claimsFor(alice_, lab_);
    CPPUNIT_ASSERT(resourceCovers(claims, id, "/any"));
    claims.resources = {"/docs", "/more/"};
    CPPUNIT_ASSERT(resourceCovers(claims, id, "/docs"));
    CPPUNIT_ASSERT(resourceCovers(claims, "", "/docs/a"));
    CPPUNIT_ASSERT(resourceCovers(claims, id, "/more/a"));
    CPPUNIT_ASSERT(!resourceCovers(claims, id, "/docs2"));
    CPPUNIT_ASSERT(!resourceCovers(claims, "", ""));
    claims.resources = {id};
    CPPUNIT_ASSERT(resourceCovers(claims, id, "/any"));
    CPPUNIT_ASSERT(!resourceCovers(claims, "00000000000000000000000000000002", "/any"));
    claims.resources = {"https://lab.example.org:8443/data/" + id};
    CPPUNIT_ASSERT(resourceCovers(claims, id, "/any"));
    CPPUNIT_ASSERT(!resourceCovers(claims, "", "/any"));
    claims.resources = {""};
    CPPUNIT_ASSERT(!resourceCovers(claims, "", ""));
    CPPUNIT_ASSERT(!resourceCovers(claims, id, "/any"));
    claims.resources = {"/"};
    CPPUNIT_ASSERT(resourceCovers(claims, id, "/any"));
  }

  void threadsFindWhileKeysChange() {
    std::atomic<std::size_t> mostFound{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 50; ++round) {
          mostFound = std::max(mostFound.load(), found(alice_).size());
        }
      });
    }
    for (int round = 0; round < 10; ++round) {
      trustAlice();
      revokeKey("alice");
    }
    trustAlice();
    threads.clear();
    CPPUNIT_ASSERT(mostFound <= 1);
    CPPUNIT_ASSERT(found(alice_) == std::vector{alice_.id()});
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TrustTest);

} // namespace
