// SPDX-License-Identifier: GPL-3.0-or-later
// Each file of tests/vectors/tokens is a test case; its name says what has to happen.
#include "support.hpp"

#include <cppunit/TestCase.h>
#include <cppunit/TestSuite.h>
#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>

namespace {

using namespace waybill;
using namespace waybill::security;
using namespace waybill::security::tests;

const char *const refusal = "the token was refused; make a new one for this instance, as docs/tokens.md shows";

/// "<what has to happen>.<the way it is odd>.b64"; "...-to-rsa" is for the instance with the RSA key.
class VectorCase final : public CppUnit::TestCase {
public:
  explicit VectorCase(const std::filesystem::path &file)
      : TestCase("TokenVectors::" + file.stem().string()), file_(file), stem_(file.stem().string()) {}

  void runTest() override {
    const auto dot = stem_.find('.');
    const auto outcome = stem_.substr(0, dot);
    const auto way = stem_.substr(dot + 1);
    const StandingClock clock(at("2026-01-31T12:10:00Z"));
    const auto &me = keyOf(way.ends_with("-to-rsa") ? "rsalab" : "lab");
    const TokenOpener opener(me, finderOf({keyOf("alice").certificate(), keyOf("rita").certificate()}), clock, {});
    const auto token = readFile(file_);
    if (outcome == "Opens") {
      expectOpened(opener.open(token), way);
    } else {
      expectRefused(expectFault(faultCodeNamed(outcome), [&] { (void)opener.open(token); }), way);
    }
  }

private:
  void expectOpened(const TokenClaims &claims, const std::string &way) const {
    CPPUNIT_ASSERT_EQUAL(std::string("00112233445566778899aabbccddeeff"), claims.id);
    CPPUNIT_ASSERT_EQUAL(keyOf(way.starts_with("rsa-") ? "rita" : "alice").id(), claims.issuer);
    CPPUNIT_ASSERT_EQUAL(std::string("Copy"), claims.operations.at(0));
    if (way == "all-claims") {
      CPPUNIT_ASSERT_EQUAL(std::string("René"), claims.subject.value());
      CPPUNIT_ASSERT_EQUAL(std::string("Receive"), claims.operations.at(1));
      CPPUNIT_ASSERT_EQUAL(std::string("/docs"), claims.resources.at(0));
      CPPUNIT_ASSERT_EQUAL(std::string("https://example.org/a?b=1&c=2"), claims.replyTo.value());
    }
  }

  void expectRefused(const Fault &fault, const std::string &way) const {
    if (fault.code() == FaultCode::BadToken && !way.starts_with("claims-")) {
      // A stranger learns nothing from the words; the log has the cause.
      CPPUNIT_ASSERT_EQUAL(std::string(refusal), fault.reason());
      CPPUNIT_ASSERT_EQUAL(std::string("wb:Token"), fault.subject());
      CPPUNIT_ASSERT(!fault.log().forLog().empty());
    } else if (fault.code() == FaultCode::BadToken) {
      CPPUNIT_ASSERT(fault.reason() != refusal);
    }
  }

  std::filesystem::path file_;
  std::string stem_;
};

class NoVectors final : public CppUnit::TestCase {
public:
  NoVectors() : TestCase("TokenVectors::are there") {}
  void runTest() override { CPPUNIT_FAIL("no token vectors in " + vectorFile("")); }
};

class TokenVectors {
public:
  static CppUnit::Test *suite() {
    auto suite = std::make_unique<CppUnit::TestSuite>("TokenVectors");
    for (const auto &entry : std::filesystem::directory_iterator(vectorFile(""))) {
      if (entry.path().extension() == ".b64") {
        suite->addTest(std::make_unique<VectorCase>(entry.path()).release());
      }
    }
    if (suite->getChildTestCount() == 0) {
      suite->addTest(std::make_unique<NoVectors>().release());
    }
    return suite.release();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TokenVectors);

} // namespace
