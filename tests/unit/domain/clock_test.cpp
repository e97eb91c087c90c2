// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/clock.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using namespace std::chrono;

class ClockTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClockTest);
  CPPUNIT_TEST(timesAreWrittenInUtc);
  CPPUNIT_TEST(fractionsAreWrittenOnlyWhenThereAreSome);
  CPPUNIT_TEST(whatIsWrittenIsReadBack);
  CPPUNIT_TEST(fractionsPastMicrosecondsAreDropped);
  CPPUNIT_TEST(leapDaysFollowTheCalendar);
  CPPUNIT_TEST(otherFormsAreRefused);
  CPPUNIT_TEST(yearsFrom1970AreTaken);
  CPPUNIT_TEST(theMachinesClockIsPast2024);
  CPPUNIT_TEST_SUITE_END();

  static Time at(int y, unsigned m, unsigned d, int h = 0, int min = 0, int s = 0, int micro = 0) {
    return Time{sys_days{year{y} / month{m} / day{d}}} + hours{h} + minutes{min} + seconds{s} + microseconds{micro};
  }

public:
  void timesAreWrittenInUtc() {
    CPPUNIT_ASSERT_EQUAL(std::string("1970-01-01T00:00:00Z"), formatUtc(Time{}));
    CPPUNIT_ASSERT_EQUAL(std::string("2024-02-29T23:59:58Z"), formatUtc(at(2024, 2, 29, 23, 59, 58)));
  }

  void fractionsAreWrittenOnlyWhenThereAreSome() {
    CPPUNIT_ASSERT_EQUAL(std::string("2024-01-01T00:00:00.000001Z"), formatUtc(at(2024, 1, 1, 0, 0, 0, 1)));
    CPPUNIT_ASSERT_EQUAL(std::string("2024-01-01T00:00:00.500000Z"), formatUtc(at(2024, 1, 1, 0, 0, 0, 500'000)));
  }

  void whatIsWrittenIsReadBack() {
    for (const auto time :
         {Time{}, at(1999, 12, 31, 23, 59, 59, 999'999), at(2038, 1, 19, 3, 14, 8), at(9999, 12, 31, 23, 59, 59)}) {
      CPPUNIT_ASSERT(parseUtc(formatUtc(time)) == time);
    }
  }

  void fractionsPastMicrosecondsAreDropped() {
    CPPUNIT_ASSERT(parseUtc("2024-01-01T00:00:00.1Z") == at(2024, 1, 1, 0, 0, 0, 100'000));
    CPPUNIT_ASSERT(parseUtc("2024-01-01T00:00:00.123456789Z") == at(2024, 1, 1, 0, 0, 0, 123'456));
  }

  void leapDaysFollowTheCalendar() {
    CPPUNIT_ASSERT(parseUtc("2024-02-29T00:00:00Z").has_value());
    CPPUNIT_ASSERT(parseUtc("2000-02-29T00:00:00Z").has_value());
    CPPUNIT_ASSERT(!parseUtc("2023-02-29T00:00:00Z"));
    CPPUNIT_ASSERT(!parseUtc("2100-02-29T00:00:00Z"));
  }

  void otherFormsAreRefused() {
    for (const auto *text : {"",
                             "Z",
                             "2024-01-01",
                             "2024-01-01T00:00:00",
                             "2024-01-01T00:00:00+00:00",
                             "2024-01-01T00:00:00z",
                             "2024-01-01 00:00:00Z",
                             "2024-13-01T00:00:00Z",
                             "2024-00-01T00:00:00Z",
                             "2024-01-32T00:00:00Z",
                             "2024-01-00T00:00:00Z",
                             "2024-04-31T00:00:00Z",
                             "2024-01-01T24:00:00Z",
                             "2024-01-01T00:60:00Z",
                             "2024-01-01T00:00:60Z",
                             "2024-01-01T00:00:00.Z",
                             "2024-01-01T00:00:00.1234567890Z",
                             "2024-01-01T00:00:00,5Z",
                             "2024-01-01T00:00:00.5aZ",
                             "2024-1-01T00:00:00Z",
                             "-024-01-01T00:00:00Z",
                             "+2024-01-01T00:00:00Z",
                             "12024-01-01T00:00:00Z",
                             " 2024-01-01T00:00:00Z",
                             "2024-01-01T00:00:00Z ",
                             "2024-01-01T0a:00:00Z",
                             "aaaa-01-01T00:00:00Z"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !parseUtc(text));
    }
    CPPUNIT_ASSERT(!parseUtc(std::string_view("2024-01-01T00:00:0\0Z", 20)));
  }

  void yearsFrom1970AreTaken() {
    CPPUNIT_ASSERT(!parseUtc("1969-12-31T23:59:59Z"));
    CPPUNIT_ASSERT(parseUtc("1970-01-01T00:00:00Z") == Time{});
    CPPUNIT_ASSERT(parseUtc("9999-12-31T23:59:59Z").has_value());
  }

  void theMachinesClockIsPast2024() {
    const SystemClock clock;
    const auto first = clock.now();
    CPPUNIT_ASSERT(first > at(2024, 1, 1));
    CPPUNIT_ASSERT(parseUtc(formatUtc(first)) == first);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ClockTest);

} // namespace
