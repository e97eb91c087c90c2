// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/fair_turns.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <string>
#include <vector>

namespace waybill {

namespace {

using services::Claim;

/// Who is next of several, and after that one, and so on: names of claims by "principal priority second".
class FairTurnsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FairTurnsTest);
  CPPUNIT_TEST(nobodyIsNextOfNone);
  CPPUNIT_TEST(ofOnesOwnThePriorityDecidesThenTheTime);
  CPPUNIT_TEST(aPriorityMovesNothingAheadOfOthers);
  CPPUNIT_TEST(whoComesLateWaitsForNoBacklog);
  CPPUNIT_TEST(whoHasFewestUnderWayIsNext);
  CPPUNIT_TEST(receiptsGoBeforeEverything);
  CPPUNIT_TEST_SUITE_END();

  static Claim claim(const std::string &principal, std::int32_t priority, int second) {
    return {principal, priority, Time(std::chrono::seconds(second))};
  }
  static std::string text(const Claim &claim) {
    return claim.principal + " " + std::to_string(claim.priority) + " " +
           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(claim.since.time_since_epoch()).count());
  }

  /// All of `claims`, in their order. `keeps`: what was chosen stays under way.
  static std::vector<std::string> order(const std::vector<Claim> &claims, bool keeps, services::Shares shares = {}) {
    std::vector<const Claim *> left;
    for (const auto &one : claims) {
      left.push_back(&one);
    }
    std::vector<std::string> chosen;
    while (const auto *next = services::nextClaim(left, shares)) {
      chosen.push_back(text(*next));
      shares.begin(next->principal);
      if (!keeps) {
        shares.end(next->principal);
      }
      std::erase(left, next);
    }
    return chosen;
  }
  /// Of those that have begun so many, one after the other, and ended none.
  static services::Shares having(const std::vector<std::string> &begun) {
    services::Shares shares;
    for (const auto &principal : begun) {
      shares.begin(principal);
    }
    return shares;
  }
  using Texts = std::vector<std::string>;

  void nobodyIsNextOfNone() { CPPUNIT_ASSERT(order({}, false).empty()); }

  void ofOnesOwnThePriorityDecidesThenTheTime() {
    CPPUNIT_ASSERT((order({claim("a", 3, 2), claim("a", 1, 0), claim("a", 5, 9), claim("a", 3, 1), claim("a", 5, 8)},
                          false) == Texts{"a 5 8", "a 5 9", "a 3 1", "a 3 2", "a 1 0"}));
  }

  void aPriorityMovesNothingAheadOfOthers() {
    // One place: nobody has anything under way when it is free.
    CPPUNIT_ASSERT((order({claim("a", 5, 2), claim("b", 1, 1), claim("a", 5, 4), claim("b", 1, 3)}, false) ==
                    Texts{"b 1 1", "a 5 2", "b 1 3", "a 5 4"}));
    // What waits long does not hold the place for what has come later.
    CPPUNIT_ASSERT(
        (order({claim("a", 1, 0), claim("b", 3, 5), claim("a", 5, 6)}, false) == Texts{"b 3 5", "a 5 6", "a 1 0"}));
  }

  void whoComesLateWaitsForNoBacklog() {
    std::vector<Claim> claims(20, claim("a", 3, 0));
    claims.push_back(claim("b", 3, 9));
    // One place, and it has been a's.
    auto shares = having({"a"});
    shares.end("a");
    CPPUNIT_ASSERT_EQUAL(std::string("b 3 9"), order(claims, false, shares).front());
    // Two places of two with a backlog, of which one is free again.
    shares = having({"a", "c"});
    shares.end("c");
    CPPUNIT_ASSERT((order({claim("a", 3, 0), claim("c", 3, 1), claim("a", 3, 2), claim("c", 3, 3), claim("b", 3, 9)},
                          true, shares) == Texts{"b 3 9", "c 3 1", "a 3 0", "c 3 3", "a 3 2"}));
  }

  void whoHasFewestUnderWayIsNext() {
    CPPUNIT_ASSERT(
        (order({claim("a", 5, 0), claim("a", 5, 1), claim("b", 1, 7)}, true) == Texts{"a 5 0", "b 1 7", "a 5 1"}));
    CPPUNIT_ASSERT((order({claim("a", 5, 0), claim("b", 1, 7), claim("b", 2, 8)}, true, having({"a", "a"})) ==
                    Texts{"b 2 8", "b 1 7", "a 5 0"}));
  }

  void receiptsGoBeforeEverything() {
    CPPUNIT_ASSERT((order({claim("a", 5, 0), claim("b", receiptPriority, 9), claim("c", 5, 1)}, true,
                          having({"b", "b", "b", "a"})) == Texts{"b 6 9", "c 5 1", "a 5 0"}));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FairTurnsTest);

} // namespace

} // namespace waybill
