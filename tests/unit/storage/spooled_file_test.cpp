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
  TemporaryFolder folder_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SpooledFileTest);

} // namespace
