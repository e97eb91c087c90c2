// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/text.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;

class TextTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TextTest);
  CPPUNIT_TEST(wellFormedUtf8IsTaken);
  CPPUNIT_TEST(malformedUtf8IsNot);
  CPPUNIT_TEST(controlCharactersAreFound);
  CPPUNIT_TEST(printableEscapesWhatIsNotPlain);
  CPPUNIT_TEST(printableKeepsItsLimit);
  CPPUNIT_TEST(caseIsIgnoredInAsciiOnly);
  CPPUNIT_TEST(blanksAreTrimmed);
  CPPUNIT_TEST_SUITE_END();

public:
  void wellFormedUtf8IsTaken() {
    for (const auto *text : {"", "abc", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA9z"}) {
      CPPUNIT_ASSERT_MESSAGE(printable(text), isUtf8(text));
    }
    CPPUNIT_ASSERT(isUtf8(std::string_view("\0", 1)));
  }

  void malformedUtf8IsNot() {
    for (const auto *text : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE0\xA0",
                             "\xE2\x82", "\xE2\x82\x41", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
                             "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "abc\xC3"}) {
      CPPUNIT_ASSERT_MESSAGE(printable(text), !isUtf8(text));
    }
  }

  void controlCharactersAreFound() {
    for (const auto text :
         {std::string_view("\0", 1), std::string_view("a\n"), std::string_view("\x1F"), std::string_view("\x7F")}) {
      CPPUNIT_ASSERT(hasControlCharacters(text));
    }
    CPPUNIT_ASSERT(!hasControlCharacters(""));
    CPPUNIT_ASSERT(!hasControlCharacters(" ~\xC3\xA9\x80"));
  }

  void printableEscapesWhatIsNotPlain() {
    CPPUNIT_ASSERT_EQUAL(std::string("a\\x0a\\xc3\\xa9\\x7f\\x00z"),
                         printable(std::string_view("a\n\xC3\xA9\x7F\0z", 7)));
    CPPUNIT_ASSERT_EQUAL(std::string(" !~"), printable(" !~"));
  }

  void printableKeepsItsLimit() {
    for (std::size_t limit = 4; limit < 40; ++limit) {
      CPPUNIT_ASSERT(printable(std::string(1000, 'a'), limit).size() <= limit);
      CPPUNIT_ASSERT(printable(std::string(1000, '\xFF'), limit).size() <= limit);
    }
    CPPUNIT_ASSERT(printable(std::string(1000, 'a'), 20).ends_with("a..."));
  }

  void caseIsIgnoredInAsciiOnly() {
    CPPUNIT_ASSERT(equalIgnoringCase("Content-ID", "content-id"));
    CPPUNIT_ASSERT(!equalIgnoringCase("a", "ab"));
    CPPUNIT_ASSERT(!equalIgnoringCase("[", "{"));
    CPPUNIT_ASSERT(!equalIgnoringCase("\xC3\x89", "\xC3\xA9"));
    CPPUNIT_ASSERT_EQUAL(std::string("az@[`{\xC3\x89"), lowerCase("AZ@[`{\xC3\x89"));
  }

  void blanksAreTrimmed() {
    CPPUNIT_ASSERT_EQUAL(std::string_view("a b"), trimmed(" \t\r\na b\n"));
    CPPUNIT_ASSERT_EQUAL(std::string_view(""), trimmed(" \r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string_view(""), trimmed(""));
    CPPUNIT_ASSERT_EQUAL(std::string_view("\v"), trimmed("\v"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextTest);

} // namespace
