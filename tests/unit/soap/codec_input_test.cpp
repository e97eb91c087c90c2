// SPDX-License-Identifier: GPL-3.0-or-later
#include "codec_support.hpp"

#include <set>
#include <string>

namespace {

using namespace waybill;
using namespace waybill::codec_test;
using namespace std::chrono_literals;

class CodecInputTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CodecInputTest);
  CPPUNIT_TEST(missingFieldsGetTheDefaultsOfTheContract);
  CPPUNIT_TEST(nilRequestsHaveNoFields);
  CPPUNIT_TEST(contentMayOnlyNameAPart);
  CPPUNIT_TEST(charactersThatXmlCannotCarryAreRefused);
  CPPUNIT_TEST(timesNeedAZone);
  CPPUNIT_TEST(digestsAreTakenAsPeopleWriteThem);
  CPPUNIT_TEST(emptyUrlsMeanNothing);
  CPPUNIT_TEST(unknownElementsAreSkippedInReplies);
  CPPUNIT_TEST(attributesOfSoapEncodingMeanNothing);
  CPPUNIT_TEST(whatIsNotTheMessageIsRefused);
  CPPUNIT_TEST(badFieldsAreRefused);
  CPPUNIT_TEST_SUITE_END();

public:
  void missingFieldsGetTheDefaultsOfTheContract() {
    const auto list = soap::decode<ListRequest>(element("List", ""));
    CPPUNIT_ASSERT_EQUAL(std::string("/"), list.prefix);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{1000}, list.limit);
    CPPUNIT_ASSERT(!list.pageToken);
    CPPUNIT_ASSERT(soap::decode<ReceiveRequest>(element("Receive", "<wb:Data/>")).overwrite == Overwrite::Never);
    CPPUNIT_ASSERT(!soap::decode<CopyRequest>(element("Copy", "<wb:Data/>")).attach);
    const auto grant = soap::decode<GrantRequest>(
        element("Grant", "<wb:Principal> lab </wb:Principal><wb:Rights>read list</wb:Rights>"));
    CPPUNIT_ASSERT_EQUAL(std::string("/"), grant.prefix);
    CPPUNIT_ASSERT_EQUAL(std::string("lab"), grant.principal);
    CPPUNIT_ASSERT((grant.rights == std::set<Right>{Right::Read, Right::List}));
  }

  void nilRequestsHaveNoFields() { // what SOAP::Lite sends for a call without arguments
    const auto nil = [](const std::string &name) {
      auto envelope = soap::Envelope::parse(
          soap::writeEnvelope(soap::Version::Soap11, {}, {},
                              "<wb:" + name +
                                  " xmlns:wb=\"urn:waybill:1\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                                  "xsi:nil=\"true\"/>"),
          soap::Limits{});
      envelope.validate(soap::Schema());
      return envelope.bodyXml();
    };
    CPPUNIT_ASSERT(soap::decode<GetInstanceRequest>(nil("GetInstance")) == GetInstanceRequest{});
    CPPUNIT_ASSERT(soap::decode<ListKeysRequest>(nil("ListKeys")) == ListKeysRequest{});
    CPPUNIT_ASSERT(soap::decode<ListGrantsRequest>(nil("ListGrants")) == ListGrantsRequest{});
    CPPUNIT_ASSERT(soap::decode<ListRequest>(nil("List")) == ListRequest{});
    CPPUNIT_ASSERT(codeOf([&] { (void)nil("Copy"); }) == FaultCode::InvalidMessage);
  }

  void contentMayOnlyNameAPart() {
    Data data;
    data.content = "https://elsewhere.example/";
    CPPUNIT_ASSERT(codeOf([&] { (void)encodedData(data); }) == FaultCode::Internal);
    // "hello", "<xop:Include/>" that was not lifted, and no base64
    for (const auto *content :
         {"aGVsbG8=", "<x:Include xmlns:x=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:a\"/>", "%%%%"}) {
      CPPUNIT_ASSERT(codeOf([&] { decodedData("<wb:Content>" + std::string(content) + "</wb:Content>"); }) ==
                     FaultCode::InvalidMessage);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("cid:a"),
                         decodedData("<wb:Content>\n Y2lk\nOmE= </wb:Content>").content.value_or(""));
    CPPUNIT_ASSERT(!decodedData("<wb:Content/>").content);
  }

  void charactersThatXmlCannotCarryAreRefused() {
    using namespace std::string_literals;
    for (const auto &bad :
         {"a\x01"s, "a\0b"s, "\x1F"s, "\xEF\xBF\xBE"s, "\xEF\xBF\xBF"s, "\xC3"s, "\xED\xA0\x80"s, "\xFF"s}) {
      Data data;
      data.metadata = {{"name", bad}};
      CPPUNIT_ASSERT(codeOf([&] { (void)encodedData(data); }) == FaultCode::BadParameter);
      data.metadata.clear();
      data.path = bad;
      CPPUNIT_ASSERT(codeOf([&] { (void)encodedData(data); }) == FaultCode::BadParameter);
      data.path.reset();
      data.content = "cid:" + bad; // in a URL each byte can be escaped
      requireContains(encodedData(data), "href=\"cid:");
      CPPUNIT_ASSERT(codeOf([&] { (void)soap::encode(RevokeKeyRequest{bad}); }) == FaultCode::BadParameter);
      CPPUNIT_ASSERT(codeOf([&] { (void)soap::encode(ListRequest{bad, 1, {}}); }) == FaultCode::BadParameter);
    }
    Data data;
    data.path = "\x7F\xC2\x85\xEF\xBF\xBD\xF4\x8F\xBF\xBF"; // odd, but allowed
    requireRoundTrip(DescribeRequest{{data}});
  }

  void timesNeedAZone() {
    const auto created = [](const std::string &text) {
      return decodedData("<wb:Created>" + text + "</wb:Created>").created;
    };
    const auto noon = Time(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29)) + 12h;
    for (const auto *same : {"2024-02-29T12:00:00Z", " 2024-02-29T12:00:00.000Z\n", "2024-02-29T12:00:00+00:00",
                             "2024-02-29T14:30:00+02:30", "2024-02-29T04:00:00.0-08:00", "2024-03-01T02:00:00+14:00"}) {
      CPPUNIT_ASSERT(created(same) == noon);
    }
    for (const auto *bad :
         {"2024-02-29T12:00:00", "2024-02-30T12:00:00Z", "2024-02-29", "", "soon", "2024-02-29T12:00:00+2:00",
          "2024-02-29T12:00:00+15:00", "2024-02-29T12:00:00+01:60", "2024-02-29T12:00:00Z+01:00",
          "2024-02-29T12:00:00+-1:00", "-0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, codeOf([&] { created(bad); }) == FaultCode::BadParameter);
    }
  }

  void digestsAreTakenAsPeopleWriteThem() {
    const auto digest = decodedData("<wb:Digest> ABCDEF01 </wb:Digest>").digest;
    CPPUNIT_ASSERT((digest == Digest{DigestAlgorithm::Sha256, "abcdef01"}));
    CPPUNIT_ASSERT(codeOf([] { decodedData("<wb:Digest algorithm=\"md5\">00</wb:Digest>"); }) ==
                   FaultCode::InvalidMessage);
  }

  void emptyUrlsMeanNothing() {
    const auto data = decodedData("<wb:Id/><wb:Path/><wb:ContentType/><wb:Href> </wb:Href><wb:Attachment/><wb:Token/>");
    CPPUNIT_ASSERT(!data.id && !data.contentType && !data.href && !data.attachment && !data.token);
    CPPUNIT_ASSERT(data.path == std::string());
  }

  void unknownElementsAreSkippedInReplies() {
    const auto data =
        decodedData("<wb:Colour depth='8'><wb:Path>/inner</wb:Path></wb:Colour><wb:Path>/outer</wb:Path><later/>");
    CPPUNIT_ASSERT_EQUAL(std::string("/outer"), data.path.value_or(""));
  }

  void attributesOfSoapEncodingMeanNothing() {
    const auto message = soap::decode<DescribeRequest>(
        element("Describe",
                "<wb:Data id='d1'><wb:Path>/1</wb:Path></wb:Data><wb:Data href='#d1'><wb:Path>/2</wb:Path></wb:Data>"
                "<wb:Data href='#d2'/>"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, message.data.size());
    CPPUNIT_ASSERT_EQUAL(std::string("/1"), message.data[0].path.value_or(""));
    CPPUNIT_ASSERT_EQUAL(std::string("/2"), message.data[1].path.value_or(""));
    CPPUNIT_ASSERT(message.data[2] == Data{});
  }

  void whatIsNotTheMessageIsRefused() {
    for (const auto &bad :
         {std::string(), std::string("  "), std::string("POST / HTTP/1.1\r\n\r\n<wb:List xmlns:wb=\"urn:waybill:1\"/>"),
          std::string("--boundary\r\n"), std::string("hello"), std::string("<"), std::string("<wb:List"),
          std::string("<wb:List/>"), element("Copy", ""), std::string("<List xmlns=\"urn:waybill:2\"/>"),
          std::string("<List/>"), element("List", "").substr(0, 40), element("List", "<wb:Prefix>/a")}) {
      CPPUNIT_ASSERT_MESSAGE(bad, codeOf([&] { (void)soap::decode<ListRequest>(bad); }) == FaultCode::InvalidMessage);
    }
  }

  void badFieldsAreRefused() {
    for (const auto *bad : {"<wb:Size>-1</wb:Size>", "<wb:Size>18446744073709551616</wb:Size>",
                            "<wb:Size>many</wb:Size>", "<wb:Size>1.5</wb:Size>", "<wb:Secure>perhaps</wb:Secure>"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, codeOf([&] { decodedData(bad); }) == FaultCode::InvalidMessage);
    }
    CPPUNIT_ASSERT(codeOf([] { (void)soap::decode<CopyRequest>(element("Copy", "<wb:Attach>Pigeon</wb:Attach>")); }) ==
                   FaultCode::InvalidMessage);
    CPPUNIT_ASSERT(codeOf([] { (void)soap::decode<CopyRequest>(element("Copy", "<wb:Priority>6</wb:Priority>")); }) ==
                   FaultCode::InvalidMessage);
    CPPUNIT_ASSERT(codeOf([] {
                     (void)soap::decode<ReceiveRequest>(element("Receive", "<wb:Overwrite>9</wb:Overwrite>"));
                   }) == FaultCode::InvalidMessage);
    CPPUNIT_ASSERT(codeOf([] {
                     (void)soap::decode<ListRequest>(element("List", "<wb:Limit>4294967296</wb:Limit>"));
                   }) == FaultCode::InvalidMessage);
    CPPUNIT_ASSERT(codeOf([] { (void)soap::decode<TrustKeyResponse>(element("TrustKeyResponse", "")); }) ==
                   FaultCode::InvalidMessage);
    CPPUNIT_ASSERT(codeOf([] { (void)soap::decode<RevokeResponse>(element("RevokeResponse", "<wb:Grant/>")); }) ==
                   FaultCode::InvalidMessage);
    CPPUNIT_ASSERT(codeOf([] {
                     (void)soap::decode<GrantRequest>(
                         element("Grant", "<wb:Principal>lab</wb:Principal><wb:Rights>fly</wb:Rights>"));
                   }) == FaultCode::BadParameter);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CodecInputTest);

} // namespace
