// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/budget.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using namespace waybill;

class BudgetTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BudgetTest);
  CPPUNIT_TEST(sharesTakeTogether);
  CPPUNIT_TEST(whatIsFreeDoesNotCount);
  CPPUNIT_TEST(theOnlyOneTakesWhatItNeeds);
  CPPUNIT_TEST(movedSharesGiveBackOnce);
  CPPUNIT_TEST(withoutABudgetAllIsGranted);
  CPPUNIT_TEST(manyThreadsStayWithin);
  CPPUNIT_TEST_SUITE_END();

public:
  void sharesTakeTogether() {
    const auto budget = std::make_shared<Budget>(10, 0);
    Budget::Share first(budget);
    CPPUNIT_ASSERT(first.take(6));
    {
      Budget::Share second(budget);
      CPPUNIT_ASSERT(second.take(4));
      CPPUNIT_ASSERT(!second.take(1));
      CPPUNIT_ASSERT(!first.take(1));
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{4}, second.taken());
    }
    CPPUNIT_ASSERT(first.take(4));
    Budget::Share third(budget);
    CPPUNIT_ASSERT(!third.take(1));
    first.giveBack();
    CPPUNIT_ASSERT(third.take(10));
  }

  void whatIsFreeDoesNotCount() {
    const auto budget = std::make_shared<Budget>(10, 5);
    Budget::Share first(budget);
    CPPUNIT_ASSERT(first.take(15));
    for (int i = 0; i < 100; ++i) {
      Budget::Share small(budget);
      CPPUNIT_ASSERT(small.take(2) && small.take(3));
      CPPUNIT_ASSERT(!small.take(1));
    }
  }

  void theOnlyOneTakesWhatItNeeds() {
    const auto budget = std::make_shared<Budget>(10, 0);
    Budget::Share large(budget);
    CPPUNIT_ASSERT(large.take(8) && large.take(100));
    Budget::Share other(budget);
    CPPUNIT_ASSERT(!other.take(1));
    large.giveBack();
    CPPUNIT_ASSERT(other.take(1));
    CPPUNIT_ASSERT(!large.take(100));
  }

  void movedSharesGiveBackOnce() {
    const auto budget = std::make_shared<Budget>(10, 0);
    Budget::Share watcher(budget);
    CPPUNIT_ASSERT(watcher.take(1));
    {
      Budget::Share first(budget);
      CPPUNIT_ASSERT(first.take(9));
      Budget::Share second(std::move(first));
      Budget::Share third(budget);
      third = std::move(second);
      CPPUNIT_ASSERT(!watcher.take(1));
    }
    CPPUNIT_ASSERT(watcher.take(9));
    Budget::Share last(budget);
    CPPUNIT_ASSERT(!last.take(1));
  }

  void withoutABudgetAllIsGranted() {
    Budget::Share share;
    CPPUNIT_ASSERT(share.take(1ULL << 60U));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1} << 60U, share.taken());
  }

  void manyThreadsStayWithin() {
    const auto budget = std::make_shared<Budget>(3, 0);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 2000; ++round) {
          Budget::Share share(budget);
          if (share.take(1)) {
            const auto now = ++inside;
            for (auto seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
            }
            --inside;
          }
        }
      });
    }
    threads.clear();
    CPPUNIT_ASSERT(most >= 1 && most <= 3);
    Budget::Share all(budget);
    Budget::Share none(budget);
    CPPUNIT_ASSERT(all.take(3) && !none.take(1));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BudgetTest);

} // namespace
