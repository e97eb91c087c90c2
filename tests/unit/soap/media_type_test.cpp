// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/media_type.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace waybill::soap {
namespace {

class MediaTypeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MediaTypeTest);
  CPPUNIT_TEST(readsTypeAndParameters);
  CPPUNIT_TEST(takesBlanksAndTabs);
  CPPUNIT_TEST(takesUnquotedBoundaries);
  CPPUNIT_TEST(takesEscapesOffQuotedStrings);
  CPPUNIT_TEST(readsTheTypeWithinStartInfo);
  CPPUNIT_TEST(takesEmptyParameters);
  CPPUNIT_TEST(refusesWhatIsNoMediaType);
  CPPUNIT_TEST(refusesOneParameterTwice);
  CPPUNIT_TEST(refusesControlCharacters);
  CPPUNIT_TEST_SUITE_END();

  void readsTypeAndParameters() {
    const auto type = MediaType::parse("Multipart/RELATED; Type=\"text/xml\"; charset=UTF-8");
    CPPUNIT_ASSERT(type);
    CPPUNIT_ASSERT_EQUAL(std::string("multipart/related"), type->type);
    CPPUNIT_ASSERT_EQUAL(std::string("text/xml"), type->parameter("type"));
    CPPUNIT_ASSERT_EQUAL(std::string("UTF-8"), type->parameter("charset"));
    CPPUNIT_ASSERT_EQUAL(std::string(), type->parameter("boundary"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, type->parameters.size());
  }

  void takesBlanksAndTabs() {
    const auto type = MediaType::parse("  text/xml ; \ta = b\t;  c\t=\t\"d e\" ");
    CPPUNIT_ASSERT(type);
    CPPUNIT_ASSERT_EQUAL(std::string("b"), type->parameter("a"));
    CPPUNIT_ASSERT_EQUAL(std::string("d e"), type->parameter("c"));
  }

  void takesUnquotedBoundaries() {
    const auto type = MediaType::parse("multipart/related;boundary=----=_Part_0/7?:x;start=<a@b>");
    CPPUNIT_ASSERT(type);
    CPPUNIT_ASSERT_EQUAL(std::string("----=_Part_0/7?:x"), type->parameter("boundary"));
    CPPUNIT_ASSERT_EQUAL(std::string("<a@b>"), type->parameter("start"));
  }

  void takesEscapesOffQuotedStrings() {
    const auto type = MediaType::parse(R"(a/b; c="x\"y\\z;=\q")");
    CPPUNIT_ASSERT(type);
    CPPUNIT_ASSERT_EQUAL(std::string(R"(x"y\z;=q)"), type->parameter("c"));
  }

  void readsTheTypeWithinStartInfo() {
    const auto outer = MediaType::parse(
        R"(multipart/related;start-info="application/soap+xml;action=\"urn:t:Put\"";boundary="uuid:1")");
    CPPUNIT_ASSERT(outer);
    CPPUNIT_ASSERT_EQUAL(std::string("uuid:1"), outer->parameter("boundary"));
    const auto inner = MediaType::parse(outer->parameter("start-info"));
    CPPUNIT_ASSERT(inner);
    CPPUNIT_ASSERT_EQUAL(std::string("application/soap+xml"), inner->type);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:t:Put"), inner->parameter("action"));
  }

  void takesEmptyParameters() {
    CPPUNIT_ASSERT(MediaType::parse("text/xml;"));
    CPPUNIT_ASSERT(MediaType::parse("text/xml; ; "));
    const auto type = MediaType::parse("text/xml;; a=\"\" ;");
    CPPUNIT_ASSERT(type);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, type->parameters.count("a"));
    CPPUNIT_ASSERT_EQUAL(std::string(), type->parameter("a"));
  }

  void refusesWhatIsNoMediaType() {
    for (const auto *text :
         {"", " ", "text", "text/", "/xml", "text/xml/x", "text /xml", "te xt/xml", "text/xml charset=utf-8",
          "text/xml; charset", "text/xml; charset=", "text/xml; =utf-8", "text/xml; a=\"b", "text/xml; a=\"b\"c",
          "text/xml; a=b c", "text/xml; a=b\"c", "text/xml; a=\"b\\"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !MediaType::parse(text));
    }
  }

  void refusesOneParameterTwice() { CPPUNIT_ASSERT(!MediaType::parse("multipart/related; boundary=a; Boundary=b")); }

  void refusesControlCharacters() {
    CPPUNIT_ASSERT(!MediaType::parse("text/xml; a=\"b\r\nc\""));
    CPPUNIT_ASSERT(!MediaType::parse("text/xml; a=\"b\\\nc\""));
    CPPUNIT_ASSERT(!MediaType::parse("text/xml; a=b\x01"));
    CPPUNIT_ASSERT(!MediaType::parse(std::string_view("text/xml; a=\0", 13)));
    CPPUNIT_ASSERT(!MediaType::parse("text/x\x7fml"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MediaTypeTest);

} // namespace
} // namespace waybill::soap
