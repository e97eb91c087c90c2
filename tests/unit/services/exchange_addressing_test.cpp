// SPDX-License-Identifier: GPL-3.0-or-later
// WS-Addressing as a caller meets it: in SOAP 1.1 and 1.2, in replies and above all in faults.
#include "lab.hpp"
#include "soap/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using soap::Version;
using test::Lab;
using test::RecordedResponse;

const std::string id = "<wsa:MessageID>urn:uuid:1</wsa:MessageID>";
const std::string listAction = "<wsa:Action>urn:waybill:1/List</wsa:Action>";
const std::string addressingFault = "http://www.w3.org/2005/08/addressing/fault";

std::string endpoint(const std::string &name, const std::string &address, const std::string &parameter = {}) {
  return "<wsa:" + name + "><wsa:Address>" + address + "</wsa:Address><wsa:ReferenceParameters>" + parameter +
         "</wsa:ReferenceParameters></wsa:" + name + ">";
}

std::string parameter(const std::string &value) { return "<k:K xmlns:k='urn:k'>" + value + "</k:K>"; }

void assertHas(const RecordedResponse &response, const std::string &text) {
  CPPUNIT_ASSERT_MESSAGE("expected " + text + " in " + response.body, response.body.find(text) != std::string::npos);
}
void assertLacks(const RecordedResponse &response, const std::string &text) {
  CPPUNIT_ASSERT_MESSAGE("unexpected " + text + " in " + response.body, response.body.find(text) == std::string::npos);
}

/// Every test is run with both versions of SOAP.
class ExchangeAddressingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExchangeAddressingTest);
  CPPUNIT_TEST(faultsNameTheMessage);
  CPPUNIT_TEST(faultsEchoTheParametersOfReplyTo);
  CPPUNIT_TEST(faultsEchoTheParametersOfFaultTo);
  CPPUNIT_TEST(parametersOfAnEndpointElsewhereAreNotEchoed);
  CPPUNIT_TEST(faultsAboutHeadersNameTheMessage);
  CPPUNIT_TEST(faultsAboutHeadersGoWhereFaultToSays);
  CPPUNIT_TEST(messageIdIsRequiredForAReply);
  CPPUNIT_TEST(withoutAddressingFaultsHaveNone);
  CPPUNIT_TEST(whatMustBeUnderstoodComesBeforeTheBody);
  CPPUNIT_TEST(unknownActionsAreNotSupported);
  CPPUNIT_TEST(ownActionForAnotherBodyIsAMismatch);
  CPPUNIT_TEST(ownActionForAnUnknownBodyIsAnInvalidMessage);
  CPPUNIT_TEST_SUITE_END();

public:
  void faultsNameTheMessage() {
    inBothVersions([&](Version version) {
      const auto reply = send(version, id + listAction);
      const auto addressing = read(reply).addressing();
      CPPUNIT_ASSERT(decoded(reply).code() == FaultCode::NoToken);
      CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:1"), addressing.relatesTo.value());
      CPPUNIT_ASSERT_EQUAL(std::string(EndpointReference::anonymous), addressing.to.value());
      CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/Fault"), addressing.action.value());
      CPPUNIT_ASSERT(addressing.messageId.value().starts_with("urn:uuid:") && addressing.messageId != "urn:uuid:1");
    });
  }

  void faultsEchoTheParametersOfReplyTo() {
    inBothVersions([&](Version version) {
      const auto reply =
          send(version, id + listAction + endpoint("ReplyTo", EndpointReference::anonymous, parameter("mine")));
      CPPUNIT_ASSERT_EQUAL(std::string("mine"), read(reply).headerText({"urn:k", "K"}).value());
      assertHas(reply, "IsReferenceParameter=\"true\"");
    });
  }

  void faultsEchoTheParametersOfFaultTo() {
    inBothVersions([&](Version version) {
      const auto reply =
          send(version, id + listAction + endpoint("ReplyTo", EndpointReference::anonymous, parameter("replies")) +
                            endpoint("FaultTo", EndpointReference::anonymous, parameter("faults")));
      CPPUNIT_ASSERT_EQUAL(std::string("faults"), read(reply).headerText({"urn:k", "K"}).value());
    });
  }

  void parametersOfAnEndpointElsewhereAreNotEchoed() {
    inBothVersions([&](Version version) {
      const auto reply =
          send(version, id + listAction + endpoint("FaultTo", "https://elsewhere.test/", parameter("theirs")));
      CPPUNIT_ASSERT(decoded(reply).code() == FaultCode::NoToken); // on the connection: nobody is known yet
      assertLacks(reply, "theirs");
    });
  }

  void faultsAboutHeadersNameTheMessage() {
    inBothVersions([&](Version version) {
      const auto reply = send(version, "<wsa:To>urn:a</wsa:To><wsa:To>urn:b</wsa:To>" + listAction +
                                           endpoint("ReplyTo", EndpointReference::anonymous, parameter("mine")) + id);
      const auto addressing = read(reply).addressing();
      CPPUNIT_ASSERT(decoded(reply).code() == FaultCode::InvalidCardinality);
      CPPUNIT_ASSERT_EQUAL(std::string("wsa:To"), decoded(reply).subject());
      CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:1"), addressing.relatesTo.value());
      CPPUNIT_ASSERT_EQUAL(std::string(EndpointReference::anonymous), addressing.to.value());
      CPPUNIT_ASSERT_EQUAL(addressingFault, addressing.action.value());
      CPPUNIT_ASSERT(addressing.messageId);
      CPPUNIT_ASSERT_EQUAL(std::string("mine"), read(reply).headerText({"urn:k", "K"}).value());
    });
  }

  void faultsAboutHeadersGoWhereFaultToSays() {
    inBothVersions([&](Version version) {
      const auto reply =
          send(version, "<wsa:To>urn:a</wsa:To><wsa:To>urn:b</wsa:To>" + endpoint("FaultTo", EndpointReference::none));
      CPPUNIT_ASSERT_EQUAL(202, reply.status);
      CPPUNIT_ASSERT_EQUAL(std::string(), reply.body);
    });
  }

  void messageIdIsRequiredForAReply() {
    inBothVersions([&](Version version) {
      const auto fault = decoded(send(version, listAction));
      CPPUNIT_ASSERT(fault.code() == FaultCode::MessageAddressingHeaderRequired);
      CPPUNIT_ASSERT_EQUAL(std::string("wsa:MessageID"), fault.subject());
      CPPUNIT_ASSERT_EQUAL(202, send(version, listAction + endpoint("ReplyTo", EndpointReference::none)).status);
    });
  }

  void withoutAddressingFaultsHaveNone() {
    inBothVersions([&](Version version) {
      const auto reply = send(version, "");
      CPPUNIT_ASSERT(decoded(reply).code() == FaultCode::NoToken);
      CPPUNIT_ASSERT(!read(reply).addressing().used);
      assertLacks(reply, "Header");
    });
  }

  void whatMustBeUnderstoodComesBeforeTheBody() {
    const std::string odd = "<x:Odd xmlns:x='urn:x' s:mustUnderstand='1'/>";
    inBothVersions([&](Version version) {
      CPPUNIT_ASSERT(decoded(send(version, odd, "<wb:Fly/>")).code() == FaultCode::MustUnderstand);
      const auto mismatch = id + "<wsa:Action>urn:waybill:1/Copy</wsa:Action><wsa:To>https://elsewhere.test/</wsa:To>";
      CPPUNIT_ASSERT(decoded(send(version, odd + mismatch)).code() == FaultCode::MustUnderstand);
    });
  }

  void unknownActionsAreNotSupported() {
    inBothVersions([&](Version version) {
      for (const auto *body : {"<wb:List/>", "<wb:Fly/>"}) {
        const auto reply = send(version, id + "<wsa:Action>urn:waybill:1/Fly</wsa:Action>", body);
        CPPUNIT_ASSERT(decoded(reply).code() == FaultCode::ActionNotSupported);
        CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/Fly"), decoded(reply).subject());
        assertHas(reply, "ProblemAction");
        CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:1"), read(reply).addressing().relatesTo.value());
      }
    });
  }

  void ownActionForAnotherBodyIsAMismatch() {
    inBothVersions([&](Version version) {
      const auto other = send(version, id + "<wsa:Action>urn:waybill:1/Copy</wsa:Action>");
      const auto atHttp = send(version, id + listAction, "<wb:List/>", "urn:waybill:1/Copy");
      for (const auto *reply : {&other, &atHttp}) {
        CPPUNIT_ASSERT(decoded(*reply).code() == FaultCode::ActionMismatch);
        CPPUNIT_ASSERT_EQUAL(std::string("wsa:Action"), decoded(*reply).subject());
        assertHas(*reply, "ProblemHeaderQName");
      }
    });
  }

  void ownActionForAnUnknownBodyIsAnInvalidMessage() {
    inBothVersions([&](Version version) {
      const auto reply = send(version, id + listAction, "<wb:Fly/>");
      CPPUNIT_ASSERT(decoded(reply).code() == FaultCode::InvalidMessage);
      assertHas(reply, "Fly");
    });
  }

private:
  template <class Test> static void inBothVersions(Test test) {
    test(Version::Soap11);
    test(Version::Soap12);
  }

  /// Without a token, so that a call with nothing wrong in its headers ends in NoToken.
  RecordedResponse send(Version version, const std::string &headers, const std::string &body = "<wb:List/>",
                        const std::string &soapAction = {}) {
    auto text = Lab::envelope(body, {}, headers);
    const std::string_view space = soap::soap11Namespace;
    if (version == Version::Soap12) {
      text.replace(text.find(space), space.size(), soap::soap12Namespace);
    }
    const auto reply = lab.post("data", text, version == Version::Soap11 ? "text/xml" : "application/soap+xml",
                                {{"SOAPAction", soapAction}});
    if (reply.status != 202) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(reply.body, version == Version::Soap12 && !isMustUnderstand(reply) ? 400 : 500,
                                   reply.status);
      CPPUNIT_ASSERT(read(reply).version() == version);
    }
    return reply;
  }

  static bool isMustUnderstand(const RecordedResponse &reply) {
    return decoded(reply).code() == FaultCode::MustUnderstand;
  }
  static soap::Envelope read(const RecordedResponse &reply) { return soap::Envelope::parse(reply.body, {}); }
  static Fault decoded(const RecordedResponse &reply) { return soap::decodeFault(read(reply)); }

  Lab lab;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExchangeAddressingTest);

} // namespace
