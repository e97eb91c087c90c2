// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

std::string contentsOf(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  CPPUNIT_ASSERT_MESSAGE("cannot read " + path.string(), file.good());
  return text.str();
}

/// The envelope in a recorded request, with its XML declaration if it has one; other tests look at what is around it.
std::string envelopeIn(const std::string &request) {
  const auto close = request.find(":Envelope>");
  CPPUNIT_ASSERT(close != std::string::npos);
  const auto opening = request.find(":Envelope ");
  const auto begin = std::min(request.find("<?xml"), request.rfind('<', opening));
  return request.substr(begin, close + std::string_view(":Envelope>").size() - begin);
}

Envelope captured(const std::string &name) {
  return Envelope::parse(
      envelopeIn(contentsOf(std::filesystem::path(WAYBILL_SOURCE_DIR) / "tests/captures" / (name + ".http"))), {});
}

/// The envelopes that real clients sent.
class EnvelopeCapturesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EnvelopeCapturesTest);
  CPPUNIT_TEST(everyCaptureIsRead);
  CPPUNIT_TEST(bodiesStandAlone);
  CPPUNIT_TEST(jaxWsAddressesItsMessages);
  CPPUNIT_TEST(clientsWithoutActionAreToldSo);
  CPPUNIT_TEST(zeepThatSaysAllTwiceIsToldSo);
  CPPUNIT_TEST(phpGivesReferenceParameters);
  CPPUNIT_TEST(headersThatMustBeUnderstoodAre);
  CPPUNIT_TEST_SUITE_END();

public:
  void everyCaptureIsRead() {
    std::size_t count = 0;
    for (const auto &entry :
         std::filesystem::directory_iterator(std::filesystem::path(WAYBILL_SOURCE_DIR) / "tests/captures")) {
      if (entry.path().extension() != ".http") {
        continue;
      }
      ++count;
      const auto text = envelopeIn(contentsOf(entry.path()));
      const auto envelope = Envelope::parse(text, {});
      CPPUNIT_ASSERT_EQUAL_MESSAGE(entry.path().string(), std::string("Put"), envelope.bodyElement().local);
      CPPUNIT_ASSERT((envelope.version() == Version::Soap12) == (text.find(soap12Namespace) != std::string::npos));
    }
    CPPUNIT_ASSERT(count >= 18);
  }

  void bodiesStandAlone() {
    for (const auto *name : {"nodesoap_s12", "php_12", "strongsoap_s12", "suds_s11", "axis1"}) {
      const auto envelope = captured(name);
      const auto body = envelope.bodyXml();
      const auto again = Envelope::parse(writeEnvelope(Version::Soap12, {}, {}, body), {});
      CPPUNIT_ASSERT(again.bodyElement() == envelope.bodyElement());
      CPPUNIT_ASSERT_EQUAL(body, again.bodyXml());
    }
  }

  void jaxWsAddressesItsMessages() {
    for (const auto *name : {"jaxws_ma_s11", "jaxws_mas_s12"}) {
      const auto addressing = captured(name).addressing();
      CPPUNIT_ASSERT(addressing.used);
      CPPUNIT_ASSERT_EQUAL(std::string("urn:t:Put"), addressing.action.value());
      CPPUNIT_ASSERT_EQUAL(std::string("http://127.0.0.1:18999/"), addressing.to.value());
      CPPUNIT_ASSERT(addressing.messageId.value().starts_with("uuid:"));
      CPPUNIT_ASSERT(addressing.replyEndpoint().isAnonymous());
      CPPUNIT_ASSERT(addressing.faultEndpoint().isAnonymous());
    }
  }

  void clientsWithoutActionAreToldSo() {
    for (const auto *name : {"axis1", "nodesoap_s12", "strongsoap_s12"}) {
      const auto envelope = captured(name);
      assertCode(FaultCode::MessageAddressingHeaderRequired, faultOf([&] { (void)envelope.addressing(); }));
    }
  }

  void zeepThatSaysAllTwiceIsToldSo() {
    const auto envelope = captured("zeep_s12");
    const auto fault = faultOf([&] { (void)envelope.addressing(); });
    assertCode(FaultCode::InvalidCardinality, fault);
    CPPUNIT_ASSERT_EQUAL(std::string("wsa:Action"), fault.subject());
  }

  void phpGivesReferenceParameters() {
    for (const auto *name : {"php_11", "php_12"}) {
      const auto addressing = captured(name).addressing();
      CPPUNIT_ASSERT_EQUAL(std::string("http://x/"), addressing.replyEndpoint().address);
      CPPUNIT_ASSERT((addressing.replyTo.value().referenceParameters ==
                      std::vector<std::string>{"<k:K xmlns:k=\"urn:k\">1</k:K>"}));
    }
  }

  void headersThatMustBeUnderstoodAre() {
    for (const auto *name : {"axis1", "axis1_full", "jaxws_ma_s11", "zeep_s12", "php_12", "soaplite_12"}) {
      captured(name).requireUnderstood();
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(EnvelopeCapturesTest);

} // namespace
