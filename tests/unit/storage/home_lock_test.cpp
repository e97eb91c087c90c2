// SPDX-License-Identifier: GPL-3.0-or-later
#include "expect_fault.hpp"
#include "storage/home_lock.hpp"
#include "temporary_folder.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <csignal>
#include <fstream>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;

class HomeLockTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HomeLockTest);
  CPPUNIT_TEST(theSecondIsToldWhoHoldsIt);
  CPPUNIT_TEST(releasedAtTheEnd);
  CPPUNIT_TEST(anotherProcessHoldsItUntilItDies);
  CPPUNIT_TEST(anOldFileIsNoLock);
  CPPUNIT_TEST(nonsenseInTheFile);
  CPPUNIT_TEST(noSuchHome);
  CPPUNIT_TEST_SUITE_END();

public:
  void theSecondIsToldWhoHoldsIt() {
    const HomeLock lock(folder_.path());
    const auto fault = expectFault(FaultCode::Busy, [&] { const HomeLock second(folder_.path()); });
    expectMentions(fault, "process " + std::to_string(::getpid()));
    expectMentions(fault, folder_.path());
    expectMentions(fault, "stop");
  }

  void releasedAtTheEnd() {
    { const HomeLock lock(folder_.path()); }
    const HomeLock again(folder_.path());
  }

  void anotherProcessHoldsItUntilItDies() {
    std::array<int, 2> ready{};
    CPPUNIT_ASSERT_EQUAL(0, ::pipe(ready.data()));
    const auto child = ::fork();
    if (child == 0) {
      const HomeLock lock(folder_.path());
      if (::write(ready[1], "x", 1) == 1) {
        ::alarm(60);
        ::pause();
      }
      ::_exit(1);
    }
    char byte = 0;
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, ::read(ready[0], &byte, 1));
    const auto fault = expectFault(FaultCode::Busy, [&] { const HomeLock second(folder_.path()); });
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    expectMentions(fault, "process " + std::to_string(child));
    const HomeLock after(folder_.path());
  }

  void anOldFileIsNoLock() {
    std::ofstream(folder_.file("lock")) << "123456789012345678901234567890\n";
    const HomeLock lock(folder_.path());
    std::string pid;
    std::getline(std::ifstream(folder_.file("lock")), pid);
    CPPUNIT_ASSERT_EQUAL(std::to_string(::getpid()), pid);
  }

  void nonsenseInTheFile() {
    const HomeLock lock(folder_.path());
    std::ofstream(folder_.file("lock")) << "../../x\n";
    const auto fault = expectFault(FaultCode::Busy, [&] { const HomeLock second(folder_.path()); });
    expectMentions(fault, "another process");
  }

  void noSuchHome() {
    const auto home = folder_.file("missing");
    expectMentions(expectFault(FaultCode::Internal, [&] { const HomeLock lock(home); }), home);
  }

private:
  TemporaryFolder folder_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(HomeLockTest);

} // namespace
