// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "expect_fault.hpp"
#include "storage/catalog.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace waybill::storage::tests {

/// The clock of the tests.
class FixedClock final : public Clock {
public:
  [[nodiscard]] Time now() const override { return now_; }
  void set(Time now) { now_ = now; }

private:
  Time now_{std::chrono::seconds(1'700'000'000)};
};

/// What every catalog has to do. A fixture for one derives from it, opens the catalog in open(), and takes the tests
/// over with CPPUNIT_TEST_SUB_SUITE.
class CatalogSuite : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CatalogSuite);
  // objects
  CPPUNIT_TEST(objectsComeBackAsTheyWere);
  CPPUNIT_TEST(aTakenPathIsRefusedAndTheWorkMayGoOn);
  CPPUNIT_TEST(anIdIsTakenOnce);
  CPPUNIT_TEST(objectsAreRemoved);
  CPPUNIT_TEST(aTransactionSeesItsOwnWrites);
  CPPUNIT_TEST(expiredObjectsAreFound);
  CPPUNIT_TEST(textThatIsNotTextIsRefused);
  CPPUNIT_TEST(sizesUpToSixtyThreeBits);
  // lists
  CPPUNIT_TEST(listsCoverWholeSegments);
  CPPUNIT_TEST(listsAreInByteOrder);
  CPPUNIT_TEST(listsArePaged);
  CPPUNIT_TEST(objectsComeInTheOrderOfTheirIds);
  CPPUNIT_TEST(pagesAreStableWhileRowsComeAndGo);
  // tokens
  CPPUNIT_TEST(aTokenIsReservedOnce);
  CPPUNIT_TEST(aTokenIsSpentOnceAndOnlyWhenReserved);
  CPPUNIT_TEST(aReleasedTokenCanBeReservedAgainASpentOneNever);
  CPPUNIT_TEST(aBoundTokenIsGoodForItsRequestAlone);
  CPPUNIT_TEST(aBoundTokenStaysBoundAndIsPruned);
  CPPUNIT_TEST(pruningForgetsOldSpentTokens);
  CPPUNIT_TEST(allReservedTokensAreReleased);
  CPPUNIT_TEST(ofManyThreadsOneReserves);
  // transfers
  CPPUNIT_TEST(transfersComeBackAsTheyWere);
  CPPUNIT_TEST(aMessageStartsOneTransferOfItsCaller);
  CPPUNIT_TEST(ofTwoThreadsOneStartsATransfer);
  CPPUNIT_TEST(anEndedTransferStaysAsItIs);
  CPPUNIT_TEST(ofACancelAndACompletionOneWins);
  CPPUNIT_TEST(anEndAndItsTimeGoTogether);
  CPPUNIT_TEST(transfersAreListedNewestFirst);
  CPPUNIT_TEST(dueTransfersComeByPriorityThenTime);
  CPPUNIT_TEST(subjectsOfOneKeyShare);
  CPPUNIT_TEST(aLongQueueOfOnePrincipalHidesNobodys);
  CPPUNIT_TEST(aLongQueueToOnePeerHidesNobodys);
  CPPUNIT_TEST(whatAKeyHasWaitingIsCounted);
  CPPUNIT_TEST(activeTransfersAreQueuedAgainAtStart);
  CPPUNIT_TEST(pruningForgetsEndedTransfers);
  // keys, grants, settings
  CPPUNIT_TEST(keysAreFoundByInstanceAndByAlias);
  CPPUNIT_TEST(anAliasBelongsToOneKey);
  CPPUNIT_TEST(grantsAreKeptReplacedAndRemoved);
  CPPUNIT_TEST(aGrantNeedsARight);
  CPPUNIT_TEST(settingsAreKept);
  CPPUNIT_TEST(theCatalogsOwnSettingsAreNotSetFromOutside);
  // transactions
  CPPUNIT_TEST(whatThrowsChangesNothing);
  CPPUNIT_TEST(everyCallerGetsItsOwnFailure);
  CPPUNIT_TEST(otherExceptionsComeThroughAsTheyAre);
  CPPUNIT_TEST(committingWithinAWorkIsRefused);
  CPPUNIT_TEST(readsSeeWhatWasCommitted);
  CPPUNIT_TEST(readersAndWritersAtOnce);
  CPPUNIT_TEST(relaxedWorkIsSeenToo);
  CPPUNIT_TEST(everythingIsThereAfterReopening);
  CPPUNIT_TEST(theLedgerKeepsItsBirth);
  CPPUNIT_TEST(twoCatalogsOnOneDatabase);
  CPPUNIT_TEST(theCheckPasses);
  CPPUNIT_TEST_SUITE_END_ABSTRACT();

public:
  void setUp() override { catalog_ = open(); }
  void tearDown() override { catalog_.reset(); }

  void objectsComeBackAsTheyWere();
  void aTakenPathIsRefusedAndTheWorkMayGoOn();
  void anIdIsTakenOnce();
  void objectsAreRemoved();
  void aTransactionSeesItsOwnWrites();
  void expiredObjectsAreFound();
  void textThatIsNotTextIsRefused();
  void sizesUpToSixtyThreeBits();
  void listsCoverWholeSegments();
  void listsAreInByteOrder();
  void listsArePaged();
  void objectsComeInTheOrderOfTheirIds();
  void pagesAreStableWhileRowsComeAndGo();
  void aTokenIsReservedOnce();
  void aTokenIsSpentOnceAndOnlyWhenReserved();
  void aReleasedTokenCanBeReservedAgainASpentOneNever();
  void aBoundTokenIsGoodForItsRequestAlone();
  void aBoundTokenStaysBoundAndIsPruned();
  void pruningForgetsOldSpentTokens();
  void allReservedTokensAreReleased();
  void ofManyThreadsOneReserves();
  void transfersComeBackAsTheyWere();
  void aMessageStartsOneTransferOfItsCaller();
  void ofTwoThreadsOneStartsATransfer();
  void anEndedTransferStaysAsItIs();
  void ofACancelAndACompletionOneWins();
  void anEndAndItsTimeGoTogether();
  void transfersAreListedNewestFirst();
  void dueTransfersComeByPriorityThenTime();
  void subjectsOfOneKeyShare();
  void aLongQueueOfOnePrincipalHidesNobodys();
  void aLongQueueToOnePeerHidesNobodys();
  void whatAKeyHasWaitingIsCounted();
  void activeTransfersAreQueuedAgainAtStart();
  void pruningForgetsEndedTransfers();
  void keysAreFoundByInstanceAndByAlias();
  void anAliasBelongsToOneKey();
  void grantsAreKeptReplacedAndRemoved();
  void aGrantNeedsARight();
  void settingsAreKept();
  void theCatalogsOwnSettingsAreNotSetFromOutside();
  void whatThrowsChangesNothing();
  void everyCallerGetsItsOwnFailure();
  void otherExceptionsComeThroughAsTheyAre();
  void committingWithinAWorkIsRefused();
  void readsSeeWhatWasCommitted();
  void readersAndWritersAtOnce();
  void relaxedWorkIsSeenToo();
  void everythingIsThereAfterReopening();
  void theLedgerKeepsItsBirth();
  void twoCatalogsOnOneDatabase();
  void theCheckPasses();

protected:
  /// The catalog of this test: the same database each time, new at the first.
  virtual std::unique_ptr<Catalog> open() = 0;

  [[nodiscard]] static std::string idOf(const std::string &path);
  /// A row for that path, with an id made of it.
  [[nodiscard]] static ObjectRow rowAt(const std::string &path);
  [[nodiscard]] static TokenUse useOf(const std::string &id);
  [[nodiscard]] static TrustedKey keyOf(char digit, std::optional<std::string> alias);
  void insert(const std::vector<std::string> &paths);
  void durable(const std::function<void(Transaction &)> &work) { catalog_->commit(Durability::Durable, work); }
  [[nodiscard]] std::vector<std::string> paths(const std::string &prefix, const std::string &after,
                                               std::size_t limit) const;

  FixedClock clock_;
  std::unique_ptr<Catalog> catalog_;
};

} // namespace waybill::storage::tests
