// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/http_range.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill::services;
using Kind = ByteRange::Kind;

class HttpRangeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HttpRangeTest);
  CPPUNIT_TEST(parts);
  CPPUNIT_TEST(wholes);
  CPPUNIT_TEST(unsatisfiable);
  CPPUNIT_TEST(etags);
  CPPUNIT_TEST(wantedDigests);
  CPPUNIT_TEST(base64);
  CPPUNIT_TEST_SUITE_END();

public:
  void parts() {
    is("bytes=0-0", 10, Kind::Part, 0, 1);
    is("bytes=2-5", 10, Kind::Part, 2, 4);
    is("bytes=5-", 10, Kind::Part, 5, 5);
    is("bytes=5-99", 10, Kind::Part, 5, 5);
    is("bytes=-3", 10, Kind::Part, 7, 3);
    is("bytes=-99", 10, Kind::Part, 0, 10);
    is("Bytes=2-5", 10, Kind::Part, 2, 4);
    is("BYTES=-3", 10, Kind::Part, 7, 3);
    is("bytes=5-99999999999999999999", 10, Kind::Part, 5, 5);
    is("bytes=-99999999999999999999", 10, Kind::Part, 0, 10);
    is("bytes=5000000000-5000000001", 6'000'000'000, Kind::Part, 5'000'000'000, 2);
  }
  void wholes() {
    for (const auto *value :
         {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=0-1x",
          "bytes=99999999999999999999x-", "bytes=99999999999999999999-1", "byte=0-1"}) {
      is(value, 10, Kind::Whole, 0, 10);
    }
  }
  void unsatisfiable() {
    is("bytes=10-", 10, Kind::Unsatisfiable, 0, 0);
    is("bytes=99999999999999999999-", 10, Kind::Unsatisfiable, 0, 0);
    is("bytes=99999999999999999999-99999999999999999999", 10, Kind::Unsatisfiable, 0, 0);
    is("bytes=-0", 10, Kind::Unsatisfiable, 0, 0);
    is("bytes=0-0", 0, Kind::Unsatisfiable, 0, 0);
  }
  void etags() {
    CPPUNIT_ASSERT(matchesEtag("\"a\"", "\"a\""));
    CPPUNIT_ASSERT(matchesEtag("\"b\", W/\"a\"", "\"a\""));
    CPPUNIT_ASSERT(matchesEtag("*", "\"a\""));
    CPPUNIT_ASSERT(!matchesEtag("\"b\"", "\"a\""));
    CPPUNIT_ASSERT(!matchesEtag("", "\"a\""));
  }
  void wantedDigests() {
    CPPUNIT_ASSERT(wantsDigest("SHA-256", "sha-256"));
    CPPUNIT_ASSERT(wantsDigest("md5;q=0.3, adler32;q=0.5", "adler32"));
    CPPUNIT_ASSERT(!wantsDigest("adler32;q=0", "adler32"));
    CPPUNIT_ASSERT(!wantsDigest("adler32;q=0.000", "adler32"));
    CPPUNIT_ASSERT(!wantsDigest("md5", "sha-256"));
  }
  void base64() {
    CPPUNIT_ASSERT_EQUAL(std::string("AA=="), base64OfHex("00"));
    CPPUNIT_ASSERT_EQUAL(std::string("Zm8="), base64OfHex("666f"));
    CPPUNIT_ASSERT_EQUAL(std::string("Zm9v"), base64OfHex("666f6f"));
    CPPUNIT_ASSERT_EQUAL(std::string("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
                         base64OfHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  }

private:
  static void is(const char *value, std::uint64_t size, Kind kind, std::uint64_t offset, std::uint64_t length) {
    const auto range = parseRange(value, size);
    CPPUNIT_ASSERT_MESSAGE(value, range.kind == kind);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(value, offset, range.offset);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(value, length, range.length);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HttpRangeTest);

} // namespace
