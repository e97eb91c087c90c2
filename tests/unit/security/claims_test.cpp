// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/token.hpp"
#include "support.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using namespace waybill::security;
using namespace waybill::security::tests;

/// Odd documents are in tests/vectors/tokens (BadToken.claims-...); here is what needs no token around it.
class ClaimsTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClaimsTest);
  CPPUNIT_TEST(theDocumentIsAsTheSchemaSays);
  CPPUNIT_TEST(whatIsPrintedIsReadBack);
  CPPUNIT_TEST(textOfEveryKindIsReadBack);
  CPPUNIT_TEST(claimsOutsideTheSchemaAreNotPrinted);
  CPPUNIT_TEST(commentsAndCdataAreRead);
  CPPUNIT_TEST(instructionsAndUnknownEntitiesAreRefused);
  CPPUNIT_TEST(anotherEncodingIsRefused);
  CPPUNIT_TEST(deepAndLongDocumentsAreRefused);
  CPPUNIT_TEST_SUITE_END();

  TokenClaims claims_ = claimsFor(keyOf("alice"), keyOf("lab"));

  void refused(const std::string &xml) {
    expectMentions(expectFault(FaultCode::BadToken, [&] { (void)parseClaims(xml); }), "wsdl/token.xsd");
  }
  template <class Change> void notPrinted(Change change) {
    auto claims = claims_;
    change(claims);
    (void)expectFault(FaultCode::BadParameter, [&] { (void)printClaims(claims); });
  }
  std::string with(const std::string &in, const std::string &from, const std::string &to) {
    const auto where = in.find(from);
    CPPUNIT_ASSERT(where != std::string::npos);
    return std::string(in).replace(where, from.size(), to);
  }

public:
  void theDocumentIsAsTheSchemaSays() {
    claims_.subject = "bob";
    claims_.operations = {"Copy", "Receive"};
    claims_.resources = {"/a", "/b"};
    claims_.replyTo = "https://x/";
    const auto id64 = std::string(64, 'a');
    claims_.issuer = id64;
    claims_.audience = id64;
    CPPUNIT_ASSERT_EQUAL(
        "<Claims xmlns=\"urn:waybill:token:1\"><Id>00112233445566778899aabbccddeeff</Id><Issuer>" + id64 +
            "</Issuer><Audience>" + id64 +
            "</Audience><Subject>bob</Subject><Operation>Copy</Operation><Operation>Receive</Operation>"
            "<Resource>/a</Resource><Resource>/b</Resource><ReplyTo>https://x/</ReplyTo>"
            "<NotBefore>2026-01-31T12:00:00Z</NotBefore><NotAfter>2026-01-31T12:30:00Z</NotAfter></Claims>",
        printClaims(claims_));
  }

  void whatIsPrintedIsReadBack() {
    CPPUNIT_ASSERT(parseClaims(printClaims(claims_)) == claims_);
    claims_.notBefore += std::chrono::microseconds(123456);
    claims_.resources = {""};
    claims_.replyTo = "";
    CPPUNIT_ASSERT(parseClaims(printClaims(claims_)) == claims_);
  }

  void textOfEveryKindIsReadBack() {
    claims_.subject = " René & \"co\" <x> ]]> 漢字 🎉 ";
    claims_.resources = {"/a\tb\nc\r\nd\r", "  ", "&amp;", "<!-- -->", "\x7F\xC2\x85"};
    claims_.replyTo = "https://example.org/?a=1&b='2'#%20";
    CPPUNIT_ASSERT(parseClaims(printClaims(claims_)) == claims_);
  }

  void claimsOutsideTheSchemaAreNotPrinted() {
    notPrinted([](TokenClaims &claims) { claims.id = "0011"; });
    notPrinted([](TokenClaims &claims) { claims.issuer.pop_back(); });
    notPrinted([](TokenClaims &claims) { claims.audience.back() = 'A'; });
    notPrinted([](TokenClaims &claims) { claims.subject = ""; });
    notPrinted([](TokenClaims &claims) { claims.subject = std::string(256, 'x'); });
    notPrinted([](TokenClaims &claims) { claims.operations.clear(); });
    notPrinted([](TokenClaims &claims) { claims.operations = {"two words"}; });
    notPrinted([](TokenClaims &claims) { claims.operations = {"wb:Copy"}; });
    notPrinted([](TokenClaims &claims) { claims.operations = {std::string("Copy\0", 5)}; });
    notPrinted([](TokenClaims &claims) { claims.resources = {std::string("\0", 1)}; });
    notPrinted([](TokenClaims &claims) { claims.resources = {"\x1B"}; });
    notPrinted([](TokenClaims &claims) { claims.resources = {"\xEF\xBF\xBF"}; });
    notPrinted([](TokenClaims &claims) { claims.replyTo = "\xFF"; });
  }

  void commentsAndCdataAreRead() {
    auto xml = with(printClaims(claims_), "<Operation>", "<!-- what for --> <Operation>");
    xml = with(xml, ">Copy<", "><![CDATA[Co]]>py<");
    CPPUNIT_ASSERT(parseClaims(xml) == claims_);
    refused(with(xml, "py<", "py<!-- x --><"));
  }

  void instructionsAndUnknownEntitiesAreRefused() {
    const auto xml = printClaims(claims_);
    refused(with(xml, "<Operation>", "<?php x ?><Operation>"));
    refused(with(xml, "Copy", "<?php x ?>"));
    refused(with(xml, "Copy", "&copy;"));
    refused("<!DOCTYPE Claims SYSTEM \"file:///etc/passwd\">" + xml);
  }

  void anotherEncodingIsRefused() {
    auto xml = with(printClaims(claims_), "<Operation>", "<Subject>Ren\xE9</Subject><Operation>");
    refused("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + xml);
    refused("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + printClaims(claims_));
    refused(std::string("\xEF\xBB\xBF", 3) + std::string("<\0C\0", 4));
  }

  void deepAndLongDocumentsAreRefused() {
    std::string deep;
    for (int i = 0; i < 10'000; ++i) {
      deep += "<a>";
    }
    refused(deep);
    refused(with(printClaims(claims_), ">Copy<", ">" + deep + "<"));
    refused(with(printClaims(claims_), ">Copy<", ">" + std::string(2 * 1024 * 1024, 'x') + "<"));
    std::string attributes = "<Claims";
    for (int i = 0; i < 10'000; ++i) {
      attributes += " a" + std::to_string(i) + "=\"\"";
    }
    refused(attributes + "/>");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClaimsTest);

} // namespace
