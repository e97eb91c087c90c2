// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/data_path.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;

std::string parsed(std::string_view text) { return DataPath::parse(text).text(); }

Fault refusal(std::string_view text) {
  try {
    (void)DataPath::parse(text);
  } catch (const Fault &fault) {
    CPPUNIT_ASSERT(fault.code() == FaultCode::BadParameter);
    return fault;
  }
  CPPUNIT_FAIL("taken as a path: " + std::string(text));
  return Fault(FaultCode::Internal, "unreachable");
}

void assertSays(std::string_view word, const Fault &fault) {
  CPPUNIT_ASSERT_MESSAGE(fault.what(), fault.reason().find(word) != std::string::npos);
}

class DataPathTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DataPathTest);
  CPPUNIT_TEST(pathsAreKept);
  CPPUNIT_TEST(theFirstSlashIsAdded);
  CPPUNIT_TEST(dotsAreRefusedAsSegmentsOnly);
  CPPUNIT_TEST(emptySegmentsAreRefused);
  CPPUNIT_TEST(theRootIsNoObject);
  CPPUNIT_TEST(controlCharactersAreRefused);
  CPPUNIT_TEST(otherThanUtf8IsRefused);
  CPPUNIT_TEST(longPathsAreRefused);
  CPPUNIT_TEST(longSegmentsAreRefused);
  CPPUNIT_TEST(refusalsShowThePathWithoutHarm);
  CPPUNIT_TEST(prefixesMayBeTheRootOrEndInASlash);
  CPPUNIT_TEST(prefixesFollowTheSameRules);
  CPPUNIT_TEST(prefixesCoverWholeSegments);
  CPPUNIT_TEST_SUITE_END();

public:
  void pathsAreKept() {
    for (const auto *text :
         {"/a", "/docs/a.pdf", "/a b/c", "/\xC3\xA9/\xF0\x9F\x98\x80", "/~", "/a\\b", "/%2e%2e", "/-rf", "/ "}) {
      CPPUNIT_ASSERT_EQUAL(std::string(text), parsed(text));
    }
  }

  void theFirstSlashIsAdded() {
    CPPUNIT_ASSERT_EQUAL(std::string("/docs/a"), parsed("docs/a"));
    CPPUNIT_ASSERT(DataPath::parse("a") == DataPath::parse("/a"));
  }

  void dotsAreRefusedAsSegmentsOnly() {
    for (const auto *text : {"..", "/..", "/a/..", "/../etc/passwd", "/a/../b", "a/./b", "/.", "./a"}) {
      assertSays("segment '.", refusal(text));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("/...a/.hidden/b.."), parsed("/...a/.hidden/b.."));
  }

  void emptySegmentsAreRefused() {
    for (const auto *text : {"//", "//a", "/a//b", "/a/", "a/"}) {
      assertSays("empty segment", refusal(text));
    }
  }

  void theRootIsNoObject() {
    assertSays("root", refusal("/"));
    assertSays("empty", refusal(""));
  }

  void controlCharactersAreRefused() {
    assertSays("control character", refusal(std::string_view("/a\0b", 4)));
    assertSays("control character", refusal("/a\nb"));
    assertSays("control character", refusal("/a\x7F"));
  }

  void otherThanUtf8IsRefused() {
    for (const auto *text :
         {"/\xFF", "/\xC3", "/a\x80", "/\xC0\xAF", "/\xE0\x80\xAF", "/\xED\xA0\x80", "/\xF4\x90\x80\x80"}) {
      assertSays("UTF-8", refusal(text));
    }
  }

  void longPathsAreRefused() {
    std::string path;
    while (path.size() < 1000) {
      path += "/" + std::string(99, 'a');
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{1024}, parsed(path + "/" + std::string(23, 'b')).size());
    assertSays("1025 bytes", refusal(path + "/" + std::string(24, 'b')));
    assertSays("bytes", refusal("/" + std::string(4000, 'a')));
    assertSays("1025 bytes", refusal(path.substr(1) + "/" + std::string(24, 'b')));
  }

  void longSegmentsAreRefused() {
    CPPUNIT_ASSERT_EQUAL(std::size_t{256}, parsed("/" + std::string(255, 'a')).size());
    assertSays("256 bytes", refusal("/" + std::string(256, 'a')));
    assertSays("256 bytes", refusal("/x/" + std::string(256, 'a') + "/y"));
  }

  void refusalsShowThePathWithoutHarm() {
    const auto fault = refusal("/a\x1B[31m\xFF");
    CPPUNIT_ASSERT_EQUAL(std::string("/a\\x1b[31m\\xff"), fault.subject());
    CPPUNIT_ASSERT(refusal("/" + std::string(4000, 'a')).subject().size() < 200);
  }

  void prefixesMayBeTheRootOrEndInASlash() {
    CPPUNIT_ASSERT_EQUAL(std::string("/"), parsePathPrefix(""));
    CPPUNIT_ASSERT_EQUAL(std::string("/"), parsePathPrefix("/"));
    CPPUNIT_ASSERT_EQUAL(std::string("/docs"), parsePathPrefix("/docs/"));
    CPPUNIT_ASSERT_EQUAL(std::string("/docs"), parsePathPrefix("docs"));
  }

  void prefixesFollowTheSameRules() {
    for (const auto *text : {"//", "/a//", "/..", "/a/../", "/\xFF", "/\n"}) {
      CPPUNIT_ASSERT_THROW((void)parsePathPrefix(text), Fault);
    }
  }

  void prefixesCoverWholeSegments() {
    CPPUNIT_ASSERT(isUnder("/a", "/a"));
    CPPUNIT_ASSERT(isUnder("/a/b", "/a"));
    CPPUNIT_ASSERT(isUnder("/a", "/"));
    CPPUNIT_ASSERT(isUnder("/", "/"));
    CPPUNIT_ASSERT(!isUnder("/ab", "/a"));
    CPPUNIT_ASSERT(!isUnder("/a", "/a/b"));
    CPPUNIT_ASSERT(!isUnder("/b/a", "/a"));
    CPPUNIT_ASSERT(!isUnder("/", "/a"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DataPathTest);

} // namespace
