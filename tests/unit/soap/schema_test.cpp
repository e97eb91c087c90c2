// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include "soap/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

const Schema &schema() {
  static const Schema compiled;
  return compiled;
}

void validate(std::string_view body) {
  auto envelope = Envelope::parse(envelope11("", body), {});
  (void)envelope.liftContent([](const std::string &, const std::string &) {});
  envelope.validate(schema());
}

Fault invalid(std::string_view body) {
  const auto fault = faultOf([&] { validate(body); });
  assertCode(FaultCode::InvalidMessage, fault);
  return fault;
}

/// Bodies against the published schema.
class SchemaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SchemaTest);
  CPPUNIT_TEST(messagesOfTheContractAreValid);
  CPPUNIT_TEST(everyFieldOfDataIsValid);
  CPPUNIT_TEST(unexpectedElementsAreNamedWithTheirLine);
  CPPUNIT_TEST(elementsInTheWrongOrderAreNamed);
  CPPUNIT_TEST(missingElementsAreNamed);
  CPPUNIT_TEST(wrongValuesAreTold);
  CPPUNIT_TEST(unexpectedAttributesAreTold);
  CPPUNIT_TEST(textWhereElementsBelongIsTold);
  CPPUNIT_TEST(unknownBodiesAreInvalid);
  CPPUNIT_TEST(longValuesAreCutInTheFault);
  CPPUNIT_TEST(linesPast65535AreTold);
  CPPUNIT_TEST(ourFaultsAreValid);
  CPPUNIT_TEST(aThousandObjectsAreValid);
  CPPUNIT_TEST(schemasCompileAgainAndInParallel);
  CPPUNIT_TEST(manyThreadsShareOneSchema);
  CPPUNIT_TEST_SUITE_END();

public:
  void messagesOfTheContractAreValid() {
    for (const auto *body :
         {"<wb:List/>",
          "<wb:List><wb:Prefix>/a</wb:Prefix><wb:Limit>5</wb:Limit><wb:PageToken>p</wb:PageToken></wb:List>",
          "<wb:Copy><wb:Data><wb:Path>/a</wb:Path></wb:Data><wb:Attach>SwA</wb:Attach></wb:Copy>",
          "<wb:Copy><wb:Data/><wb:Priority>5</wb:Priority></wb:Copy>",
          "<wb:Delete><wb:Data><wb:Id>https://h:1/data/0</wb:Id></wb:Data></wb:Delete>",
          "<wb:Describe><wb:Data><wb:Path>/a</wb:Path></wb:Data></wb:Describe>", "<wb:GetInstance/>", "<wb:ListKeys/>",
          "<wb:ListGrants/>"}) {
      validate(body);
    }
  }

  void everyFieldOfDataIsValid() {
    validate("<wb:Receive><wb:Data><wb:Id>urn:a</wb:Id><wb:Path>/a</wb:Path><wb:ContentType>text/plain</"
             "wb:ContentType><wb:Size>5</wb:Size>"
             "<wb:Digest "
             "algorithm='adler32'>00000001</wb:Digest><wb:Secure>false</wb:Secure><wb:Created>2024-01-01T00:00:00Z</"
             "wb:Created>"
             "<wb:Expires>2025-01-01T00:00:00.5Z</wb:Expires><wb:Owner>o</wb:Owner><wb:Metadata><wb:Name>n</"
             "wb:Name><wb:Value>v</wb:Value>"
             "</wb:Metadata><wb:Href>https://h/</wb:Href><wb:Attachment>cid:a</wb:Attachment>"
             "<wb:Content xmlns:m='http://www.w3.org/2005/05/xmlmime' m:contentType='text/plain'><xop:Include "
             "xmlns:xop='http://www.w3.org/2004/08/xop/include' "
             "href='cid:x'/></wb:Content><wb:Token>abc</wb:Token></wb:Data>"
             "<wb:Overwrite>IfDifferent</wb:Overwrite></wb:Receive>");
  }

  void unexpectedElementsAreNamedWithTheirLine() {
    const auto fault = invalid("<wb:List>\n<wb:Prefix>/a</wb:Prefix>\n<wb:Colour>red</wb:Colour></wb:List>");
    CPPUNIT_ASSERT_EQUAL(std::string("wb:Colour"), fault.subject());
    assertContains(fault.reason(), "element wb:Colour at line 3");
    assertContains(fault.reason(), "not expected");
    assertContains(fault.reason(), "wb:Limit");
    assertLacks(fault.reason(), "{urn:waybill:1}");
  }

  void elementsInTheWrongOrderAreNamed() {
    const auto fault = invalid("<wb:Copy>\n<wb:Data>\n<wb:Size>1</wb:Size>\n<wb:Path>/a</wb:Path></wb:Data></wb:Copy>");
    assertContains(fault.reason(), "element wb:Path at line 4");
  }

  void missingElementsAreNamed() {
    const auto fault = invalid("\n<wb:Copy/>");
    assertContains(fault.reason(), "element wb:Copy at line 2");
    assertContains(fault.reason(), "wb:Data");
  }

  void wrongValuesAreTold() {
    assertContains(invalid("<wb:List><wb:Limit>many</wb:Limit></wb:List>").reason(), "'many'");
    assertContains(invalid("<wb:List><wb:Limit>-1</wb:Limit></wb:List>").reason(), "element wb:Limit at line 1");
    const auto attach = invalid("<wb:Copy><wb:Data/><wb:Attach>Pigeon</wb:Attach></wb:Copy>");
    assertContains(attach.reason(), "MTOM");
    for (const auto *bad : {"0", "6", "high"}) {
      const auto priority = invalid("<wb:Copy><wb:Data/><wb:Priority>" + std::string(bad) + "</wb:Priority></wb:Copy>");
      assertContains(priority.reason(), "element wb:Priority");
    }
    assertContains(
        invalid("<wb:Receive><wb:Data><wb:Size>18446744073709551616</wb:Size></wb:Data></wb:Receive>").reason(),
        "wb:Size");
    assertContains(invalid("<wb:Receive><wb:Data><wb:Created>yesterday</wb:Created></wb:Data></wb:Receive>").reason(),
                   "wb:Created");
    assertContains(invalid("<wb:Receive><wb:Data><wb:Secure>maybe</wb:Secure></wb:Data></wb:Receive>").reason(),
                   "wb:Secure");
  }

  void unexpectedAttributesAreTold() {
    const auto fault = invalid("<wb:List colour='red'/>");
    CPPUNIT_ASSERT_EQUAL(std::string("wb:List"), fault.subject());
    assertContains(fault.reason(), "colour");
  }

  void textWhereElementsBelongIsTold() { assertContains(invalid("<wb:List>hello</wb:List>").reason(), "wb:List"); }

  void unknownBodiesAreInvalid() {
    for (const auto *body : {"<wb:Explode/>", "<List/>", "<x:List xmlns:x='urn:x'><x:y/></x:List>", "<wb:Data/>"}) {
      const auto fault = invalid(body);
      CPPUNIT_ASSERT(!fault.subject().empty());
      assertContains(fault.reason(), "at line 1");
    }
  }

  void longValuesAreCutInTheFault() {
    const auto fault = invalid("<wb:List><wb:Limit>" + std::string(5U << 20U, 'x') + "</wb:Limit></wb:List>");
    CPPUNIT_ASSERT(fault.reason().size() < 1000);
    const auto name = invalid("<wb:List><" + std::string(1U << 20U, 'x') + "/></wb:List>");
    CPPUNIT_ASSERT(name.reason().size() < 1000);
    CPPUNIT_ASSERT(name.subject().size() < 200);
  }

  void linesPast65535AreTold() {
    const auto fault = invalid("<wb:List>" + std::string(70'000, '\n') + "<wb:Colour/></wb:List>");
    assertContains(fault.reason(), "at line 70001:");
  }

  void ourFaultsAreValid() {
    const auto envelope =
        Envelope::parse(envelope11("", "<wb:Fault><wb:Code>NoSuchData</wb:Code><wb:Reason>r</wb:Reason><wb:Subject>s</"
                                       "wb:Subject><wb:Tried>t</wb:Tried></wb:Fault>"),
                        {});
    envelope.validate(schema());
    const auto sent =
        encodeFault(Fault(FaultCode::UnresolvableData, "r", "s", {"a", "b"}), Version::Soap11, {}).envelope;
    const auto begin = sent.find("<wb:Fault");
    const auto end = sent.find("</wb:Fault>") + std::string_view("</wb:Fault>").size();
    Envelope::parse(envelope12("", sent.substr(begin, end - begin)), {}).validate(schema());
  }

  void aThousandObjectsAreValid() {
    validate("<wb:Copy>" + repeated("<wb:Data><wb:Path>/a</wb:Path></wb:Data>", 10'000) + "</wb:Copy>");
  }

  void schemasCompileAgainAndInParallel() {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] { const Schema another; });
    }
    for (auto &thread : threads) {
      thread.join();
    }
    const Schema last;
    Envelope::parse(envelope11("", "<wb:List/>"), {}).validate(last);
  }

  void manyThreadsShareOneSchema() {
    std::atomic<int> valid = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          try {
            validate(round % 2 == 0 ? "<wb:Copy><wb:Data><wb:Size>1</wb:Size></wb:Data></wb:Copy>"
                                    : "<wb:List><wb:Limit>x</wb:Limit></wb:List>");
            ++valid;
          } catch (const Fault &) {
            ++refused;
          }
        }
      });
    }
    for (auto &thread : threads) {
      thread.join();
    }
    CPPUNIT_ASSERT_EQUAL(400, valid.load());
    CPPUNIT_ASSERT_EQUAL(400, refused.load());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SchemaTest);

} // namespace
