// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/job.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace {

using namespace waybill;

class JobTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JobTest);
  CPPUNIT_TEST(everyPhaseIsFoundByItsName);
  CPPUNIT_TEST(otherNamesAreNone);
  CPPUNIT_TEST_SUITE_END();

public:
  void everyPhaseIsFoundByItsName() {
    for (const auto phase : {JobPhase::Inputs, JobPhase::Run, JobPhase::Delivery}) {
      CPPUNIT_ASSERT(jobPhaseNamed(name(phase)) == phase);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("Inputs"), std::string(name(JobPhase::Inputs)));
  }

  void otherNamesAreNone() {
    for (const auto *text : {"", "run", "Run ", "Queued"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !jobPhaseNamed(text));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(JobTest);

} // namespace
