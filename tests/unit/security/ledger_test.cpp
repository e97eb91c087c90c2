// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/ledger.hpp"

#include "support.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <latch>
#include <thread>

namespace {

using namespace waybill;
using namespace waybill::security;
using namespace waybill::security::tests;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class LedgerTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LedgerTest);
  CPPUNIT_TEST(aSpentTokenIsReplayed);
  CPPUNIT_TEST(aTokenInUseIsReplayed);
  CPPUNIT_TEST(ofManyThreadsOneWins);
  CPPUNIT_TEST(ofManyThreadsThatSpendOneReceivesTheWork);
  CPPUNIT_TEST(aSpentTokenIsReplayedAfterReopening);
  CPPUNIT_TEST(aReleasedTokenCanBeUsedAgain);
  CPPUNIT_TEST(workThatFailsReleasesItsToken);
  CPPUNIT_TEST(aCommitThatIsNotConfirmedDoesNotReleaseASpentToken);
  CPPUNIT_TEST(aMovedReservationIsReleasedOnce);
  CPPUNIT_TEST(theSameMessageGetsItsReceipt);
  CPPUNIT_TEST(anotherMessageOperationOrPrincipalIsReplayed);
  CPPUNIT_TEST(theSameMessageIdWithAnotherBodyIsReplayed);
  CPPUNIT_TEST(withoutReceiptOrMessageIdItIsReplayed);
  CPPUNIT_TEST(theReceiptSurvivesReopening);
  CPPUNIT_TEST(recoveryGivesBackWhatWasReserved);
  CPPUNIT_TEST(aTokenIssuedBeforeTheLedgerBeganIsRefused);
  CPPUNIT_TEST(idsAreKeptUntilTheirTokensCannotBeOpened);
  CPPUNIT_TEST(receiptsAreKeptPastTheEndOfTheirTokens);
  CPPUNIT_TEST(aReceiptIsWaitedFor);
  CPPUNIT_TEST(theSameMessageIsToldThatItsFirstAttemptIsAtWork);
  CPPUNIT_TEST(theSameMessageWaitsForItsReceipt);
  CPPUNIT_TEST(theSameMessageWaitsForARelease);
  CPPUNIT_TEST(anotherTokensEndWakesNobody);
  CPPUNIT_TEST(aBoundTokenIsGoodForItsRequestAlone);
  CPPUNIT_TEST(aBoundTokenStaysBoundAfterACrash);
  CPPUNIT_TEST(whatWasReleasedIsNotBound);
  CPPUNIT_TEST(aReleaseThatFailsIsReportedAndMadeUpFor);
  CPPUNIT_TEST(spendingWhatWasReleasedFails);
  CPPUNIT_TEST_SUITE_END();

  TemporaryFolder folder_;
  StandingClock clock_{at("2026-01-31T12:00:00.5Z")};
  std::unique_ptr<storage::Catalog> catalog_ = open();
  LedgerPolicy policy_{seconds(3600), seconds(60), std::chrono::milliseconds(50)};
  std::unique_ptr<Ledger> ledger_ = std::make_unique<Ledger>(*catalog_, clock_, policy_);
  TokenClaims claims_ = claimsFor(keyOf("alice"), keyOf("lab"));
  std::optional<std::string> message_{"urn:uuid:1"};

  std::unique_ptr<storage::Catalog> open() { return storage::openSqliteCatalog(folder_.file("catalog"), clock_); }
  void reopen() {
    ledger_.reset();
    catalog_.reset();
    catalog_ = open();
    ledger_ = std::make_unique<Ledger>(*catalog_, clock_, policy_);
  }
  [[nodiscard]] Request request(const std::string &body = "<body/>") const {
    return {"alice", "Receive", message_, body};
  }
  std::variant<Reservation, EarlierReceipt> reserve() { return ledger_->reserve(claims_, request()); }
  void patient() {
    policy_.patience = std::chrono::minutes(5);
    ledger_ = std::make_unique<Ledger>(*catalog_, clock_, policy_);
  }
  /// Long enough for the other thread to begin to wait; when it is not, the test passes all the same.
  static void waitForWatchers() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }
  Reservation reserved() { return std::get<Reservation>(reserve()); }
  void commitWith(Reservation &reservation, const std::optional<std::string> &receipt) {
    catalog_->commit(storage::Durability::Durable,
                     [&](storage::Transaction &transaction) { reservation.spend(transaction, receipt); });
  }
  void use(const std::optional<std::string> &receipt = "<receipt/>") {
    auto reservation = reserved();
    commitWith(reservation, receipt);
    reservation.keep();
  }
  Fault replayed(const std::string &principal, const std::string &operation,
                 const std::optional<std::string> &message) {
    return expectFault(FaultCode::TokenReplayed, [&] {
      (void)ledger_->reserve(claims_, {principal, operation, message, "<body/>"});
    });
  }

public:
  void aSpentTokenIsReplayed() {
    use();
    expectMentions(replayed("alice", "Receive", "urn:uuid:2"), "was used already");
  }

  void aTokenInUseIsReplayed() {
    const auto held = reserved();
    CPPUNIT_ASSERT_EQUAL(claims_.id, held.use().tokenId);
    expectMentions(replayed("alice", "Receive", "urn:uuid:2"), "in use");
    expectMentions(replayed("alice", "Receive", std::nullopt), "in use");
    expectMentions(replayed("alice", "Delete", message_), "in use");
    expectMentions(replayed("bob", "Receive", message_), "in use");
    auto other = claims_;
    other.id.back() = '0';
    CPPUNIT_ASSERT(std::holds_alternative<Reservation>(ledger_->reserve(other, request())));
  }

  void ofManyThreadsOneWins() {
    std::latch start(32);
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    std::vector<std::optional<Reservation>> held(32);
    std::vector<std::jthread> threads;
    for (auto &mine : held) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        try {
          mine.emplace(std::get<Reservation>(ledger_->reserve(claims_, {"alice", "Receive", {}, "<body/>"})));
          ++won;
        } catch (const Fault &fault) {
          lost += fault.code() == FaultCode::TokenReplayed ? 1 : 0;
        }
      });
    }
    threads.clear();
    CPPUNIT_ASSERT_EQUAL(1, won.load());
    CPPUNIT_ASSERT_EQUAL(31, lost.load());
  }

  void ofManyThreadsThatSpendOneReceivesTheWork() {
    std::latch start(32);
    std::atomic<int> done{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 32; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        try {
          auto reservation = std::get<Reservation>(ledger_->reserve(claims_, {"alice", "Receive", {}, "<body/>"}));
          commitWith(reservation, std::nullopt);
          reservation.keep();
          ++done;
        } catch (const Fault &fault) {
          CPPUNIT_ASSERT(fault.code() == FaultCode::TokenReplayed);
        }
      });
    }
    threads.clear();
    CPPUNIT_ASSERT_EQUAL(1, done.load());
    CPPUNIT_ASSERT(catalog_->token(claims_.id)->spent);
  }

  void aSpentTokenIsReplayedAfterReopening() {
    use();
    reopen();
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, ledger_->recover());
    (void)replayed("alice", "Receive", "urn:uuid:2");
  }

  void aReleasedTokenCanBeUsedAgain() {
    { const auto held = reserved(); }
    CPPUNIT_ASSERT(!catalog_->token(claims_.id));
    use();
    (void)replayed("alice", "Receive", "urn:uuid:2");
  }

  void workThatFailsReleasesItsToken() {
    {
      auto held = reserved();
      (void)expectFault(FaultCode::DigestMismatch, [&] {
        catalog_->commit(storage::Durability::Durable, [&](storage::Transaction &transaction) {
          held.spend(transaction, std::nullopt);
          throw Fault(FaultCode::DigestMismatch, "the bytes are others");
        });
      });
      CPPUNIT_ASSERT(!catalog_->token(claims_.id)->spent);
    }
    use();
  }

  void aCommitThatIsNotConfirmedDoesNotReleaseASpentToken() {
    {
      auto held = reserved();
      commitWith(held, "<receipt/>");
      // keep() does not come: the caller does not know that the commit has succeeded
    }
    CPPUNIT_ASSERT(catalog_->token(claims_.id)->spent);
    (void)replayed("alice", "Receive", "urn:uuid:2");
  }

  void aMovedReservationIsReleasedOnce() {
    auto first = std::make_unique<Reservation>(reserved());
    auto second = std::make_unique<Reservation>(std::move(*first));
    first.reset();
    CPPUNIT_ASSERT(catalog_->token(claims_.id));
    second.reset();
    CPPUNIT_ASSERT(!catalog_->token(claims_.id));
  }

  void theSameMessageGetsItsReceipt() {
    use("<receipt>é</receipt>");
    CPPUNIT_ASSERT_EQUAL(std::string("<receipt>é</receipt>"), std::get<EarlierReceipt>(reserve()).bodyXml);
  }

  void anotherMessageOperationOrPrincipalIsReplayed() {
    use();
    (void)replayed("alice", "Receive", "urn:uuid:2");
    (void)replayed("alice", "Delete", message_);
    (void)replayed("alice/bob", "Receive", message_);
    (void)replayed("alice", "Receive", std::nullopt);
  }

  void theSameMessageIdWithAnotherBodyIsReplayed() {
    use();
    for (int round = 0; round < 2; ++round) {
      expectMentions(
          expectFault(FaultCode::TokenReplayed, [&] { (void)ledger_->reserve(claims_, request("<other/>")); }),
          "asked for something else");
      CPPUNIT_ASSERT(!ledger_->receipt(claims_.id, request("<other/>")));
      CPPUNIT_ASSERT(ledger_->receipt(claims_.id, request()));
      reopen();
    }
    CPPUNIT_ASSERT_EQUAL(std::string("<receipt/>"), std::get<EarlierReceipt>(reserve()).bodyXml);
  }

  void withoutReceiptOrMessageIdItIsReplayed() {
    use(std::nullopt);
    (void)replayed("alice", "Receive", message_);
    claims_.id.back() = '0';
    message_.reset();
    use();
    (void)replayed("alice", "Receive", std::nullopt);
  }

  void theReceiptSurvivesReopening() {
    use("<receipt/>");
    reopen();
    CPPUNIT_ASSERT_EQUAL(std::string("<receipt/>"), std::get<EarlierReceipt>(reserve()).bodyXml);
  }

  void recoveryGivesBackWhatWasReserved() {
    auto lost = std::make_optional(reserved());
    lost->keep(); // as if the process had died: nobody releases it
    lost.reset();
    reopen();
    (void)replayed("alice", "Receive", "urn:uuid:2");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->recover());
    use();
  }

  void aTokenIssuedBeforeTheLedgerBeganIsRefused() {
    CPPUNIT_ASSERT(catalog_->ledgerBirth() == at("2026-01-31T12:00:00.5Z"));
    { const auto sameSecond = reserved(); } // 12:00:00Z: claims made by hand have whole seconds
    claims_.notBefore -= microseconds(1);
    expectMentions(expectFault(FaultCode::BadToken, [&] { (void)reserve(); }), "2026-01-31T12:00:00Z");
    CPPUNIT_ASSERT(!catalog_->token(claims_.id));
  }

  void idsAreKeptUntilTheirTokensCannotBeOpened() {
    use(std::nullopt);
    const auto end = claims_.notAfter + seconds(60);
    CPPUNIT_ASSERT(catalog_->token(claims_.id)->use.keepUntil == end);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, ledger_->prune(end + minutes(10)));
    (void)replayed("alice", "Receive", "urn:uuid:2");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->prune(end + minutes(10) + microseconds(1)));
    CPPUNIT_ASSERT(!catalog_->token(claims_.id));
  }

  void receiptsAreKeptPastTheEndOfTheirTokens() {
    auto held = reserved();
    clock_.set(claims_.notAfter + minutes(45)); // the work took longer than its token lives
    commitWith(held, "<receipt/>");
    held.keep();
    const auto end = clock_.now() + seconds(3600) + seconds(60);
    CPPUNIT_ASSERT(catalog_->token(claims_.id)->use.keepUntil == end);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, ledger_->prune(end + minutes(10)));
    CPPUNIT_ASSERT_EQUAL(std::string("<receipt/>"), ledger_->receipt(claims_.id, request()).value().bodyXml);
    for (const auto &other : {Request{"alice", "Receive", "urn:uuid:2", ""}, Request{"alice", "Delete", message_, ""},
                              Request{"bob", "Receive", message_, ""}, Request{"alice", "Receive", {}, ""}}) {
      CPPUNIT_ASSERT(!ledger_->receipt(claims_.id, other));
    }
    CPPUNIT_ASSERT(!ledger_->receipt(std::string(32, '0'), request()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->prune(end + minutes(10) + microseconds(1)));
    CPPUNIT_ASSERT(!ledger_->receipt(claims_.id, request()));
  }

  void aReceiptIsWaitedFor() {
    auto held = std::make_optional(reserved());
    (void)expectFault(FaultCode::Busy, [&] { (void)ledger_->receipt(claims_.id, request()); });
    held.reset();
    CPPUNIT_ASSERT(!ledger_->receipt(claims_.id, request()));
    use(std::nullopt);
    CPPUNIT_ASSERT(!ledger_->receipt(claims_.id, request()));
  }

  void theSameMessageIsToldThatItsFirstAttemptIsAtWork() {
    auto held = std::make_optional(reserved());
    expectMentions(expectFault(FaultCode::Busy, [&] { (void)reserve(); }), "first attempt");
    held.reset();
    CPPUNIT_ASSERT(std::holds_alternative<Reservation>(reserve()));
  }

  void theSameMessageWaitsForItsReceipt() {
    patient();
    auto held = reserved();
    std::jthread work([&] {
      waitForWatchers();
      commitWith(held, "<receipt/>");
      held.keep();
    });
    CPPUNIT_ASSERT_EQUAL(std::string("<receipt/>"), std::get<EarlierReceipt>(reserve()).bodyXml);
  }

  void theSameMessageWaitsForARelease() {
    patient();
    auto held = std::make_optional(reserved());
    std::jthread work([&] {
      waitForWatchers();
      held.reset();
    });
    CPPUNIT_ASSERT(std::holds_alternative<Reservation>(reserve()));
  }

  void anotherTokensEndWakesNobody() {
    policy_.patience = std::chrono::milliseconds(300);
    ledger_ = std::make_unique<Ledger>(*catalog_, clock_, policy_);
    const auto held = reserved();
    auto other = claims_;
    other.id.back() = '0';
    std::jthread work([&] {
      for (int i = 0; i < 20; ++i) {
        const auto another = ledger_->reserve(other, request());
      }
    });
    (void)expectFault(FaultCode::Busy, [&] { (void)reserve(); });
  }

  void aBoundTokenIsGoodForItsRequestAlone() {
    {
      auto held = reserved();
      held.bind();
    }
    CPPUNIT_ASSERT(!catalog_->token(claims_.id)->held);
    message_ = "urn:uuid:2"; // a client may give its second try another MessageID
    expectMentions(
        expectFault(FaultCode::TokenReplayed, [&] { (void)ledger_->reserve(claims_, request("<another/>")); }),
        "another request");
    (void)replayed("bob", "Receive", message_);
    (void)replayed("alice", "Delete", message_);
    {
      auto again = reserved();
      again.bind();
    }
    use(std::nullopt);
    (void)replayed("alice", "Receive", message_);
  }

  void aBoundTokenStaysBoundAfterACrash() {
    auto lost = std::make_optional(reserved());
    lost->bind();
    lost->keep(); // as if the process had died: nobody releases it
    lost.reset();
    reopen();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->recover());
    (void)expectFault(FaultCode::TokenReplayed, [&] { (void)ledger_->reserve(claims_, request("<another/>")); });
    CPPUNIT_ASSERT(std::holds_alternative<Reservation>(reserve()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->prune(claims_.notAfter + seconds(60) + minutes(11)));
  }

  void whatWasReleasedIsNotBound() {
    auto held = reserved();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->recover());
    (void)expectFault(FaultCode::TokenReplayed, [&] { held.bind(); });
  }

  void aReleaseThatFailsIsReportedAndMadeUpFor() {
    std::vector<std::string> reports;
    const auto report = [&](const std::string &id, const std::exception &why) {
      CPPUNIT_ASSERT(!std::string(why.what()).empty());
      reports.push_back(id);
    };
    Ledger ledger(*catalog_, clock_, policy_, report);
    auto held = std::make_optional(std::get<Reservation>(ledger.reserve(claims_, request())));
    // Within a work, another commit is refused.
    catalog_->commit(storage::Durability::Relaxed, [&](storage::Transaction &) { held.reset(); });
    CPPUNIT_ASSERT(reports == std::vector{claims_.id});
    CPPUNIT_ASSERT(catalog_->token(claims_.id));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, ledger.prune(clock_.now()));
    CPPUNIT_ASSERT(!catalog_->token(claims_.id));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reports.size());
  }

  void spendingWhatWasReleasedFails() {
    auto held = reserved();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->recover());
    (void)expectFault(FaultCode::TokenReplayed, [&] { commitWith(held, std::nullopt); });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LedgerTest);

} // namespace
