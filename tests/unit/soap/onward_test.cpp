// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

const std::string receiver = "https://b.example:8443/services/data";

/// A chain is only as strong as its inner layers: a token with everything that XML escapes, and a stranger's parameter.
std::string tokenFor(const std::string &name) {
  return "<wb:Token xmlns:wb=\"urn:waybill:1\">" + name + "&amp;&lt;+/=</wb:Token>";
}
const std::string strange =
    "<k:K xmlns:k=\"urn:k\" xmlns=\"urn:d\" k:a=\"x&amp;y&quot;&#10;\"><p>k:name</p><![CDATA[<&>]]>"
    "<!-- c --> &#13;\xC3\xA9</k:K>";

std::string onwardHeader(std::string_view inside, std::string_view attributes = "") {
  return "<wb:Onward " + std::string(attributes) + ">" + std::string(inside) + "</wb:Onward>";
}
const std::string address = "<wsa:Address> https://b.example/ </wsa:Address>";

std::optional<Onward> onwardOf(std::string_view headers) { return Envelope::parse(envelope12(headers), {}).onward(); }

void assertFault(FaultCode code, std::string_view headers) {
  const auto fault = faultOf([&] { (void)onwardOf(headers); });
  assertCode(code, fault);
  assertContains(fault.reason(), "Onward");
}

/// Where the receiver of a delivery sends its response (wb:Onward), and whether it may replace (wb:Overwrite).
class OnwardTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OnwardTest);
  CPPUNIT_TEST(thereNeedBeNone);
  CPPUNIT_TEST(itIsReadAsAnEndpointReference);
  CPPUNIT_TEST(malformedOnesAreRefused);
  CPPUNIT_TEST(itIsAlwaysUnderstood);
  CPPUNIT_TEST(messagesGoToTheEndpoint);
  CPPUNIT_TEST(repliesOnTheConnectionHaveNoTo);
  CPPUNIT_TEST(aChainComesThroughUnchanged);
  CPPUNIT_TEST(aChainMayBeWrittenWithDeclarationsFarOutside);
  CPPUNIT_TEST(aLongChainDoesNotGrowOnItsWay);
  CPPUNIT_TEST(overwriteIsRead);
  CPPUNIT_TEST_SUITE_END();

public:
  void thereNeedBeNone() {
    CPPUNIT_ASSERT(!Envelope::parse(envelope11(""), {}).onward());
    CPPUNIT_ASSERT(!onwardOf("<Onward/><wb:Token>t</wb:Token>"));
    CPPUNIT_ASSERT(!onwardOf(onwardHeader("", "S:role='urn:proxy'")));
    CPPUNIT_ASSERT(!onwardOf("<k>" + onwardHeader(address) + "</k>"));
  }

  void itIsReadAsAnEndpointReference() {
    const auto plain = onwardOf(onwardHeader(address)).value();
    CPPUNIT_ASSERT((plain == Onward{{"https://b.example/", {}}, Onward::Send::Receipt}));
    const auto full = onwardOf(onwardHeader(address + "<wsa:ReferenceParameters>" + strange + tokenFor("b") +
                                                "</wsa:ReferenceParameters><wsa:Metadata><x/></wsa:Metadata><other/>",
                                            "wb:send=' Data ' wsa:IsReferenceParameter='true' k='v'"))
                          .value();
    CPPUNIT_ASSERT((full == Onward{{"https://b.example/", {strange, tokenFor("b")}}, Onward::Send::Data}));
    CPPUNIT_ASSERT(onwardOf(onwardHeader(address, "wb:send='Receipt'"))->send == Onward::Send::Receipt);
    CPPUNIT_ASSERT_MESSAGE("of no namespace: not ours",
                           onwardOf(onwardHeader(address, "send='Data'"))->send == Onward::Send::Receipt);
  }

  void malformedOnesAreRefused() {
    assertFault(FaultCode::MissingAddressInEndpointReference, onwardHeader(""));
    assertFault(FaultCode::MissingAddressInEndpointReference, onwardHeader("https://b.example/"));
    assertFault(FaultCode::MissingAddressInEndpointReference, onwardHeader("<wb:Address>https://b/</wb:Address>"));
    assertFault(FaultCode::InvalidAddress, onwardHeader("<wsa:Address>/services/data</wsa:Address>"));
    assertFault(FaultCode::InvalidEndpointReference, onwardHeader(address + address));
    assertFault(FaultCode::InvalidEndpointReference,
                onwardHeader(address + "<wsa:ReferenceParameters><wsa:To>urn:a</wsa:To></wsa:ReferenceParameters>"));
    assertFault(FaultCode::TooLarge, onwardHeader(address + "<wsa:ReferenceParameters>" + repeated("<k/>", 65) +
                                                  "</wsa:ReferenceParameters>"));
    assertFault(FaultCode::InvalidMessage, onwardHeader(address) + onwardHeader(address));
    for (const auto *send : {"", "data", "Both", "Receipt Data"}) {
      assertFault(FaultCode::InvalidMessage, onwardHeader(address, "wb:send='" + std::string(send) + "'"));
    }
  }

  void itIsAlwaysUnderstood() {
    Envelope::parse(envelope12(onwardHeader(address, "S:mustUnderstand='true'") +
                               "<wb:Overwrite S:mustUnderstand='1'>Always</wb:Overwrite>"),
                    {})
        .requireUnderstood();
    const auto other = Envelope::parse(envelope12("<wb:Outward S:mustUnderstand='1'/>"), {});
    assertCode(FaultCode::MustUnderstand, faultOf([&] { other.requireUnderstood(); }));
  }

  void messagesGoToTheEndpoint() {
    Addressing addressing;
    addressing.to = "urn:somewhere-else";
    addressing.action = "urn:waybill:1/CopyResponse";
    addressing.transfer = "urn:uuid:first";
    const EndpointReference to{receiver, {tokenFor("b"), strange}};
    for (const auto version : {Version::Soap11, Version::Soap12}) {
      const auto text = writeEnvelopeTo(version, to, addressing, {"<own/>"}, "<body/>");
      const auto read = Envelope::parse(text, {});
      CPPUNIT_ASSERT(read.version() == version);
      CPPUNIT_ASSERT_EQUAL(receiver, read.addressing().to.value());
      CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:first"), read.addressing().transfer.value());
      CPPUNIT_ASSERT_EQUAL(std::string("b&<+/="), read.headerText({waybillNamespace, "Token"}).value());
      assertContains(text, asReferenceParameterHeader(tokenFor("b")) + asReferenceParameterHeader(strange) + "<own/>");
    }
    assertCode(FaultCode::InvalidEndpointReference, faultOf([&] {
                 (void)writeEnvelopeTo(
                     Version::Soap12,
                     {receiver, {"<w:To xmlns:w=\"http://www.w3.org/2005/08/addressing\">urn:a</w:To>"}}, addressing,
                     {}, "<body/>");
               }));
  }

  void repliesOnTheConnectionHaveNoTo() {
    Addressing addressing;
    addressing.action = "urn:a";
    addressing.to = "urn:b";
    const auto text =
        writeEnvelopeTo(Version::Soap12, {EndpointReference::anonymous, {"<k/>"}}, addressing, {}, "<body/>");
    CPPUNIT_ASSERT(!Envelope::parse(text, {}).addressing().to);
    assertContains(text, asReferenceParameterHeader("<k/>"));
  }

  void aChainComesThroughUnchanged() {
    const Onward third{{"https://d.example/?a=1&b=2", {tokenFor("d"), strange}}, Onward::Send::Receipt};
    const Onward second{{"https://c.example/", {strange, encodeOnward(third), tokenFor("c")}}, Onward::Send::Data};
    const Onward first{{receiver, {tokenFor("b"), encodeOnward(second)}}, Onward::Send::Data};
    Addressing call;
    call.action = "urn:waybill:1/Copy";
    call.replyTo = EndpointReference{"https://a.example/", {encodeOnward(first), tokenFor("a")}};
    const auto asked = Envelope::parse(writeEnvelope(Version::Soap11, call, {}, "<x/>"), {}).addressing();
    CPPUNIT_ASSERT(call.replyTo == asked.replyTo);
    auto next = asked.replyTo.value();
    for (const auto &expected : {first, second, third}) {
      const auto delivered = Envelope::parse(writeEnvelopeTo(Version::Soap12, next, {}, {}, "<x/>"), {});
      const auto read = delivered.onward().value();
      CPPUNIT_ASSERT_EQUAL(expected.to.address, read.to.address);
      for (std::size_t i = 0; i < expected.to.referenceParameters.size(); ++i) {
        CPPUNIT_ASSERT_EQUAL(expected.to.referenceParameters[i], read.to.referenceParameters.at(i));
      }
      CPPUNIT_ASSERT(expected == read);
      next = read.to;
    }
    const auto last = Envelope::parse(writeEnvelopeTo(Version::Soap12, next, {}, {}, "<x/>"), {});
    CPPUNIT_ASSERT_MESSAGE("a chain ends", !last.onward());
    CPPUNIT_ASSERT_EQUAL(std::string("d&<+/="), last.headerText({waybillNamespace, "Token"}).value());
  }

  void aChainMayBeWrittenWithDeclarationsFarOutside() {
    std::string nested = "<wb:Token>last</wb:Token><K t='x:name'/>";
    for (int i = 3; i > 0; --i) {
      nested = "<wb:Onward wb:send='Data'><wsa:Address>https://hop" + std::to_string(i) +
               "/</wsa:Address><wsa:ReferenceParameters>" + nested + "</wsa:ReferenceParameters></wb:Onward>";
    }
    auto envelope = Envelope::parse(std::string("<S:Envelope xmlns:S='") + soap11Namespace +
                                        "' xmlns='urn:default' xmlns:x='urn:x' xmlns:wb='urn:waybill:1' xmlns:wsa='" +
                                        addressingNamespace + "'><S:Header>" + nested +
                                        "</S:Header><S:Body><b/></S:Body></S:Envelope>",
                                    {});
    for (int i = 1; i <= 3; ++i) {
      const auto onward = envelope.onward().value();
      CPPUNIT_ASSERT_EQUAL("https://hop" + std::to_string(i) + "/", onward.to.address);
      CPPUNIT_ASSERT(onward.send == Onward::Send::Data);
      envelope = Envelope::parse(writeEnvelopeTo(Version::Soap12, onward.to, {}, {}, "<x/>"), {});
    }
    CPPUNIT_ASSERT_EQUAL(std::string("last"), envelope.headerText({waybillNamespace, "Token"}).value());
    CPPUNIT_ASSERT_EQUAL(std::string(""), envelope.headerText({"urn:default", "K"}).value());
  }

  void aLongChainDoesNotGrowOnItsWay() {
    constexpr int hops = 20;
    Onward chain{{receiver, {tokenFor("last")}}, Onward::Send::Receipt};
    for (int i = 1; i < hops; ++i) {
      chain = Onward{{receiver, {tokenFor("hop"), encodeOnward(chain)}}, Onward::Send::Data};
    }
    auto envelope = Envelope::parse(writeEnvelope(Version::Soap12, {}, {encodeOnward(chain)}, "<x/>"), {});
    int seen = 0;
    while (const auto onward = envelope.onward()) {
      CPPUNIT_ASSERT(*onward == chain);
      ++seen;
      const auto text = writeEnvelopeTo(Version::Soap12, onward->to, {}, {}, "<x/>");
      envelope = Envelope::parse(text, {});
      chain = envelope.onward().value_or(chain);
      CPPUNIT_ASSERT(text.size() < 1000 + 600 * static_cast<std::size_t>(hops - seen));
    }
    CPPUNIT_ASSERT_EQUAL(hops, seen);
  }

  void overwriteIsRead() {
    const auto overwriteOf = [](std::string_view headers) {
      return Envelope::parse(envelope11(headers), {}).overwrite();
    };
    const auto header = [](const std::string &text) { return "<wb:Overwrite>" + text + "</wb:Overwrite>"; };
    CPPUNIT_ASSERT(!overwriteOf("<wb:Token/>"));
    CPPUNIT_ASSERT(overwriteOf(header("Never")) == Overwrite::Never);
    CPPUNIT_ASSERT(overwriteOf(header(" Always\n")) == Overwrite::Always);
    CPPUNIT_ASSERT(overwriteOf(header("IfDifferent")) == Overwrite::IfDifferent);
    for (const auto &bad : {header(""), header("always"), header("<k/>"), header("Never") + header("Never")}) {
      const auto fault = faultOf([&] { (void)overwriteOf(bad); });
      assertCode(FaultCode::InvalidMessage, fault);
      assertContains(fault.reason(), "Overwrite");
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(OnwardTest);

} // namespace
