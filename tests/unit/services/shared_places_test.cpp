// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/shared_places.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace waybill {

namespace {

using services::SharedPlaces;

class SharedPlacesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SharedPlacesTest);
  CPPUNIT_TEST(halfOfThemForOne);
  CPPUNIT_TEST(asManyAsThereAre);
  CPPUNIT_TEST(theOnlyOneIsForAnybody);
  CPPUNIT_TEST_SUITE_END();

  void halfOfThemForOne() {
    SharedPlaces places(4);
    auto first = places.take("a");
    const auto second = places.take("a");
    CPPUNIT_ASSERT(first && second);
    CPPUNIT_ASSERT(!places.take("a"));
    CPPUNIT_ASSERT(places.take("b"));
    first.reset();
    CPPUNIT_ASSERT(places.take("a"));
  }

  void asManyAsThereAre() {
    SharedPlaces places(3);
    const auto first = places.take("a");
    const auto second = places.take("b");
    auto third = places.take("c");
    CPPUNIT_ASSERT(first && second && third);
    CPPUNIT_ASSERT(!places.take("d"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, places.taken());
    third.reset();
    CPPUNIT_ASSERT(places.take("d"));
  }

  void theOnlyOneIsForAnybody() {
    SharedPlaces places(1);
    CPPUNIT_ASSERT(places.take("a"));
    const auto only = places.take("b");
    CPPUNIT_ASSERT(only);
    CPPUNIT_ASSERT(!places.take("a"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SharedPlacesTest);

} // namespace

} // namespace waybill
