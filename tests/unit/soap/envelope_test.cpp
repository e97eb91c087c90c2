// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

/// What an envelope may look like, and what is read from it.
class EnvelopeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EnvelopeTest);
  CPPUNIT_TEST(bothVersionsAreRead);
  CPPUNIT_TEST(otherOutermostElementsAreAVersionMismatch);
  CPPUNIT_TEST(misplacedHeadersAreRefused);
  CPPUNIT_TEST(missingOrDoubledBodiesAreRefused);
  CPPUNIT_TEST(bodiesNeedExactlyOneElement);
  CPPUNIT_TEST(textBetweenTheElementsIsRefused);
  CPPUNIT_TEST(malformedXmlIsRefusedWithItsPlace);
  CPPUNIT_TEST(whatIsNoXmlIsRefused);
  CPPUNIT_TEST(namespaceErrorsAreRefused);
  CPPUNIT_TEST(faultsAreRecognised);
  CPPUNIT_TEST(headerTextIsTrimmedAndWhole);
  CPPUNIT_TEST(doubledHeaderTextIsRefused);
  CPPUNIT_TEST(headersForOthersAreNotOurs);
  CPPUNIT_TEST(mustUnderstandIsHonoured);
  CPPUNIT_TEST(mustUnderstandOfOthersIsNotOurs);
  CPPUNIT_TEST(mustUnderstandNeedsABoolean);
  CPPUNIT_TEST(ownHeadersAreUnderstood);
  CPPUNIT_TEST(bodyStandsAloneWithWhatItsAncestorsDeclare);
  CPPUNIT_TEST(bodyKeepsItsMeaning);
  CPPUNIT_TEST(envelopesCanBeMoved);
  CPPUNIT_TEST_SUITE_END();

public:
  void bothVersionsAreRead() {
    const auto old = Envelope::parse(envelope11(""), {});
    CPPUNIT_ASSERT(old.version() == Version::Soap11);
    const auto recent =
        Envelope::parse("<?xml version=\"1.0\" encoding='utf-8'?>\n" + envelope12("<wb:Token>t</wb:Token>"), {});
    CPPUNIT_ASSERT(recent.version() == Version::Soap12);
    CPPUNIT_ASSERT((recent.bodyElement() == QName{"urn:waybill:1", "List"}));
    CPPUNIT_ASSERT(!recent.isFault());
  }

  void otherOutermostElementsAreAVersionMismatch() {
    for (const auto *xml :
         {"<Envelope/>",
          "<S:Envelope xmlns:S='http://schemas.xmlsoap.org/soap/envelop/'><S:Body><a/></S:Body></S:Envelope>",
          "<html><body>hello</body></html>", "<S:Body xmlns:S='http://www.w3.org/2003/05/soap-envelope'/>"}) {
      assertCode(FaultCode::VersionMismatch, parseFault(xml));
    }
  }

  void misplacedHeadersAreRefused() {
    const auto open = std::string("<S:Envelope xmlns:S='") + soap11Namespace + "'>";
    for (const auto *inside : {"<S:Body><a/></S:Body><S:Header/>", "<S:Header/><S:Header/><S:Body><a/></S:Body>",
                               "<S:Header/><other/><S:Body><a/></S:Body>", "<other/><S:Body><a/></S:Body>"}) {
      assertCode(FaultCode::InvalidMessage, parseFault(open + inside + "</S:Envelope>"));
    }
  }

  void missingOrDoubledBodiesAreRefused() {
    const auto open = std::string("<S:Envelope xmlns:S='") + soap12Namespace + "'>";
    assertContains(parseFault(open + "</S:Envelope>").reason(), "no soap:Body");
    assertContains(parseFault(open + "<S:Header/></S:Envelope>").reason(), "no soap:Body");
    assertContains(parseFault(open + "<S:Body><a/></S:Body><S:Body><a/></S:Body></S:Envelope>").reason(),
                   "after its soap:Body");
    assertContains(parseFault(open + "<Body><a/></Body></S:Envelope>").reason(), "where its soap:Body is expected");
    const auto mixed = open + "<o:Body xmlns:o='" + soap11Namespace + "'><a/></o:Body></S:Envelope>";
    assertCode(FaultCode::InvalidMessage, parseFault(mixed));
  }

  void bodiesNeedExactlyOneElement() {
    assertContains(parseFault(envelope11("", "")).reason(), "empty");
    const auto fault = parseFault(envelope11("", "<wb:List/>\n<wb:Copy/>"));
    assertCode(FaultCode::InvalidMessage, fault);
    assertContains(fault.reason(), "second element, {urn:waybill:1}Copy");
    assertContains(fault.reason(), "line 2");
  }

  void textBetweenTheElementsIsRefused() {
    assertContains(parseFault(envelope11("", "hello<wb:List/>")).reason(), "text right inside soap:Body");
    assertContains(parseFault(envelope11("hello<wb:Token>t</wb:Token>")).reason(), "text right inside soap:Header");
    (void)Envelope::parse(envelope11("\n  <wb:Token>t</wb:Token>\n", "\n\t<!-- fine --><wb:List/>\r\n"), {});
  }

  void malformedXmlIsRefusedWithItsPlace() {
    const auto fault = parseFault(envelope11("", "<wb:List>\n\n   <wb:Limit>5</wb:Limi></wb:List>"));
    assertCode(FaultCode::InvalidMessage, fault);
    assertContains(fault.reason(), "not well-formed");
    assertContains(fault.reason(), "line 3, column ");
    for (const auto *xml : {"<a", "<a>", "<a></b>", "<a b=c/>", "<a b='1' b='2'/>", "<a/><b/>", "<a>&#0;</a>",
                            "<a>\x01</a>", "<a>\xFF</a>", "<a>]]></a>", "<a b='<'/>", "<a>& </a>", "<a/>trailing",
                            "<!-- -- --><a/>", "<", "<\xC3\x28/>"}) {
      assertContains(parseFault(xml).reason(), "not well-formed");
    }
  }

  void whatIsNoXmlIsRefused() {
    assertContains(parseFault("").reason(), "empty");
    assertContains(parseFault(" \r\n\t ").reason(), "empty");
    assertContains(parseFault("{\"json\": true}").reason(), "is not XML: it begins with '{\"json\"");
    assertContains(parseFault(std::string("\0\0\0\0", 4)).reason(), "is not XML");
    assertContains(parseFault("\x1F\x8B\x08").reason(), "is not XML");
  }

  void namespaceErrorsAreRefused() {
    assertContains(parseFault(envelope11("", "<nobody:List/>")).reason(), "nobody");
    assertCode(FaultCode::InvalidMessage, parseFault(envelope11("", "<wb:List no:a='1'/>")));
    assertCode(FaultCode::InvalidMessage, parseFault(envelope11("", "<wb:List xmlns:x=''/>")));
    assertContains(parseFault(envelope11("", "<wb:List xmlns:x='urn:&lt;'/>")).reason(), "namespace name");
    assertContains(parseFault(envelope11("", "<wb:List xmlns:x='urn:&#10;'/>")).reason(), "namespace name");
    assertContains(parseFault(envelope11("", "<wb:List xmlns:x='urn:&quot;'/>")).reason(), "namespace name");
    (void)Envelope::parse(envelope11("", "<x:List xmlns:x='no URI \xC3\xA9'/>"), {});
  }

  void faultsAreRecognised() {
    CPPUNIT_ASSERT(Envelope::parse(envelope11("", "<S:Fault><faultcode>S:Client</faultcode></S:Fault>"), {}).isFault());
    CPPUNIT_ASSERT(Envelope::parse(envelope12("", "<S:Fault/>"), {}).isFault());
    CPPUNIT_ASSERT(!Envelope::parse(envelope12("", "<Fault/>"), {}).isFault());
  }

  void headerTextIsTrimmedAndWhole() {
    const auto envelope = Envelope::parse(envelope11("<wb:Token>\n ab<!-- c -->cd<![CDATA[ef&]]> </wb:Token>"), {});
    CPPUNIT_ASSERT_EQUAL(std::string("abcdef&"), envelope.headerText({"urn:waybill:1", "Token"}).value());
    CPPUNIT_ASSERT(!envelope.headerText({"urn:waybill:1", "Other"}));
    CPPUNIT_ASSERT(!Envelope::parse(envelope11(""), {}).headerText({"urn:waybill:1", "Token"}));
    const auto nested = Envelope::parse(envelope11("<wb:Token><x/></wb:Token>"), {});
    assertContains(faultOf([&] { (void)nested.headerText({"urn:waybill:1", "Token"}); }).reason(), "elements inside");
  }

  void doubledHeaderTextIsRefused() {
    const auto envelope = Envelope::parse(envelope11("<wb:Token>a</wb:Token>\n<wb:Token>a</wb:Token>"), {});
    const auto fault = faultOf([&] { (void)envelope.headerText({"urn:waybill:1", "Token"}); });
    assertCode(FaultCode::InvalidMessage, fault);
    assertContains(fault.reason(), "line 2");
  }

  void headersForOthersAreNotOurs() {
    const auto old =
        Envelope::parse(envelope11("<wb:Token S:actor='urn:other'>a</wb:Token><wb:Token S:actor=''>b</wb:Token>"), {});
    CPPUNIT_ASSERT_EQUAL(std::string("b"), old.headerText({"urn:waybill:1", "Token"}).value());
    const auto recent = Envelope::parse(
        envelope12("<wb:Token S:role='http://www.w3.org/2003/05/soap-envelope/role/none'>a</wb:Token>"
                   "<wb:Token S:role='http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver'>b</wb:Token>"),
        {});
    CPPUNIT_ASSERT_EQUAL(std::string("b"), recent.headerText({"urn:waybill:1", "Token"}).value());
  }

  void mustUnderstandIsHonoured() {
    for (const auto &xml :
         {envelope11("<x:Tx xmlns:x='urn:x' S:mustUnderstand='1'/>"),
          envelope11(
              "<x:Tx xmlns:x='urn:x' S:mustUnderstand='1' S:actor='http://schemas.xmlsoap.org/soap/actor/next'/>"),
          envelope12("<x:Tx xmlns:x='urn:x' S:mustUnderstand=' true '/>"),
          envelope12("<x:Tx xmlns:x='urn:x' S:mustUnderstand='1' "
                     "S:role='http://www.w3.org/2003/05/soap-envelope/role/next'/>")}) {
      const auto envelope = Envelope::parse(xml, {});
      const auto fault = faultOf([&] { envelope.requireUnderstood(); });
      assertCode(FaultCode::MustUnderstand, fault);
      CPPUNIT_ASSERT_EQUAL(std::string("{urn:x}Tx"), fault.subject());
      envelope.requireUnderstood({QName{"urn:x", "Tx"}});
    }
  }

  void mustUnderstandOfOthersIsNotOurs() {
    Envelope::parse(envelope11("<x:Tx xmlns:x='urn:x' S:mustUnderstand='0'/>"), {}).requireUnderstood();
    Envelope::parse(envelope11("<x:Tx xmlns:x='urn:x' mustUnderstand='1'/>"), {}).requireUnderstood();
    Envelope::parse(envelope11("<x:Tx xmlns:x='urn:x' S:mustUnderstand='1' S:actor='urn:proxy'/>"), {})
        .requireUnderstood();
    Envelope::parse(envelope12("<x:Tx xmlns:x='urn:x' S:mustUnderstand='true' S:role='urn:proxy'/>"), {})
        .requireUnderstood();
    Envelope::parse(envelope11(""), {}).requireUnderstood();
  }

  void mustUnderstandNeedsABoolean() {
    const auto envelope = Envelope::parse(envelope11("<x:Tx xmlns:x='urn:x' S:mustUnderstand='perhaps'/>"), {});
    const auto fault = faultOf([&] { envelope.requireUnderstood(); });
    assertCode(FaultCode::InvalidMessage, fault);
    assertContains(fault.reason(), "perhaps");
  }

  void ownHeadersAreUnderstood() {
    Envelope::parse(
        envelope11("<wsa:To S:mustUnderstand='1'>urn:a</wsa:To><wsa:Action S:mustUnderstand='1'>urn:b</wsa:Action>"
                   "<wb:Token S:mustUnderstand='1'>t</wb:Token>"),
        {})
        .requireUnderstood();
    const auto strange = Envelope::parse(envelope11("<wsa:Invented S:mustUnderstand='1'/>"), {});
    assertCode(FaultCode::MustUnderstand, faultOf([&] { strange.requireUnderstood(); }));
  }

  void bodyStandsAloneWithWhatItsAncestorsDeclare() {
    const auto xml =
        std::string("<S:Envelope xmlns:S='") + soap11Namespace +
        "' xmlns='urn:default' xmlns:a='urn:a' xmlns:b='urn:b?x=1&amp;y=2' xmlns:c='urn:c' xmlns:unused='urn:u'>"
        "<S:Body xmlns:a='urn:nearer'><Put kind='b:Kind'><a:x/>c:value</Put></S:Body></S:Envelope>";
    const auto body = Envelope::parse(xml, {}).bodyXml();
    assertContains(body, "xmlns=\"urn:default\"");
    assertContains(body, "xmlns:a=\"urn:nearer\"");
    assertContains(body, "xmlns:b=\"urn:b?x=1&#38;y=2\"");
    assertContains(body, "xmlns:c=\"urn:c\"");
    assertLacks(body, "unused");
    const auto again = Envelope::parse(envelope12("", body), {});
    CPPUNIT_ASSERT((again.bodyElement() == QName{"urn:default", "Put"}));
    CPPUNIT_ASSERT_EQUAL(body, again.bodyXml());
  }

  void bodyKeepsItsMeaning() {
    const std::string body = "<p:Put xmlns:p=\"urn:p\" a=\"x&amp;y &lt; &quot;q&quot; &#10;\"><!-- note "
                             "--><![CDATA[<&]]>&#13;\xC3\xA9 \xF0\x9F\x98\x80"
                             "<q xmlns=\"\"/></p:Put>";
    CPPUNIT_ASSERT_EQUAL(body, Envelope::parse(envelope11("", body), {}).bodyXml());
  }

  void envelopesCanBeMoved() {
    auto first = Envelope::parse(envelope11("", "<wb:List/>"), {});
    auto second = Envelope::parse(envelope12("", "<wb:Copy/>"), {});
    first = std::move(second);
    CPPUNIT_ASSERT_EQUAL(std::string("Copy"), first.bodyElement().local);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(EnvelopeTest);

} // namespace
