// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <map>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

struct Lifted {
  std::map<std::string, std::string> inlined;
  std::multiset<std::string> references;
  std::string body;
};

Lifted lift(std::string_view data) {
  Lifted lifted;
  auto envelope =
      Envelope::parse(envelope11("", "<wb:Receive><wb:Data>" + std::string(data) + "</wb:Data></wb:Receive>"), {});
  lifted.references = envelope.liftContent(
      [&](std::string id, std::string bytes) { lifted.inlined.emplace(std::move(id), std::move(bytes)); });
  lifted.body = envelope.bodyXml();
  return lifted;
}

std::string onlyInlined(std::string_view content) {
  const auto lifted = lift("<wb:Content>" + std::string(content) + "</wb:Content>");
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lifted.inlined.size());
  CPPUNIT_ASSERT((lifted.references == std::multiset<std::string>{"cid:" + lifted.inlined.begin()->first}));
  return lifted.inlined.begin()->second;
}

Fault liftFault(std::string_view content) {
  return faultOf([&] { (void)lift("\n<wb:Content>" + std::string(content) + "</wb:Content>"); });
}

const std::string include = "<xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include' href='";

/// wb:Content in its forms, turned into references.
class EnvelopeContentTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EnvelopeContentTest);
  CPPUNIT_TEST(base64IsDecoded);
  CPPUNIT_TEST(blanksInBase64ArePassedOver);
  CPPUNIT_TEST(commentsAndCdataDoNotBreakBase64);
  CPPUNIT_TEST(everyLengthIsDecoded);
  CPPUNIT_TEST(emptyContentIsNoBytes);
  CPPUNIT_TEST(badBase64IsRefused);
  CPPUNIT_TEST(sixteenMebibytesAreDecoded);
  CPPUNIT_TEST(contentBecomesItsReferenceInBase64);
  CPPUNIT_TEST(inlineContentsGetIdsOfTheirOwn);
  CPPUNIT_TEST(xopIncludeIsTaken);
  CPPUNIT_TEST(otherHrefSchemesAreRefused);
  CPPUNIT_TEST(whatIsBesideAnIncludeIsRefused);
  CPPUNIT_TEST(otherElementsInContentAreRefused);
  CPPUNIT_TEST(bytesBesideAReferenceToAPartAreRefused);
  CPPUNIT_TEST(attachmentsAndHrefsAreReferences);
  CPPUNIT_TEST(referencesAreCountedByElement);
  CPPUNIT_TEST(askedIsTheSameHoweverItIsWritten);
  CPPUNIT_TEST(contentOfOtherNamespacesIsLeftAlone);
  CPPUNIT_TEST(otherBodiesAreLeftAlone);
  CPPUNIT_TEST_SUITE_END();

public:
  void base64IsDecoded() {
    CPPUNIT_ASSERT_EQUAL(std::string("AAAA"), onlyInlined("QUFBQQ=="));
    CPPUNIT_ASSERT_EQUAL(std::string("\0\xFF\x10 ~", 5), onlyInlined("AP8QIH4="));
    CPPUNIT_ASSERT_EQUAL(std::string("\xFB\xEF\xFF"), onlyInlined("++//"));
  }

  void blanksInBase64ArePassedOver() {
    CPPUNIT_ASSERT_EQUAL(std::string("AAAAAA"), onlyInlined("\r\n Q U\tFB\nQUFB \r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("AAAA"), onlyInlined("QUFB QQ = = "));
    CPPUNIT_ASSERT_EQUAL(std::string("AA"), onlyInlined("Q&#10;UE&#13;="));
  }

  void commentsAndCdataDoNotBreakBase64() {
    CPPUNIT_ASSERT_EQUAL(std::string("AAAA"), onlyInlined("QU<!-- , -->F<![CDATA[BQ]]>Q=="));
  }

  void everyLengthIsDecoded() {
    const std::vector<std::pair<std::string, std::string>> cases{{"", ""},
                                                                 {"Zg==", "f"},
                                                                 {"Zm8=", "fo"},
                                                                 {"Zm9v", "foo"},
                                                                 {"Zm9vYg==", "foob"},
                                                                 {"Zm9vYmE=", "fooba"},
                                                                 {"Zm9vYmFy", "foobar"}};
    for (const auto &[text, bytes] : cases) { // RFC 4648, section 10
      CPPUNIT_ASSERT_EQUAL(bytes, onlyInlined(text));
    }
  }

  void emptyContentIsNoBytes() {
    const auto lifted = lift("<wb:Content/>");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lifted.inlined.size());
    CPPUNIT_ASSERT_EQUAL(std::string(), lifted.inlined.begin()->second);
    CPPUNIT_ASSERT_EQUAL(std::string(), onlyInlined(" \n "));
  }

  void badBase64IsRefused() {
    for (const auto *text : {"Q", "QU", "QUF", "QQ=", "Q===", "=", "====", "QQ==QQ==", "QUFB=", "QQ==Q", "QU-_", "QU*B",
                             "QUF\xC3\xA9", "QR==", "QUE=A", "QUF=", "cid:a@b", "Q=Q="}) {
      const auto fault = liftFault(text);
      assertCode(FaultCode::InvalidMessage, fault);
      CPPUNIT_ASSERT_EQUAL(std::string("wb:Content"), fault.subject());
      assertContains(fault.reason(), "no base64");
      assertContains(fault.reason(), "line 2");
    }
  }

  void sixteenMebibytesAreDecoded() {
    const auto text = repeated(repeated("QUJD", 19) + "\r\n", 200'000);
    const auto bytes = onlyInlined(text);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3U * 19 * 200'000}, bytes.size());
    CPPUNIT_ASSERT(bytes == repeated("ABC", 19 * 200'000));
  }

  void contentBecomesItsReferenceInBase64() {
    const auto lifted = lift("<wb:Content>" + include + "cid:a@b'/></wb:Content>");
    assertContains(lifted.body, "<wb:Content>Y2lkOmFAYg==</wb:Content>");
    const auto attributed = lift("<wb:Content xmlns:m='urn:m' m:type='text/plain'>QQ==</wb:Content>");
    assertContains(attributed.body, "m:type=\"text/plain\">");
    assertLacks(attributed.body, ">QQ==<");
  }

  void inlineContentsGetIdsOfTheirOwn() {
    const auto lifted = lift("<wb:Content>QQ==</wb:Content></wb:Data><wb:Data><wb:Content>Qg==</wb:Content>");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, lifted.inlined.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, lifted.references.size());
  }

  void xopIncludeIsTaken() {
    const auto lifted = lift("<wb:Content>\n  " + include + " cid:a%20b@c '/>\n<!-- c --></wb:Content>");
    CPPUNIT_ASSERT(lifted.inlined.empty());
    CPPUNIT_ASSERT((lifted.references == std::multiset<std::string>{"cid:a%20b@c"}));
    CPPUNIT_ASSERT(
        (lift("<wb:Content>" + include + "CID:x'/></wb:Content>").references == std::multiset<std::string>{"CID:x"}));
  }

  void otherHrefSchemesAreRefused() {
    for (const auto *href : {"http://127.0.0.1/", "file:///etc/passwd", "", "cid:", "a@b", " "}) {
      const auto fault = liftFault(include + href + "'/>");
      assertCode(FaultCode::InvalidMessage, fault);
      assertContains(fault.reason(), "'cid:...'");
    }
    assertContains(liftFault("<xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include'/>").reason(),
                   "it has none");
  }

  void whatIsBesideAnIncludeIsRefused() {
    assertContains(liftFault("QQ==" + include + "cid:a'/>").reason(), "alone in it");
    assertContains(liftFault(include + "cid:a'/>" + include + "cid:b'/>").reason(), "alone in it");
  }

  void otherElementsInContentAreRefused() {
    const auto fault = liftFault("<Include href='cid:a'/>");
    assertCode(FaultCode::InvalidMessage, fault);
    assertContains(fault.reason(), "has the element Include");
  }

  void attachmentsAndHrefsAreReferences() {
    const auto lifted = lift("<wb:Href> https://h/data/1 "
                             "</wb:Href><wb:Attachment>cid:b</wb:Attachment></wb:Data><wb:Data><wb:Href>cid:b</wb:Href>"
                             "<wb:Attachment/></wb:Data><wb:Data><wb:Href><odd/></wb:Href>");
    CPPUNIT_ASSERT(lifted.inlined.empty());
    CPPUNIT_ASSERT((lifted.references == std::multiset<std::string>{"https://h/data/1", "cid:b", "cid:b"}));
  }

  void referencesAreCountedByElement() {
    const auto lifted =
        lift("<wb:Attachment>cid:a</wb:Attachment><wb:Href>cid:a</wb:Href></wb:Data><wb:Data><wb:Content>" + include +
             "cid:a'/></wb:Content></wb:Data><wb:Data><wb:Href>cid:b</wb:Href>");
    CPPUNIT_ASSERT((lifted.references == std::multiset<std::string>{"cid:a", "cid:a", "cid:b"}));
  }

  void bytesBesideAReferenceToAPartAreRefused() {
    for (const auto *bytes : {"", "QUFB"}) {
      for (const auto *part : {"<wb:Attachment>cid:a</wb:Attachment>", "<wb:Href> CID:a </wb:Href>"}) {
        const auto fault = faultOf([&] { (void)lift(std::string(part) + "\n<wb:Content>" + bytes + "</wb:Content>"); });
        assertCode(FaultCode::InvalidMessage, fault);
        CPPUNIT_ASSERT_EQUAL(std::string("wb:Content"), fault.subject());
        assertContains(fault.reason(), ":a' beside it");
        assertContains(fault.reason(), "line 2");
      }
    }
    // What may fail falls over to what is beside it, and an empty element names nothing.
    for (const auto &fine : {include + "cid:a'/></wb:Content><wb:Attachment>cid:b</wb:Attachment>",
                             std::string("QUFB</wb:Content><wb:Attachment/><wb:Href>https://a/b</wb:Href>")}) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, lift("<wb:Content>" + fine).references.size());
    }
  }

  void askedIsTheSameHoweverItIsWritten() {
    const auto asked = [](std::string_view data, const std::string &prefix = "wb") {
      auto envelope =
          Envelope::parse("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:" + prefix +
                              "='urn:waybill:1'><s:Body><" + prefix + ":Receive>" + std::string(data) + "</" + prefix +
                              ":Receive></s:Body></s:Envelope>",
                          {});
      (void)envelope.liftContent([](const std::string &, const std::string &) {});
      return envelope.asked();
    };
    const auto one = asked("<wb:Data><wb:Path>/a</wb:Path><wb:Digest algorithm='sha-256'>00</wb:Digest>"
                           "<wb:Attachment>cid:a</wb:Attachment></wb:Data>");
    CPPUNIT_ASSERT_EQUAL(one, asked("<x:Data>\n<x:Path> <![CDATA[/a]]></x:Path><!-- . --><x:Digest "
                                    "algorithm=\"sha-256\">00</x:Digest><x:Attachment>cid:b</x:Attachment></x:Data>",
                                    "x"));
    for (const auto *other : {"<wb:Data><wb:Path>/b</wb:Path><wb:Digest algorithm='sha-256'>00</wb:Digest>"
                              "<wb:Attachment>cid:a</wb:Attachment></wb:Data>",
                              "<wb:Data><wb:Path>/a</wb:Path><wb:Digest algorithm='adler32'>00</wb:Digest>"
                              "<wb:Attachment>cid:a</wb:Attachment></wb:Data>",
                              "<wb:Data><wb:Path>/a</wb:Path><wb:Digest algorithm='sha-256'>00</wb:Digest>"
                              "<wb:Href>cid:a</wb:Href></wb:Data>",
                              "<wb:Data><wb:Path>/a</wb:Path><wb:Digest algorithm='sha-256'>00</wb:Digest>"
                              "<wb:Attachment>cid:a</wb:Attachment></wb:Data><wb:Overwrite>Always</wb:Overwrite>"}) {
      CPPUNIT_ASSERT_MESSAGE(other, asked(other) != one);
    }
    CPPUNIT_ASSERT_EQUAL(asked("<wb:Data><wb:Href>cid:a</wb:Href></wb:Data>"),
                         asked("<wb:Data><wb:Href>CID:b</wb:Href></wb:Data>"));
    CPPUNIT_ASSERT_EQUAL(asked("<wb:Data><wb:Href>https://a/1</wb:Href><wb:Token>AA==</wb:Token></wb:Data>"),
                         asked("<wb:Data><wb:Href>https://a/1</wb:Href><wb:Token>BB==</wb:Token></wb:Data>"));
    CPPUNIT_ASSERT(asked("<wb:Data><wb:Href>https://a/1</wb:Href></wb:Data>") !=
                   asked("<wb:Data><wb:Href>https://a/2</wb:Href></wb:Data>"));
  }

  void contentOfOtherNamespacesIsLeftAlone() {
    const auto lifted = lift("<Content>not base64!</Content><x:Href xmlns:x='urn:x'>cid:a</x:Href>");
    CPPUNIT_ASSERT(lifted.references.empty());
    assertContains(lifted.body, "<Content>not base64!</Content>");
  }

  void otherBodiesAreLeftAlone() {
    auto envelope = Envelope::parse(envelope11("<wb:Content>cid:x</wb:Content>", "<wb:List/>"), {});
    CPPUNIT_ASSERT(
        envelope.liftContent([](const std::string &, const std::string &) { CPPUNIT_FAIL("nothing is inline"); })
            .empty());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(EnvelopeContentTest);

} // namespace
