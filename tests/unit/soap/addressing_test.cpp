// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

const std::string action = "<wsa:Action>urn:waybill:1/List</wsa:Action>";

Addressing addressingOf(std::string_view headers) { return Envelope::parse(envelope12(headers), {}).addressing(); }
Fault addressingFault(std::string_view headers) {
  return faultOf([&] { (void)addressingOf(headers); });
}

void assertFault(FaultCode code, std::string_view subject, std::string_view headers) {
  const auto fault = addressingFault(action + std::string(headers));
  assertCode(code, fault);
  CPPUNIT_ASSERT_EQUAL(std::string(subject), fault.subject());
}

std::string to(std::string_view address, std::string_view more = "") {
  return "<wsa:ReplyTo><wsa:Address>" + std::string(address) + "</wsa:Address>" + std::string(more) + "</wsa:ReplyTo>";
}

/// The message addressing properties, read and written (WS-Addressing 1.0).
class AddressingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AddressingTest);
  CPPUNIT_TEST(noHeadersMeanNoAddressing);
  CPPUNIT_TEST(allPropertiesAreRead);
  CPPUNIT_TEST(repliesGoToAnonymousUnlessSaidOtherwise);
  CPPUNIT_TEST(faultsGoToFaultToThenReplyTo);
  CPPUNIT_TEST(doubledHeadersAreInvalidCardinality);
  CPPUNIT_TEST(whatIsValidIsKeptWhenSomethingIsNot);
  CPPUNIT_TEST(relationshipsMayBeMany);
  CPPUNIT_TEST(theTransferIsARelationshipOfItsOwn);
  CPPUNIT_TEST(actionIsRequiredWithTheRest);
  CPPUNIT_TEST(addressesAreRequired);
  CPPUNIT_TEST(malformedAddressesAreRefused);
  CPPUNIT_TEST(malformedIdsAndActionsAreRefused);
  CPPUNIT_TEST(malformedReferencesAreRefused);
  CPPUNIT_TEST(parametersThatImitateHeadersAreRefused);
  CPPUNIT_TEST(headersMarkedAsParametersAreRefused);
  CPPUNIT_TEST(headersForOthersAreIgnored);
  CPPUNIT_TEST(olderAddressingIsUnknown);
  CPPUNIT_TEST(referenceParametersStandAlone);
  CPPUNIT_TEST(referenceParametersKeepTheirMeaning);
  CPPUNIT_TEST(referenceParametersMayHavePrefixesOfTheirOwn);
  CPPUNIT_TEST(referenceParametersAreBounded);
  CPPUNIT_TEST(headersAreWrittenInOrder);
  CPPUNIT_TEST(writtenHeadersAreReadBack);
  CPPUNIT_TEST(referenceParametersSurviveTheRoundTrip);
  CPPUNIT_TEST(echoedParametersAreMarked);
  CPPUNIT_TEST(markingCopesWithTakenPrefixes);
  CPPUNIT_TEST(envelopesWithoutHeadersHaveNoHeader);
  CPPUNIT_TEST(escapingMakesAnyTextWellFormed);
  CPPUNIT_TEST_SUITE_END();

public:
  void noHeadersMeanNoAddressing() {
    const auto addressing = addressingOf("<wb:Token>t</wb:Token>");
    CPPUNIT_ASSERT(!addressing.used);
    CPPUNIT_ASSERT(!addressing.messageId && !addressing.action && !addressing.replyTo);
    CPPUNIT_ASSERT(addressing.replyEndpoint().isAnonymous());
  }

  void allPropertiesAreRead() {
    const auto addressing = addressingOf(
        "<wsa:To> https://here/services/data </wsa:To>\n" + action +
        "<wsa:MessageID S:mustUnderstand='true'>urn:uuid:1</wsa:MessageID><wsa:RelatesTo>urn:uuid:0</wsa:RelatesTo>"
        "<wsa:From><wsa:Address>urn:from</wsa:Address><wsa:Metadata><x/></wsa:Metadata><other/></wsa:From>" +
        to(" https://there/ ") + "<wsa:FaultTo><wsa:Address>urn:faults</wsa:Address></wsa:FaultTo>");
    CPPUNIT_ASSERT(addressing.used);
    CPPUNIT_ASSERT_EQUAL(std::string("https://here/services/data"), addressing.to.value());
    CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/List"), addressing.action.value());
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:1"), addressing.messageId.value());
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:0"), addressing.relatesTo.value());
    CPPUNIT_ASSERT((addressing.from.value() == EndpointReference{"urn:from", {}}));
    CPPUNIT_ASSERT((addressing.replyTo.value() == EndpointReference{"https://there/", {}}));
    CPPUNIT_ASSERT((addressing.faultTo.value() == EndpointReference{"urn:faults", {}}));
  }

  void repliesGoToAnonymousUnlessSaidOtherwise() {
    CPPUNIT_ASSERT(addressingOf(action).replyEndpoint().isAnonymous());
    CPPUNIT_ASSERT(addressingOf(action + to(EndpointReference::anonymous)).replyEndpoint().isAnonymous());
    CPPUNIT_ASSERT(addressingOf(action + to(EndpointReference::none)).replyEndpoint().isNone());
    CPPUNIT_ASSERT_EQUAL(std::string("https://x/"), addressingOf(action + to("https://x/")).replyEndpoint().address);
  }

  void faultsGoToFaultToThenReplyTo() {
    CPPUNIT_ASSERT(addressingOf(action).faultEndpoint().isAnonymous());
    CPPUNIT_ASSERT_EQUAL(std::string("https://x/"), addressingOf(action + to("https://x/")).faultEndpoint().address);
    const auto both =
        addressingOf(action + to("https://x/") + "<wsa:FaultTo><wsa:Address>urn:f</wsa:Address></wsa:FaultTo>");
    CPPUNIT_ASSERT_EQUAL(std::string("urn:f"), both.faultEndpoint().address);
  }

  void doubledHeadersAreInvalidCardinality() {
    for (const std::string name : {"To", "MessageID"}) {
      const auto header = "<wsa:" + name + ">urn:a</wsa:" + name + ">";
      assertFault(FaultCode::InvalidCardinality, "wsa:" + name, header + header);
    }
    assertFault(FaultCode::InvalidCardinality, "wsa:Action", action);
    for (const std::string name : {"From", "ReplyTo", "FaultTo"}) {
      const auto header = "<wsa:" + name + "><wsa:Address>urn:a</wsa:Address></wsa:" + name + ">";
      assertFault(FaultCode::InvalidCardinality, "wsa:" + name, header + header);
    }
  }

  void whatIsValidIsKeptWhenSomethingIsNot() {
    Addressing read;
    const auto envelope = Envelope::parse(
        envelope12("<wsa:To>urn:first</wsa:To><wsa:To>urn:second</wsa:To><wsa:From/><wsa:FaultTo/>" + action +
                   "<wsa:FaultTo><wsa:Address>" + EndpointReference::none +
                   "</wsa:Address></wsa:FaultTo><wsa:MessageID>urn:uuid:1</wsa:MessageID>" +
                   to(EndpointReference::anonymous, "<wsa:ReferenceParameters><k/></wsa:ReferenceParameters>")),
        {});
    const auto fault = faultOf([&] { envelope.addressing(read); });
    assertCode(FaultCode::InvalidCardinality, fault);
    CPPUNIT_ASSERT_EQUAL(std::string("wsa:To"), fault.subject());
    CPPUNIT_ASSERT(read.used);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:first"), read.to.value());
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:1"), read.messageId.value());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, read.replyTo.value().referenceParameters.size());
    CPPUNIT_ASSERT(read.faultEndpoint().isNone() && !read.from);
    Addressing alone;
    const auto onlyBad = Envelope::parse(envelope12("<wsa:MessageID>17</wsa:MessageID>"), {});
    assertCode(FaultCode::InvalidAddressingHeader, faultOf([&] { onlyBad.addressing(alone); }));
    CPPUNIT_ASSERT(alone.used && !alone.messageId);
  }

  void relationshipsMayBeMany() {
    const auto addressing = addressingOf(
        action + "<wsa:RelatesTo RelationshipType='urn:other'>urn:a</wsa:RelatesTo>"
                 "<wsa:RelatesTo RelationshipType='http://www.w3.org/2005/08/addressing/reply'>urn:b</wsa:RelatesTo>");
    CPPUNIT_ASSERT_EQUAL(std::string("urn:b"), addressing.relatesTo.value());
    const auto other = addressingOf(action + "<wsa:RelatesTo RelationshipType='urn:other'>urn:a</wsa:RelatesTo>");
    CPPUNIT_ASSERT(!other.relatesTo && !other.transfer);
  }

  void theTransferIsARelationshipOfItsOwn() {
    const std::string transfer = "<wsa:RelatesTo RelationshipType=' urn:waybill:1/Transfer '>urn:call</wsa:RelatesTo>";
    const auto alone = addressingOf(action + transfer);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:call"), alone.transfer.value());
    CPPUNIT_ASSERT(!alone.relatesTo);
    const auto both = addressingOf(action + transfer + "<wsa:RelatesTo>urn:reply</wsa:RelatesTo>");
    CPPUNIT_ASSERT_EQUAL(std::string("urn:call"), both.transfer.value());
    CPPUNIT_ASSERT_EQUAL(std::string("urn:reply"), both.relatesTo.value());
  }

  void actionIsRequiredWithTheRest() {
    for (const auto &headers : {std::string("<wsa:MessageID>urn:a</wsa:MessageID>"), to("https://x/"),
                                std::string("<wsa:To>urn:a</wsa:To>")}) {
      const auto fault = addressingFault(headers);
      assertCode(FaultCode::MessageAddressingHeaderRequired, fault);
      CPPUNIT_ASSERT_EQUAL(std::string("wsa:Action"), fault.subject());
    }
  }

  void addressesAreRequired() {
    assertFault(FaultCode::MissingAddressInEndpointReference, "wsa:ReplyTo", "<wsa:ReplyTo/>");
    assertFault(FaultCode::MissingAddressInEndpointReference, "wsa:FaultTo",
                "<wsa:FaultTo><wsa:ReferenceParameters/></wsa:FaultTo>");
    assertFault(FaultCode::MissingAddressInEndpointReference, "wsa:From",
                "<wsa:From><Address>urn:a</Address></wsa:From>");
  }

  void malformedAddressesAreRefused() {
    for (const auto *address : {"", " ", "relative/path", "//host/path", "http://a b/", "nocolon", ":x",
                                "http:", "1a:b", "urn:a\tb", "urn:&lt;", "urn:a&quot;b", "&#13;"}) {
      assertFault(FaultCode::InvalidAddress, "wsa:ReplyTo", to(address));
      assertFault(FaultCode::InvalidAddress, "wsa:To", "<wsa:To>" + std::string(address) + "</wsa:To>");
    }
    assertFault(FaultCode::InvalidAddress, "wsa:To", "<wsa:To><x/></wsa:To>");
    (void)addressingOf(action + to("https://[::1]:8443/\xC3\xA9?a=b&amp;c#d"));
  }

  void malformedIdsAndActionsAreRefused() {
    assertFault(FaultCode::InvalidAddressingHeader, "wsa:MessageID", "<wsa:MessageID>17</wsa:MessageID>");
    assertFault(FaultCode::InvalidAddressingHeader, "wsa:MessageID", "<wsa:MessageID/>");
    assertFault(FaultCode::InvalidAddressingHeader, "wsa:RelatesTo", "<wsa:RelatesTo>a b</wsa:RelatesTo>");
    const auto fault = addressingFault("\n<wsa:Action>List</wsa:Action>");
    assertCode(FaultCode::InvalidAddressingHeader, fault);
    assertContains(fault.reason(), "'List'");
    assertContains(fault.reason(), "line 2");
  }

  void malformedReferencesAreRefused() {
    assertFault(FaultCode::InvalidEndpointReference, "wsa:ReplyTo", to("urn:a", "<wsa:Address>urn:b</wsa:Address>"));
    assertFault(FaultCode::InvalidEndpointReference, "wsa:ReplyTo",
                to("urn:a", "<wsa:ReferenceParameters/><wsa:ReferenceParameters/>"));
  }

  void parametersThatImitateHeadersAreRefused() {
    for (const std::string parameter :
         {"<wsa:To>urn:elsewhere</wsa:To>", "<wsa:Anything/>", "<S:Fault/>",
          "<k:Body xmlns:k='http://schemas.xmlsoap.org/soap/envelope/'/>",
          "<ReplyTo xmlns='http://www.w3.org/2005/08/addressing'><Address>urn:a</Address></ReplyTo>"}) {
      assertFault(FaultCode::InvalidEndpointReference, "wsa:ReplyTo",
                  to("urn:a", "<wsa:ReferenceParameters><k/>" + parameter + "</wsa:ReferenceParameters>"));
    }
    for (const auto *space : {"http://www.w3.org/2005/08/addressing", soap11Namespace, soap12Namespace}) {
      assertCode(FaultCode::InvalidEndpointReference, faultOf([&] {
                   (void)asReferenceParameterHeader("<To xmlns=\"" + std::string(space) + "\">urn:a</To>");
                 }));
    }
    // Of another namespace, whatever its prefix or name: harmless.
    (void)addressingOf(action + to("urn:a", "<wsa:ReferenceParameters><wsa:To xmlns:wsa='urn:mine'>x</wsa:To><To/>"
                                            "</wsa:ReferenceParameters>"));
  }

  /// What a sender less careful than we are would make of such a reference.
  void headersMarkedAsParametersAreRefused() {
    const std::string mark = " wsa:IsReferenceParameter='";
    for (const auto *yes : {"true", " 1 "}) {
      assertFault(FaultCode::InvalidAddressingHeader, "wsa:FaultTo",
                  "<wsa:FaultTo" + mark + yes + "'><wsa:Address>urn:a</wsa:Address></wsa:FaultTo>");
      assertFault(FaultCode::InvalidAddressingHeader, "wsa:To", "<wsa:To" + mark + yes + "'>urn:a</wsa:To>");
    }
    CPPUNIT_ASSERT_EQUAL(std::string("urn:a"),
                         addressingOf(action + "<wsa:To" + mark + "false'>urn:a</wsa:To>").to.value());
  }

  void headersForOthersAreIgnored() {
    const auto other = std::string("<wsa:To S:role='urn:proxy'>not checked</wsa:To>");
    CPPUNIT_ASSERT(!addressingOf(other).used);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:mine"),
                         addressingOf(action + other + "<wsa:To>urn:mine</wsa:To>").to.value());
    const auto old = Envelope::parse(envelope11("<wsa:Action S:actor='urn:proxy'>x</wsa:Action>"), {});
    CPPUNIT_ASSERT(!old.addressing().used);
  }

  void olderAddressingIsUnknown() {
    const auto addressing =
        addressingOf("<o:To xmlns:o='http://schemas.xmlsoap.org/ws/2004/08/addressing'>relative</o:To><To>x</To>");
    CPPUNIT_ASSERT(!addressing.used);
  }

  void referenceParametersStandAlone() {
    const auto xml = std::string("<S:Envelope xmlns:S='") + soap11Namespace +
                     "' xmlns:w='http://www.w3.org/2005/08/addressing' xmlns:k='urn:k' xmlns:v='urn:v' xmlns:t='urn:t' "
                     "xmlns:no='urn:no'>"
                     "<S:Header xmlns='urn:default'><w:Action>urn:x</w:Action><w:ReplyTo "
                     "xmlns:k='urn:nearer'><w:Address>urn:a</w:Address>"
                     "<w:ReferenceParameters><k:K v:a='1' "
                     "type='t:Name'>x</k:K>\n<plain>v:qname</plain></w:ReferenceParameters></w:ReplyTo>"
                     "</S:Header><S:Body><x/></S:Body></S:Envelope>";
    const auto parameters = Envelope::parse(xml, {}).addressing().replyTo.value().referenceParameters;
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, parameters.size());
    CPPUNIT_ASSERT_EQUAL(
        std::string("<k:K xmlns=\"urn:default\" xmlns:k=\"urn:nearer\" xmlns:t=\"urn:t\" xmlns:v=\"urn:v\" v:a=\"1\" "
                    "type=\"t:Name\">x</k:K>"),
        parameters[0]);
    CPPUNIT_ASSERT_EQUAL(std::string("<plain xmlns=\"urn:default\" xmlns:v=\"urn:v\">v:qname</plain>"), parameters[1]);
  }

  void referenceParametersKeepTheirMeaning() {
    const std::string parameter =
        "<k:K xmlns:k=\"urn:k\" a=\"x&amp;y&lt;&quot;'&#10;z\">a&amp;b<!-- c & d --><![CDATA[<&>]]>&#13;\xC3\xA9</k:K>";
    const auto read =
        addressingOf(action + to("urn:a", "<wsa:ReferenceParameters>" + parameter + "</wsa:ReferenceParameters>"));
    CPPUNIT_ASSERT_EQUAL(parameter, read.replyTo.value().referenceParameters.at(0));
  }

  void referenceParametersMayHavePrefixesOfTheirOwn() {
    const std::string parameter = "<wsa:K xmlns:wsa=\"urn:mine\" xmlns=\"\"><a xmlns=\"urn:b\"/></wsa:K>";
    const auto read =
        addressingOf(action + to("urn:a", "<wsa:ReferenceParameters>" + parameter + "</wsa:ReferenceParameters>"));
    CPPUNIT_ASSERT_EQUAL(parameter, read.replyTo.value().referenceParameters.at(0));
  }

  void referenceParametersAreBounded() {
    const auto many = to("urn:a", "<wsa:ReferenceParameters>" + repeated("<k/>", 65) + "</wsa:ReferenceParameters>");
    assertFault(FaultCode::TooLarge, "wsa:ReplyTo", many);
    // Each of them would carry the long declaration along.
    const auto fat = "<wsa:ReplyTo xmlns='urn:" + std::string(1U << 20U, 'x') +
                     "'><wsa:Address>urn:a</wsa:Address><wsa:ReferenceParameters>" + repeated("<k/>", 60) +
                     "</wsa:ReferenceParameters></wsa:ReplyTo>";
    assertCode(FaultCode::TooLarge, addressingFault(action + fat));
  }

  void headersAreWrittenInOrder() {
    Addressing addressing;
    addressing.to = "urn:to";
    addressing.action = "urn:action";
    addressing.messageId = "urn:id";
    addressing.relatesTo = "urn:other";
    addressing.replyTo = EndpointReference{"urn:reply", {"<k/>"}};
    addressing.faultTo = EndpointReference{"urn:faults", {}};
    const auto text = writeEnvelope(Version::Soap12, addressing, {"<block/>"}, "<body/>");
    CPPUNIT_ASSERT_EQUAL(
        std::string("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" "
                    "xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"><soap:Header><wsa:To>urn:to</wsa:To>"
                    "<wsa:Action>urn:action</wsa:Action><wsa:MessageID>urn:id</wsa:MessageID><wsa:RelatesTo>urn:other"
                    "</wsa:RelatesTo><wsa:ReplyTo><wsa:Address>urn:reply</wsa:Address><wsa:ReferenceParameters><k/>"
                    "</wsa:ReferenceParameters></wsa:ReplyTo><wsa:FaultTo><wsa:Address>urn:faults</wsa:Address>"
                    "</wsa:FaultTo><block/></soap:Header><soap:Body><body/></soap:Body></soap:Envelope>\n"),
        text);
  }

  void writtenHeadersAreReadBack() {
    Addressing addressing;
    addressing.to = "https://host/?a=1&b='2'";
    addressing.action = "urn:waybill:1/Copy";
    addressing.messageId = "urn:uuid:1";
    addressing.relatesTo = "urn:uuid:0";
    addressing.transfer = "http://first/?a&b";
    addressing.from = EndpointReference{"urn:from", {}};
    addressing.replyTo = EndpointReference{"https://reply/", {"<k:K xmlns:k=\"urn:k\">1</k:K>", "<l/>"}};
    addressing.faultTo = EndpointReference{EndpointReference::none, {}};
    for (const auto version : {Version::Soap11, Version::Soap12}) {
      const auto envelope = Envelope::parse(writeEnvelope(version, addressing, {}, "<body/>"), {});
      const auto read = envelope.addressing();
      CPPUNIT_ASSERT(envelope.version() == version);
      CPPUNIT_ASSERT(read.to == addressing.to && read.action == addressing.action &&
                     read.messageId == addressing.messageId);
      CPPUNIT_ASSERT(read.relatesTo == addressing.relatesTo && read.transfer == addressing.transfer &&
                     read.from == addressing.from);
      CPPUNIT_ASSERT(read.replyTo == addressing.replyTo && read.faultTo == addressing.faultTo);
    }
  }

  void referenceParametersSurviveTheRoundTrip() {
    const std::string parameter =
        "<k:K xmlns:k=\"urn:k\" xmlns:q=\"urn:q\" a=\"x&amp;y&#10;\" t=\"q:n\">a&amp;b<!-- c --><![CDATA[<&]]></k:K>";
    const auto first =
        addressingOf(action + to("urn:a", "<wsa:ReferenceParameters>" + parameter + "</wsa:ReferenceParameters>"));
    Addressing onward;
    onward.action = "urn:b";
    onward.replyTo = first.replyTo;
    const auto second = Envelope::parse(writeEnvelope(Version::Soap11, onward, {}, "<x/>"), {}).addressing();
    CPPUNIT_ASSERT(first.replyTo == second.replyTo);
    CPPUNIT_ASSERT_EQUAL(parameter, second.replyTo.value().referenceParameters.at(0));
  }

  void echoedParametersAreMarked() {
    const auto header =
        asReferenceParameterHeader("<wb:Token xmlns:wb=\"urn:waybill:1\">t&amp;<![CDATA[<]]></wb:Token>");
    CPPUNIT_ASSERT_EQUAL(
        std::string("<wb:Token xmlns:wb=\"urn:waybill:1\" xmlns:wsa=\"http://www.w3.org/2005/08/addressing\" "
                    "wsa:IsReferenceParameter=\"true\">t&amp;<![CDATA[<]]></wb:Token>"),
        header);
    const auto envelope = Envelope::parse(writeEnvelope(Version::Soap12, {}, {header}, "<x/>"), {});
    CPPUNIT_ASSERT_EQUAL(std::string("t&<"), envelope.headerText({"urn:waybill:1", "Token"}).value());
    CPPUNIT_ASSERT_EQUAL(header, asReferenceParameterHeader(header));
  }

  void markingCopesWithTakenPrefixes() {
    const auto header = asReferenceParameterHeader("<wsa:K xmlns:wsa=\"urn:mine\" xmlns:wsa0=\"urn:too\"/>");
    assertContains(header, "<wsa:K xmlns:wsa=\"urn:mine\"");
    assertContains(header, "xmlns:wsa1=\"http://www.w3.org/2005/08/addressing\" wsa1:IsReferenceParameter=\"true\"");
    const auto fallback =
        asReferenceParameterHeader("<K xmlns=\"urn:k\" xmlns:w=\"http://www.w3.org/2005/08/addressing\"/>");
    assertContains(fallback, "w:IsReferenceParameter=\"true\"");
    assertContains(asReferenceParameterHeader("<k/>"), "wsa:IsReferenceParameter=\"true\"/>");
    assertCode(FaultCode::InvalidMessage, faultOf([] { (void)asReferenceParameterHeader("<a/><b/>"); }));
  }

  void envelopesWithoutHeadersHaveNoHeader() {
    const auto text = writeEnvelope(Version::Soap11, {}, {}, "<x/>");
    assertLacks(text, "Header");
    assertLacks(text, "wsa");
    CPPUNIT_ASSERT(Envelope::parse(text, {}).version() == Version::Soap11);
  }

  void escapingMakesAnyTextWellFormed() {
    CPPUNIT_ASSERT_EQUAL(std::string("a&amp;&lt;&gt;&quot;&apos;&#13;\n\tz"), escapeXml("a&<>\"'\r\n\tz"));
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\xA9\xF0\x9F\x98\x80"), escapeXml("\xC3\xA9\xF0\x9F\x98\x80"));
    const std::string bad = "\xEF\xBF\xBD";
    CPPUNIT_ASSERT_EQUAL(bad + "x" + bad, escapeXml(std::string_view("\0x\x1F", 3)));
    CPPUNIT_ASSERT_EQUAL(bad + "a" + bad + bad, escapeXml("\xFF"
                                                          "a\xC3\xE2"));
    CPPUNIT_ASSERT_EQUAL(bad, escapeXml("\xEF\xBF\xBF"));
    CPPUNIT_ASSERT_EQUAL(bad + bad + bad, escapeXml("\xED\xA0\x80"));
    std::string all;
    for (int c = 0; c < 256; ++c) {
      all += static_cast<char>(c);
    }
    (void)Envelope::parse(
        writeEnvelope(Version::Soap11, {}, {}, "<x a=\"" + escapeXml(all) + "\">" + escapeXml(all) + "</x>"), {});
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AddressingTest);

} // namespace
