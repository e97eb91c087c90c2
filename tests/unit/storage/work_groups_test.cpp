// SPDX-License-Identifier: GPL-3.0-or-later
#include "expect_fault.hpp"
#include "storage/work_groups.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <set>
#include <vector>

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;

const std::function<void(Transaction &)> nothing = [](Transaction &) {};

class WorkGroupsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WorkGroupsTest);
  CPPUNIT_TEST(aLoneCallerIsAGroupOfItsOwn);
  CPPUNIT_TEST(whoComesMeanwhileSharesTheNextGroup);
  CPPUNIT_TEST(groupsAreBounded);
  CPPUNIT_TEST(errorsGoToTheirCallers);
  CPPUNIT_TEST(upkeepComesAfterTheCallersHaveGoneOn);
  CPPUNIT_TEST(nobodyIsForgotten);
  CPPUNIT_TEST_SUITE_END();

public:
  void aLoneCallerIsAGroupOfItsOwn() {
    std::vector<std::size_t> sizes;
    std::thread::id ran;
    WorkGroups groups(
        [&](auto group) {
          sizes.push_back(group.size());
          ran = std::this_thread::get_id();
        },
        [] {});
    groups.commit(Durability::Durable, nothing);
    groups.commit(Durability::Durable, nothing);
    CPPUNIT_ASSERT((sizes == std::vector<std::size_t>{1, 1}));
    CPPUNIT_ASSERT(ran == std::this_thread::get_id());
  }

  void whoComesMeanwhileSharesTheNextGroup() { CPPUNIT_ASSERT((sizesWith(20) == std::vector<std::size_t>{1, 20})); }

  void groupsAreBounded() { CPPUNIT_ASSERT((sizesWith(300) == std::vector<std::size_t>{1, 256, 44})); }

  void errorsGoToTheirCallers() {
    WorkGroups groups(
        [](auto group) {
          for (auto *work : group) {
            if (work->durability == Durability::Relaxed) {
              work->error = std::make_exception_ptr(Fault(FaultCode::TooLarge, "for the relaxed"));
            }
          }
        },
        [] {});
    groups.commit(Durability::Durable, nothing);
    expectFault(FaultCode::TooLarge, [&] { groups.commit(Durability::Relaxed, nothing); });
  }

  void upkeepComesAfterTheCallersHaveGoneOn() {
    std::latch first(1);
    std::latch second(1);
    std::atomic<bool> wentOn{false};
    int upkeeps = 0;
    WorkGroups groups(
        [&, round = 0](auto) mutable {
          if (round++ == 0) {
            first.count_down();
            second.wait();
          }
        },
        [&] {
          if (++upkeeps == 2) {
            // The second group's leader is here; its companion must be able to go on all the same.
            for (int i = 0; i < 10'000 && !wentOn; ++i) {
              std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
          }
        });
    {
      std::jthread leader([&] { groups.commit(Durability::Durable, nothing); });
      first.wait();
      std::vector<std::jthread> followers;
      for (int i = 0; i < 2; ++i) {
        followers.emplace_back([&] {
          groups.commit(Durability::Durable, nothing);
          wentOn = true;
        });
      }
      waitFor(groups, 2);
      second.count_down();
    }
    CPPUNIT_ASSERT(wentOn);
    CPPUNIT_ASSERT_EQUAL(2, upkeeps);
  }

  void nobodyIsForgotten() {
    std::atomic<int> ran{0};
    std::atomic<int> groupsRun{0};
    WorkGroups groups(
        [&](auto group) {
          ran += static_cast<int>(group.size());
          ++groupsRun;
        },
        [] {});
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 32; ++t) {
        threads.emplace_back([&] {
          for (int i = 0; i < 200; ++i) {
            groups.commit(Durability::Durable, nothing);
          }
        });
      }
    }
    CPPUNIT_ASSERT_EQUAL(32 * 200, ran.load());
    CPPUNIT_ASSERT(groupsRun <= ran);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, groups.waiting());
  }

private:
  static void waitFor(const WorkGroups &groups, std::size_t count) {
    for (int i = 0; i < 60'000 && groups.waiting() < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CPPUNIT_ASSERT_EQUAL(count, groups.waiting());
  }

  /// The sizes of the groups when `followers` threads come while the first group, of one, is running.
  static std::vector<std::size_t> sizesWith(std::size_t followers) {
    std::latch started(1);
    std::latch goOn(1);
    std::vector<std::size_t> sizes;
    WorkGroups groups(
        [&](auto group) {
          sizes.push_back(group.size());
          if (sizes.size() == 1) {
            started.count_down();
            goOn.wait();
          }
        },
        [] {});
    {
      std::vector<std::jthread> threads;
      threads.emplace_back([&] { groups.commit(Durability::Durable, nothing); });
      started.wait();
      for (std::size_t i = 0; i < followers; ++i) {
        threads.emplace_back([&] { groups.commit(Durability::Durable, nothing); });
      }
      waitFor(groups, followers);
      goOn.count_down();
    }
    return sizes;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkGroupsTest);

} // namespace
