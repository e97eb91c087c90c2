// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include "soap/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <array>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

constexpr auto lastCode = static_cast<int>(FaultCode::MustUnderstand);

Fault roundTrip(const Fault &fault, Version version) {
  const auto reply = encodeFault(fault, version, {});
  const auto envelope = Envelope::parse(reply.envelope, {});
  CPPUNIT_ASSERT(envelope.version() == version);
  CPPUNIT_ASSERT(envelope.isFault());
  return decodeFault(envelope);
}

std::string encoded(const Fault &fault, Version version) { return encodeFault(fault, version, {}).envelope; }

/// Faults, to the wire and back.
class SoapFaultTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SoapFaultTest);
  CPPUNIT_TEST(everyCodeSurvivesBothVersions);
  CPPUNIT_TEST(subjectAndTriedSurvive);
  CPPUNIT_TEST(soap11SaysClientAndServer);
  CPPUNIT_TEST(soap12SaysSenderAndReceiver);
  CPPUNIT_TEST(statusFollowsTheVersion);
  CPPUNIT_TEST(logTextIsNeverWritten);
  CPPUNIT_TEST(reasonsAreAlwaysWellFormed);
  CPPUNIT_TEST(addressingFaultsInSoap12);
  CPPUNIT_TEST(addressingFaultsInSoap11);
  CPPUNIT_TEST(addressingFaultsWithoutSubcodeBelow);
  CPPUNIT_TEST(addressingDetailsOfOtherKinds);
  CPPUNIT_TEST(mustUnderstandNamesTheHeader);
  CPPUNIT_TEST(versionMismatchOffersBothVersions);
  CPPUNIT_TEST(replyHeadersAreSentAlong);
  CPPUNIT_TEST(withoutAddressingNoActionIsSent);
  CPPUNIT_TEST(echoedParametersAreSentAlong);
  CPPUNIT_TEST(actionsFollowTheKind);
  CPPUNIT_TEST(foreignFaultsAreRead);
  CPPUNIT_TEST(foreignAddressingFaultsAreRead);
  CPPUNIT_TEST(unknownCodesBecomeInternal);
  CPPUNIT_TEST(englishReasonsArePreferred);
  CPPUNIT_TEST(emptyFaultsAreRead);
  CPPUNIT_TEST_SUITE_END();

public:
  void everyCodeSurvivesBothVersions() {
    for (int i = 0; i <= lastCode; ++i) {
      const auto code = static_cast<FaultCode>(i);
      for (const auto version : {Version::Soap11, Version::Soap12}) {
        const auto read = roundTrip(Fault(code, "because"), version);
        assertCode(code, read);
        CPPUNIT_ASSERT_EQUAL(std::string("because"), read.reason());
      }
    }
  }

  void subjectAndTriedSurvive() {
    for (const auto version : {Version::Soap11, Version::Soap12}) {
      const auto read = roundTrip(
          Fault(FaultCode::UnresolvableData, "no <way>", "/a&b", {"attachment: none", "reference: gone"}), version);
      CPPUNIT_ASSERT_EQUAL(std::string("no <way>"), read.reason());
      CPPUNIT_ASSERT_EQUAL(std::string("/a&b"), read.subject());
      CPPUNIT_ASSERT((read.tried() == std::vector<std::string>{"attachment: none", "reference: gone"}));
    }
  }

  void soap11SaysClientAndServer() {
    const auto sender = encoded(Fault(FaultCode::NoSuchData, "gone", "/a"), Version::Soap11);
    assertContains(sender,
                   "<faultcode>soap:Client</faultcode><faultstring xml:lang=\"en\">gone</faultstring><detail>"
                   "<wb:Fault xmlns:wb=\"urn:waybill:1\"><wb:Code>NoSuchData</wb:Code><wb:Reason>gone</wb:Reason>"
                   "<wb:Subject>/a</wb:Subject></wb:Fault></detail></soap:Fault>");
    assertContains(encoded(Fault(FaultCode::NoSpace, "full"), Version::Soap11), "<faultcode>soap:Server</faultcode>");
  }

  void soap12SaysSenderAndReceiver() {
    const auto sender = encoded(Fault(FaultCode::NoSuchData, "gone"), Version::Soap12);
    assertContains(
        sender,
        "<soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value>wb:NoSuchData</soap:Value></"
        "soap:Subcode>"
        "</soap:Code><soap:Reason><soap:Text xml:lang=\"en\">gone</soap:Text></soap:Reason><soap:Detail><wb:Fault");
    assertContains(encoded(Fault(FaultCode::Busy, "later"), Version::Soap12), "<soap:Value>soap:Receiver</soap:Value>");
  }

  void statusFollowsTheVersion() {
    CPPUNIT_ASSERT_EQUAL(500, encodeFault(Fault(FaultCode::NoSuchData, "x"), Version::Soap11, {}).httpStatus);
    CPPUNIT_ASSERT_EQUAL(400, encodeFault(Fault(FaultCode::NoSuchData, "x"), Version::Soap12, {}).httpStatus);
    CPPUNIT_ASSERT_EQUAL(500, encodeFault(Fault(FaultCode::Internal, "x"), Version::Soap12, {}).httpStatus);
    CPPUNIT_ASSERT_EQUAL(400, encodeFault(Fault(FaultCode::InvalidCardinality, "x"), Version::Soap12, {}).httpStatus);
    CPPUNIT_ASSERT_EQUAL(500, encodeFault(Fault(FaultCode::EndpointUnavailable, "x"), Version::Soap12, {}).httpStatus);
    // SOAP 1.2 part 2, table 20
    CPPUNIT_ASSERT_EQUAL(500, encodeFault(Fault(FaultCode::MustUnderstand, "x"), Version::Soap12, {}).httpStatus);
    CPPUNIT_ASSERT_EQUAL(500, encodeFault(Fault(FaultCode::VersionMismatch, "x"), Version::Soap12, {}).httpStatus);
  }

  void logTextIsNeverWritten() {
    for (int i = 0; i <= lastCode; ++i) {
      const Fault fault(static_cast<FaultCode>(i), "public", "wsa:To", {"tried"}, LogText("hush-hush"));
      assertLacks(encoded(fault, Version::Soap11), "hush-hush");
      assertLacks(encoded(fault, Version::Soap12), "hush-hush");
    }
  }

  void reasonsAreAlwaysWellFormed() {
    std::string all;
    for (int c = 0; c < 256; ++c) {
      all += static_cast<char>(c);
    }
    for (int i = 0; i <= lastCode; ++i) {
      for (const auto version : {Version::Soap11, Version::Soap12}) {
        for (const auto &subject : {all, "wsa:" + all, "{" + all + "}" + all, std::string("{"), std::string("]]>")}) {
          (void)roundTrip(Fault(static_cast<FaultCode>(i), all, subject, {all}), version);
        }
      }
    }
  }

  void addressingFaultsInSoap12() {
    const auto text = encoded(Fault(FaultCode::InvalidCardinality, "twice", "wsa:ReplyTo"), Version::Soap12);
    assertContains(
        text,
        "<soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value>wsa:InvalidAddressingHeader</"
        "soap:Value>"
        "<soap:Subcode><soap:Value>wsa:InvalidCardinality</soap:Value></soap:Subcode></soap:Subcode></soap:Code>");
    assertContains(text,
                   "<soap:Detail><wsa:ProblemHeaderQName xmlns:wsa=\"http://www.w3.org/2005/08/addressing\">wsa:ReplyTo"
                   "</wsa:ProblemHeaderQName></soap:Detail>");
    assertLacks(text, "wb:Fault");
    CPPUNIT_ASSERT_EQUAL(
        std::string("wsa:ReplyTo"),
        roundTrip(Fault(FaultCode::InvalidCardinality, "twice", "wsa:ReplyTo"), Version::Soap12).subject());
  }

  void addressingFaultsInSoap11() {
    const auto text = encoded(Fault(FaultCode::OnlyAnonymousAddressSupported, "no", "wsa:ReplyTo"), Version::Soap11);
    assertContains(text, "<faultcode>wsa:OnlyAnonymousAddressSupported</faultcode>");
    assertContains(text, "<wsa:FaultDetail xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"><wsa:ProblemHeaderQName");
    assertLacks(text, "<detail>");
    CPPUNIT_ASSERT_EQUAL(
        std::string("wsa:ReplyTo"),
        roundTrip(Fault(FaultCode::OnlyAnonymousAddressSupported, "no", "wsa:ReplyTo"), Version::Soap11).subject());
  }

  void addressingFaultsWithoutSubcodeBelow() {
    const Fault fault(FaultCode::MessageAddressingHeaderRequired, "no action", "wsa:Action");
    const auto text = encoded(fault, Version::Soap12);
    assertContains(text, "<soap:Subcode><soap:Value>wsa:MessageAddressingHeaderRequired</soap:Value></soap:Subcode>");
    assertContains(text, ">wsa:Action</wsa:ProblemHeaderQName>");
    assertContains(encoded(fault, Version::Soap11), "<faultcode>wsa:MessageAddressingHeaderRequired</faultcode>");
    assertContains(encoded(Fault(FaultCode::EndpointUnavailable, "x"), Version::Soap12),
                   "<soap:Value>soap:Receiver</soap:Value>");
  }

  void addressingDetailsOfOtherKinds() {
    assertContains(encoded(Fault(FaultCode::ActionNotSupported, "x", "urn:a&b"), Version::Soap12),
                   "<wsa:Action>urn:a&amp;b</wsa:Action></wsa:ProblemAction>");
    assertContains(encoded(Fault(FaultCode::DestinationUnreachable, "x", "https://h/"), Version::Soap11),
                   ">https://h/</wsa:ProblemIRI>");
    for (const auto code :
         {FaultCode::ActionNotSupported, FaultCode::DestinationUnreachable, FaultCode::EndpointUnavailable}) {
      for (const auto version : {Version::Soap11, Version::Soap12}) {
        CPPUNIT_ASSERT_EQUAL(std::string("urn:a&b"), roundTrip(Fault(code, "x", "urn:a&b"), version).subject());
      }
    }
    assertLacks(encoded(Fault(FaultCode::InvalidAddress, "x", "no header name"), Version::Soap12), "Detail");
  }

  void mustUnderstandNamesTheHeader() {
    const Fault fault(FaultCode::MustUnderstand, "what is that", "{urn:x}Tx");
    const auto text = encoded(fault, Version::Soap12);
    assertContains(text, "<soap:Code><soap:Value>soap:MustUnderstand</soap:Value></soap:Code>");
    assertContains(text, "<env:NotUnderstood xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" qname=\"not:Tx\" "
                         "xmlns:not=\"urn:x\"/>");
    assertLacks(text, "soap:Detail");
    CPPUNIT_ASSERT_EQUAL(std::string("{urn:x}Tx"), roundTrip(fault, Version::Soap12).subject());
    const auto old = encoded(fault, Version::Soap11);
    assertContains(old, "<faultcode>soap:MustUnderstand</faultcode>");
    assertLacks(old, "<detail>");
    assertContains(encoded(Fault(FaultCode::MustUnderstand, "x", "bare"), Version::Soap12), "qname=\"bare\"");
  }

  void versionMismatchOffersBothVersions() {
    for (const auto version : {Version::Soap11, Version::Soap12}) {
      const auto text = encoded(Fault(FaultCode::VersionMismatch, "what is that"), version);
      assertContains(text, "soap:VersionMismatch");
      assertContains(text, "<env:SupportedEnvelope qname=\"env:Envelope\"/>");
      assertContains(
          text,
          "<env:SupportedEnvelope qname=\"old:Envelope\" xmlns:old=\"http://schemas.xmlsoap.org/soap/envelope/\"/>");
    }
  }

  void replyHeadersAreSentAlong() {
    Addressing reply;
    reply.used = true;
    reply.to = EndpointReference::anonymous;
    reply.relatesTo = "urn:uuid:1";
    reply.messageId = "urn:uuid:2";
    reply.action = "urn:to-be-replaced";
    const auto sent = encodeFault(Fault(FaultCode::Busy, "x"), Version::Soap12, reply);
    const auto read = Envelope::parse(sent.envelope, {}).addressing();
    CPPUNIT_ASSERT(read.to == reply.to && read.relatesTo == reply.relatesTo && read.messageId == reply.messageId);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/Fault"), read.action.value());
    CPPUNIT_ASSERT_EQUAL(sent.action, read.action.value());
  }

  void withoutAddressingNoActionIsSent() {
    for (const auto version : {Version::Soap11, Version::Soap12}) {
      assertLacks(encoded(Fault(FaultCode::Busy, "x"), version), "Header");
      assertLacks(encoded(Fault(FaultCode::MustUnderstand, "x", "{urn:x}y"), version), "wsa:Action");
    }
  }

  void echoedParametersAreSentAlong() {
    Addressing reply;
    reply.used = true;
    const auto parameter = asReferenceParameterHeader("<k:K xmlns:k=\"urn:k\">1</k:K>");
    for (const auto version : {Version::Soap11, Version::Soap12}) {
      for (const auto code : {FaultCode::NoSuchData, FaultCode::InvalidCardinality, FaultCode::MustUnderstand}) {
        const auto text = encodeFault(Fault(code, "x", "wsa:To"), version, reply, {parameter}).envelope;
        const auto header = text.substr(0, text.find("</soap:Header>"));
        assertContains(header, parameter);
        CPPUNIT_ASSERT_EQUAL(std::string("1"), Envelope::parse(text, {}).headerText({"urn:k", "K"}).value());
      }
    }
  }

  void actionsFollowTheKind() {
    const auto actionOf = [](FaultCode code) { return encodeFault(Fault(code, "x"), Version::Soap11, {}).action; };
    CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/Fault"), actionOf(FaultCode::BadToken));
    CPPUNIT_ASSERT_EQUAL(std::string("http://www.w3.org/2005/08/addressing/fault"),
                         actionOf(FaultCode::ActionMismatch));
    CPPUNIT_ASSERT_EQUAL(std::string("http://www.w3.org/2005/08/addressing/fault"),
                         actionOf(FaultCode::ActionNotSupported));
    CPPUNIT_ASSERT_EQUAL(std::string("http://www.w3.org/2005/08/addressing/soap/fault"),
                         actionOf(FaultCode::MustUnderstand));
    CPPUNIT_ASSERT_EQUAL(std::string("http://www.w3.org/2005/08/addressing/soap/fault"),
                         actionOf(FaultCode::VersionMismatch));
  }

  void foreignFaultsAreRead() {
    const auto old =
        decodeFault(Envelope::parse(envelope11("", "<S:Fault><faultcode>S:Server.Database</faultcode><faultstring> "
                                                   "disk on fire </faultstring><detail><x:E xmlns:x='urn:x'>"
                                                   "<x:Reason>no</x:Reason></x:E></detail></S:Fault>"),
                                    {}));
    assertCode(FaultCode::Internal, old);
    CPPUNIT_ASSERT_EQUAL(std::string("disk on fire"), old.reason());
    CPPUNIT_ASSERT_EQUAL(std::string("{http://schemas.xmlsoap.org/soap/envelope/}Server.Database"), old.subject());
    const auto recent = decodeFault(
        Envelope::parse(envelope12("", "<S:Fault><S:Code><S:Value>S:Receiver</S:Value><S:Subcode><S:Value "
                                       "xmlns:x='urn:x'>x:Fire</S:Value></S:Subcode></S:Code>"
                                       "<S:Reason><S:Text xml:lang='en'>disk on fire</S:Text></S:Reason></S:Fault>"),
                        {}));
    assertCode(FaultCode::Internal, recent);
    CPPUNIT_ASSERT_EQUAL(std::string("disk on fire"), recent.reason());
    CPPUNIT_ASSERT_EQUAL(std::string("{urn:x}Fire"), recent.subject());
    for (const auto &laidToTheMessage :
         {envelope11("", "<S:Fault><faultcode>S:Client</faultcode><faultstring>no</faultstring></S:Fault>"),
          envelope11("", "<S:Fault><faultcode>S:Client.Auth</faultcode><faultstring>no</faultstring></S:Fault>"),
          envelope12("",
                     "<S:Fault><S:Code><S:Value>S:Sender</S:Value><S:Subcode><S:Value xmlns:x='urn:x'>x:No</S:Value>"
                     "</S:Subcode></S:Code><S:Reason><S:Text xml:lang='en'>no</S:Text></S:Reason></S:Fault>")}) {
      assertCode(FaultCode::InvalidMessage, decodeFault(Envelope::parse(laidToTheMessage, {})));
    }
  }

  void foreignAddressingFaultsAreRead() {
    // SOAP Binding, section 6.2: the faultcode may be the subcode or the one below it.
    const auto general = decodeFault(Envelope::parse(
        envelope11("<wsa:FaultDetail><wsa:ProblemHeaderQName "
                   "xmlns:a='http://www.w3.org/2005/08/addressing'>a:To</wsa:ProblemHeaderQName>"
                   "</wsa:FaultDetail>",
                   "<S:Fault><faultcode>wsa:InvalidAddressingHeader</faultcode><faultstring>x</faultstring></S:Fault>"),
        {}));
    assertCode(FaultCode::InvalidAddressingHeader, general);
    CPPUNIT_ASSERT_EQUAL(std::string("wsa:To"), general.subject());
    const auto invented = decodeFault(
        Envelope::parse(envelope12("", "<S:Fault><S:Code><S:Value>S:Sender</"
                                       "S:Value><S:Subcode><S:Value>wsa:InvalidAddressingHeader</S:Value><S:Subcode>"
                                       "<S:Value>wsa:Invented</S:Value></S:Subcode></S:Subcode></"
                                       "S:Code><S:Reason><S:Text xml:lang='en'>x</S:Text></S:Reason>"
                                       "</S:Fault>"),
                        {}));
    assertCode(FaultCode::InvalidAddressingHeader, invented);
  }

  void unknownCodesBecomeInternal() {
    const auto fault = decodeFault(Envelope::parse(
        envelope11("", "<S:Fault><faultcode>S:Client</faultcode><faultstring>fallback</faultstring><detail><wb:Fault>"
                       "<wb:Code>FromTheFuture</wb:Code></wb:Fault></detail></S:Fault>"),
        {}));
    assertCode(FaultCode::Internal, fault);
    CPPUNIT_ASSERT_EQUAL(std::string("fallback"), fault.reason());
  }

  void englishReasonsArePreferred() {
    const auto text = [](const char *lang, const char *reason) {
      return "<S:Text xml:lang='" + std::string(lang) + "'>" + reason + "</S:Text>";
    };
    const auto read = [&](const std::string &texts) {
      return decodeFault(
                 Envelope::parse(envelope12("", "<S:Fault><S:Code><S:Value>S:Sender</S:Value></S:Code><S:Reason>" +
                                                    texts + "</S:Reason></S:Fault>"),
                                 {}))
          .reason();
    };
    CPPUNIT_ASSERT_EQUAL(std::string("no"), read(text("de", "nein") + text("en-GB", "no")));
    CPPUNIT_ASSERT_EQUAL(std::string("nein"), read(text("de", "nein") + text("fr", "non")));
  }

  void emptyFaultsAreRead() {
    for (const auto &xml : {envelope11("", "<S:Fault/>"), envelope12("", "<S:Fault/>"),
                            envelope12("", "<S:Fault><S:Code/><S:Reason/></S:Fault>"),
                            envelope11("", "<S:Fault><faultcode>no:prefix</faultcode></S:Fault>")}) {
      const auto fault = decodeFault(Envelope::parse(xml, {}));
      assertCode(FaultCode::Internal, fault);
      assertContains(fault.reason(), "gives no reason");
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SoapFaultTest);

} // namespace
