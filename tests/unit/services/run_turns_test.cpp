// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/run_turns.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>
#include <vector>

namespace waybill {

namespace {

using services::RunTurns;

class RunTurnsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RunTurnsTest);
  CPPUNIT_TEST(asManyAsAllowed);
  CPPUNIT_TEST(asManyAsAllowedForOne);
  CPPUNIT_TEST(tooManyCallersAreToldAtOnce);
  CPPUNIT_TEST(whoWaitsTooLongIsTold);
  CPPUNIT_TEST(aFreeTurnGoesToTheOneWithFewest);
  CPPUNIT_TEST(theQueueDoesNotOvertakeCallers);
  CPPUNIT_TEST(theQueueIsToldOfAFreeTurn);
  CPPUNIT_TEST(neverMoreThanAllowed);
  CPPUNIT_TEST_SUITE_END();

  static RunTurns::Bounds bounds(std::size_t active, std::size_t each, std::size_t waiting,
                                 std::chrono::seconds patience = std::chrono::seconds(20)) {
    return {active, each, waiting, patience};
  }

  static void assertBusy(RunTurns &turns) {
    try {
      (void)turns.wait("late");
      CPPUNIT_FAIL("there was a turn");
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT(fault.code() == FaultCode::Busy);
    }
  }

  void asManyAsAllowed() {
    RunTurns turns(bounds(2, 2, 8), clock_);
    const auto first = turns.wait("a");
    auto second = turns.tryTake("b", clock_.now());
    CPPUNIT_ASSERT(second);
    CPPUNIT_ASSERT(!turns.tryTake("c", clock_.now()));
    second.reset();
    CPPUNIT_ASSERT(turns.tryTake("c", clock_.now()));
  }

  void asManyAsAllowedForOne() {
    RunTurns turns(bounds(4, 1, 8), clock_);
    const auto first = turns.wait("a");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, turns.underWay("a"));
    CPPUNIT_ASSERT(!turns.tryTake("a", clock_.now()));
    CPPUNIT_ASSERT(turns.tryTake("b", clock_.now()));
  }

  void tooManyCallersAreToldAtOnce() {
    RunTurns turns(bounds(4, 4, 1), clock_);
    {
      const auto first = turns.wait("a");
      assertBusy(turns);
    }
    CPPUNIT_ASSERT(turns.wait("a"));
  }

  void whoWaitsTooLongIsTold() {
    RunTurns turns(bounds(1, 1, 8, std::chrono::seconds(0)), clock_);
    {
      const auto first = turns.wait("a");
      assertBusy(turns);
    }
    CPPUNIT_ASSERT(turns.wait("b"));
  }

  void aFreeTurnGoesToTheOneWithFewest() {
    RunTurns turns(bounds(2, 2, 8), clock_);
    auto mine = turns.wait("a");
    auto second = turns.wait("a");
    std::atomic<int> order{0};
    int ofA = 0;
    int ofB = 0;
    std::thread a([&] {
      const auto turn = turns.wait("a");
      ofA = ++order;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(100)); // it waits, and longer than the next
    std::thread b([&] {
      const auto turn = turns.wait("b");
      ofB = ++order;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    second.reset();
    b.join();
    mine.reset();
    a.join();
    CPPUNIT_ASSERT_EQUAL(1, ofB);
    CPPUNIT_ASSERT_EQUAL(2, ofA);
  }

  void theQueueDoesNotOvertakeCallers() {
    RunTurns turns(bounds(2, 1, 8), clock_);
    const auto early = clock_.now();
    auto first = turns.wait("a");
    auto second = turns.wait("b");
    std::thread caller([&] { (void)turns.wait("c"); });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    CPPUNIT_ASSERT(!turns.tryTake("d", early));
    first.reset();
    caller.join();
    CPPUNIT_ASSERT(turns.tryTake("d", clock_.now()));
  }

  void theQueueIsToldOfAFreeTurn() {
    RunTurns turns(bounds(1, 1, 8), clock_);
    std::atomic<int> told{0};
    turns.onFree([&] { ++told; });
    (void)turns.wait("a");
    CPPUNIT_ASSERT_EQUAL(1, told.load());
    turns.tryTake("b", clock_.now()).reset();
    CPPUNIT_ASSERT_EQUAL(2, told.load());
  }

  void neverMoreThanAllowed() {
    RunTurns turns(bounds(3, 2, 100), clock_);
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < 20; ++n) {
          const auto turn = turns.wait(std::string(1, static_cast<char>('a' + i % 3)));
          const auto now = ++running;
          for (auto seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          std::this_thread::yield();
          --running;
        }
      });
    }
    for (auto &thread : threads) {
      thread.join();
    }
    CPPUNIT_ASSERT(most.load() <= 3 && most.load() > 0);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, turns.underWay("a"));
  }

  SystemClock clock_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(RunTurnsTest);

} // namespace

} // namespace waybill
