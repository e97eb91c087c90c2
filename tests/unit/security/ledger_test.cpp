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
  CPPUNIT_TEST(withoutReceiptOrMessageIdItIsReplayed);
  CPPUNIT_TEST(theReceiptSurvivesReopening);
  CPPUNIT_TEST(recoveryGivesBackWhatWasReserved);
  CPPUNIT_TEST(aTokenIssuedBeforeTheLedgerBeganIsRefused);
  CPPUNIT_TEST(idsAreKeptUntilTheirTokensCannotBeOpened);
  CPPUNIT_TEST(aReleaseThatFailsIsReportedAndMadeUpFor);
  CPPUNIT_TEST(spendingWhatWasReleasedFails);
  CPPUNIT_TEST_SUITE_END();

  TemporaryFolder folder_;
  StandingClock clock_{at("2026-01-31T12:00:00.5Z")};
  std::unique_ptr<storage::Catalog> catalog_ = open();
  std::unique_ptr<Ledger> ledger_ = std::make_unique<Ledger>(*catalog_, seconds(60));
  TokenClaims claims_ = claimsFor(keyOf("alice"), keyOf("lab"));
  std::optional<std::string> message_{"urn:uuid:1"};

  std::unique_ptr<storage::Catalog> open() { return storage::openSqliteCatalog(folder_.file("catalog"), clock_); }
  void reopen() {
    ledger_.reset();
    catalog_.reset();
    catalog_ = open();
    ledger_ = std::make_unique<Ledger>(*catalog_, seconds(60));
  }
  std::variant<Reservation, EarlierReceipt> reserve() {
    return ledger_->reserve(claims_, "alice", "Receive", message_);
  }
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
    return expectFault(FaultCode::TokenReplayed,
                       [&] { (void)ledger_->reserve(claims_, principal, operation, message); });
  }

public:
  void aSpentTokenIsReplayed() {
    use();
    expectMentions(replayed("alice", "Receive", "urn:uuid:2"), "was used already");
  }

  void aTokenInUseIsReplayed() {
    const auto held = reserved();
    CPPUNIT_ASSERT_EQUAL(claims_.id, held.use().tokenId);
    expectMentions(replayed("alice", "Receive", message_), "in use");
    auto other = claims_;
    other.id.back() = '0';
    CPPUNIT_ASSERT(std::holds_alternative<Reservation>(ledger_->reserve(other, "alice", "Receive", message_)));
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
          mine.emplace(std::get<Reservation>(ledger_->reserve(claims_, "alice", "Receive", std::nullopt)));
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
          auto reservation = std::get<Reservation>(ledger_->reserve(claims_, "alice", "Receive", std::nullopt));
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
    (void)replayed("alice", "Receive", message_);
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
    use();
    const auto end = claims_.notAfter + seconds(60);
    CPPUNIT_ASSERT(catalog_->token(claims_.id)->use.keepUntil == end);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, ledger_->prune(end + minutes(10)));
    (void)replayed("alice", "Receive", "urn:uuid:2");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ledger_->prune(end + minutes(10) + microseconds(1)));
    CPPUNIT_ASSERT(!catalog_->token(claims_.id));
  }

  void aReleaseThatFailsIsReportedAndMadeUpFor() {
    std::vector<std::string> reports;
    const auto report = [&](const std::string &id, const std::exception &why) {
      CPPUNIT_ASSERT(!std::string(why.what()).empty());
      reports.push_back(id);
    };
    Ledger ledger(*catalog_, seconds(60), report);
    auto held = std::make_optional(std::get<Reservation>(ledger.reserve(claims_, "alice", "Receive", message_)));
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
