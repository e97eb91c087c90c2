// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/transfer.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <string>

namespace {

using namespace waybill;

class TransferTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TransferTest);
  CPPUNIT_TEST(everyStateIsFoundByItsName);
  CPPUNIT_TEST(otherNamesAreNone);
  CPPUNIT_TEST(threeStatesAreFinal);
  CPPUNIT_TEST_SUITE_END();

public:
  void everyStateIsFoundByItsName() {
    const std::array names{"Queued", "Active", "Succeeded", "Failed", "Cancelled"};
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto state = static_cast<TransferState>(i);
      CPPUNIT_ASSERT_EQUAL(std::string(names.at(i)), std::string(name(state)));
      CPPUNIT_ASSERT(transferStateNamed(names.at(i)) == state);
    }
  }

  void otherNamesAreNone() {
    for (const auto *text : {"", "queued", "Active ", "Done"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !transferStateNamed(text));
    }
  }

  void threeStatesAreFinal() {
    CPPUNIT_ASSERT(!isFinal(TransferState::Queued));
    CPPUNIT_ASSERT(!isFinal(TransferState::Active));
    CPPUNIT_ASSERT(isFinal(TransferState::Succeeded));
    CPPUNIT_ASSERT(isFinal(TransferState::Failed));
    CPPUNIT_ASSERT(isFinal(TransferState::Cancelled));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TransferTest);

} // namespace
