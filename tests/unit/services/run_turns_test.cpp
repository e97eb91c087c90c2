// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/run_turns.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <future>
#include <mutex>
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
  CPPUNIT_TEST(callersDoNotOvertakeTheQueue);
  CPPUNIT_TEST(ofOnesOwnThePriorityDecides);
  CPPUNIT_TEST(whoseCallerHasGoneWaitsNoLonger);
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

  static void assertNoPlace(RunTurns &turns, const std::string &principal) {
    try {
      (void)turns.enter(principal);
      CPPUNIT_FAIL("there was a place");
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT(fault.code() == FaultCode::Busy);
    }
  }

  std::unique_ptr<RunTurns::Turn> forQueue(RunTurns &turns, const std::string &principal) {
    return turns.take({{principal, normalPriority, clock_.now()}}).turn;
  }

  void asManyAsAllowed() {
    RunTurns turns(bounds(2, 2, 8), clock_);
    const auto first = turns.wait("a");
    auto second = forQueue(turns, "b");
    CPPUNIT_ASSERT(second);
    CPPUNIT_ASSERT(!forQueue(turns, "c"));
    second.reset();
    CPPUNIT_ASSERT(forQueue(turns, "c"));
  }

  void asManyAsAllowedForOne() {
    RunTurns turns(bounds(4, 1, 8), clock_);
    const auto first = turns.wait("a");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, turns.underWay("a"));
    CPPUNIT_ASSERT(!forQueue(turns, "a"));
    CPPUNIT_ASSERT(forQueue(turns, "b"));
  }

  void tooManyCallersAreToldAtOnce() {
    RunTurns turns(bounds(4, 4, 3), clock_);
    auto first = turns.enter("a");
    assertNoPlace(turns, "a"); // half of them are for one
    const auto second = turns.enter("b");
    const auto third = turns.enter("c");
    assertNoPlace(turns, "d");
    first.reset();
    CPPUNIT_ASSERT(turns.enter("d"));
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
    auto first = turns.wait("a");
    const auto second = turns.wait("b");
    std::thread caller([&] { (void)turns.wait("c"); });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    CPPUNIT_ASSERT(!forQueue(turns, "d"));
    first.reset();
    caller.join();
    CPPUNIT_ASSERT(forQueue(turns, "d"));
  }

  /// A caller lets what is queued and goes first go first, until it has, or is there no more.
  void callersDoNotOvertakeTheQueue() {
    RunTurns turns(bounds(1, 1, 8), clock_);
    const std::vector<services::Claim> queued{{"a", 5, clock_.now()}, {"a", 3, clock_.now()}};
    std::atomic<bool> told{false};
    turns.onFree([&] { told = true; });
    auto running = turns.wait("b");
    CPPUNIT_ASSERT(!turns.take(queued).turn);
    std::atomic<bool> ran{false};
    std::thread caller([&] {
      const auto turn = turns.wait("a", 4);
      ran = true;
    });
    waitUntilItWaits();
    running.reset();
    CPPUNIT_ASSERT(told);
    waitUntilItWaits();
    CPPUNIT_ASSERT(!ran);
    auto taken = turns.take({queued[1], queued[0]});
    CPPUNIT_ASSERT(taken.turn);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, taken.which);
    CPPUNIT_ASSERT(!turns.take({queued[1]}).turn);
    taken.turn.reset();
    caller.join(); // it goes before the other one, whose priority is lower
    CPPUNIT_ASSERT(ran);
    CPPUNIT_ASSERT(turns.take({queued[1]}).turn);

    // What has been cancelled holds nobody up.
    running = turns.wait("b");
    CPPUNIT_ASSERT(!turns.take(queued).turn);
    ran = false;
    std::thread another([&] {
      const auto turn = turns.wait("a");
      ran = true;
    });
    waitUntilItWaits();
    running.reset();
    CPPUNIT_ASSERT(!turns.take({}).turn);
    another.join();
    CPPUNIT_ASSERT(ran);
  }

  void ofOnesOwnThePriorityDecides() {
    RunTurns turns(bounds(1, 1, 20), clock_);
    auto running = turns.wait("b");
    std::mutex mutex;
    std::vector<std::int32_t> order;
    std::vector<std::jthread> callers;
    for (const std::int32_t priority : {3, 1, 5, 4}) {
      callers.emplace_back([&, priority] {
        const auto turn = turns.wait("a", priority);
        const std::lock_guard lock(mutex);
        order.push_back(priority);
      });
      waitUntilItWaits();
    }
    running.reset();
    callers.clear();
    CPPUNIT_ASSERT((order == std::vector<std::int32_t>{5, 4, 3, 1}));
  }

  void whoseCallerHasGoneWaitsNoLonger() {
    RunTurns turns(bounds(1, 1, 2), clock_);
    const auto running = turns.wait("b");
    std::atomic<bool> gone{false};
    const auto wait = [&] {
      (void)turns.wait("a", normalPriority, [&] {
        if (gone) {
          throw Fault(FaultCode::DeliveryFailed, "it has gone");
        }
      });
    };
    auto waiting = std::async(std::launch::async, wait);
    CPPUNIT_ASSERT(waiting.wait_for(std::chrono::milliseconds(400)) == std::future_status::timeout);
    gone = true;
    CPPUNIT_ASSERT(waiting.wait_for(std::chrono::seconds(2)) == std::future_status::ready);
    CPPUNIT_ASSERT_THROW(waiting.get(), Fault);
  }

  static void waitUntilItWaits() { std::this_thread::sleep_for(std::chrono::milliseconds(100)); }

  void theQueueIsToldOfAFreeTurn() {
    RunTurns turns(bounds(1, 1, 8), clock_);
    std::atomic<int> told{0};
    turns.onFree([&] { ++told; });
    (void)turns.wait("a");
    CPPUNIT_ASSERT_EQUAL(1, told.load());
    forQueue(turns, "b").reset();
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
