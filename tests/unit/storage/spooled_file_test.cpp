// SPDX-License-Identifier: GPL-3.0-or-later
#include "expect_fault.hpp"
#include "storage/content_store.hpp"
#include "temporary_folder.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;

class SpooledFileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SpooledFileTest);
  CPPUNIT_TEST(whatWasWrittenIsReadFromTheStart);
  CPPUNIT_TEST(readingFromTheMiddleReadsNothingBefore);
  CPPUNIT_TEST(nothingIsSeenInTheFolder);
  CPPUNIT_TEST(theSourceOutlivesTheFile);
  CPPUNIT_TEST(twoReadersDoNotDisturbEachOther);
  CPPUNIT_TEST(aFolderThatIsNotThere);
  CPPUNIT_TEST_SUITE_END();

public:
  void whatWasWrittenIsReadFromTheStart() {
    const auto spool = spoolFile(folder_.path());
    spool->write(asBytes("one "));
    spool->write(asBytes("two"));
    const auto source = spool->reopen();
    CPPUNIT_ASSERT(source->size() == 7);
    CPPUNIT_ASSERT_EQUAL(std::string("one two"), readAll(*source, 100, "spool"));
    spool->write(asBytes(" three"));
    CPPUNIT_ASSERT_EQUAL(std::string("one two three"), readAll(*spool->reopen(), 100, "spool"));
  }

  void readingFromTheMiddleReadsNothingBefore() {
    const auto spool = spoolFile(folder_.path());
    spool->write(asBytes(std::string(8'000'000, 'x')));
    spool->write(asBytes("the end"));
    const auto before = bytesReadByThisThread();
    const auto source = spool->reopen(8'000'004);
    CPPUNIT_ASSERT(source->size() == 3);
    CPPUNIT_ASSERT_EQUAL(std::string("end"), readAll(*source, 100, "spool"));
    const auto read = bytesReadByThisThread() - before;
    CPPUNIT_ASSERT_MESSAGE(std::to_string(read) + " bytes were read", read >= 3 && read < 100'000);
    CPPUNIT_ASSERT(readAll(*spool->reopen(8'000'007), 100, "spool").empty());
    expectFault(FaultCode::Internal, [&] { (void)spool->reopen(8'000'008); });
  }

  void nothingIsSeenInTheFolder() {
    const auto spool = spoolFile(folder_.path());
    spool->write(asBytes("hidden"));
    CPPUNIT_ASSERT(std::filesystem::is_empty(folder_.file("staging")));
  }

  void theSourceOutlivesTheFile() {
    auto spool = spoolFile(folder_.path());
    spool->write(asBytes("still here"));
    const auto source = spool->reopen();
    spool.reset();
    CPPUNIT_ASSERT_EQUAL(std::string("still here"), readAll(*source, 100, "spool"));
  }

  void twoReadersDoNotDisturbEachOther() {
    const auto spool = spoolFile(folder_.path());
    spool->write(asBytes("abcdef"));
    const auto first = spool->reopen();
    const auto second = spool->reopen();
    std::array<std::byte, 3> some{};
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, first->read(some));
    CPPUNIT_ASSERT_EQUAL(std::string("abcdef"), readAll(*second, 100, "spool"));
    CPPUNIT_ASSERT_EQUAL(std::string("def"), readAll(*first, 100, "spool"));
  }

  void aFolderThatIsNotThere() {
    expectFault(FaultCode::Internal, [&] { (void)spoolFile(folder_.file("missing")); });
    std::ofstream(folder_.file("file")) << "no folder";
    expectFault(FaultCode::Internal, [&] { (void)spoolFile(folder_.file("file")); });
  }

private:
  /// As the kernel counts them (proc(5), /proc/<pid>/io).
  static std::uint64_t bytesReadByThisThread() {
    std::ifstream file("/proc/thread-self/io");
    std::string label;
    std::uint64_t bytes = 0;
    CPPUNIT_ASSERT(file >> label >> bytes && label == "rchar:");
    return bytes;
  }

  TemporaryFolder folder_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SpooledFileTest);

} // namespace
