// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/bytes.hpp"
#include "domain/fault.hpp"
#include "soap/codec.hpp"
#include "soap/envelope.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <chrono>
#include <map>
#include <thread>
#include <vector>

namespace waybill {

bool operator==(const CopyRequest &a, const CopyRequest &b) { return a.data == b.data && a.attach == b.attach; }
bool operator==(const CopyResponse &a, const CopyResponse &b) { return a.data == b.data; }
bool operator==(const ReceiveRequest &a, const ReceiveRequest &b) {
  return a.data == b.data && a.overwrite == b.overwrite;
}
bool operator==(const ReceiveResponse &a, const ReceiveResponse &b) { return a.data == b.data; }
bool operator==(const DeleteRequest &a, const DeleteRequest &b) { return a.data == b.data; }
bool operator==(const DeleteResponse &a, const DeleteResponse &b) { return a.data == b.data; }
bool operator==(const ListRequest &a, const ListRequest &b) {
  return a.prefix == b.prefix && a.limit == b.limit && a.pageToken == b.pageToken;
}
bool operator==(const ListResponse &a, const ListResponse &b) {
  return a.data == b.data && a.nextPageToken == b.nextPageToken;
}
bool operator==(const DescribeRequest &a, const DescribeRequest &b) { return a.data == b.data; }
bool operator==(const DescribeResponse &a, const DescribeResponse &b) { return a.data == b.data; }
bool operator==(const GetInstanceRequest &, const GetInstanceRequest &) { return true; }
bool operator==(const GetInstanceResponse &a, const GetInstanceResponse &b) {
  return a.name == b.name && a.id == b.id && a.certificatePem == b.certificatePem && a.version == b.version &&
         a.endpoints == b.endpoints;
}
bool operator==(const TrustKeyRequest &a, const TrustKeyRequest &b) {
  return a.certificatePem == b.certificatePem && a.alias == b.alias && a.url == b.url;
}
bool operator==(const TrustKeyResponse &a, const TrustKeyResponse &b) { return a.key == b.key; }
bool operator==(const ListKeysRequest &, const ListKeysRequest &) { return true; }
bool operator==(const ListKeysResponse &a, const ListKeysResponse &b) { return a.keys == b.keys; }
bool operator==(const RevokeKeyRequest &a, const RevokeKeyRequest &b) { return a.key == b.key; }
bool operator==(const RevokeKeyResponse &a, const RevokeKeyResponse &b) { return a.key == b.key; }
bool operator==(const GrantRequest &a, const GrantRequest &b) {
  return a.principal == b.principal && a.rights == b.rights && a.prefix == b.prefix && a.expires == b.expires;
}
bool operator==(const GrantResponse &a, const GrantResponse &b) { return a.grant == b.grant; }
bool operator==(const RevokeRequest &a, const RevokeRequest &b) { return a.grant == b.grant; }
bool operator==(const RevokeResponse &a, const RevokeResponse &b) { return a.grant == b.grant; }
bool operator==(const ListGrantsRequest &a, const ListGrantsRequest &b) { return a.principal == b.principal; }
bool operator==(const ListGrantsResponse &a, const ListGrantsResponse &b) { return a.grants == b.grants; }

} // namespace waybill

namespace {

using namespace waybill;
using namespace std::chrono_literals;

const std::string instanceId(64, 'a');
const std::string pem = "-----BEGIN CERTIFICATE-----\nMIIB<&>\n-----END CERTIFICATE-----\n";

Time moment() { return Time(std::chrono::sys_days(std::chrono::year(2031) / 2 / 28)) + 3h + 4min + 5s + 678901us; }

Data fullData() {
  Data data;
  data.id = "https://lab.example:8443/data/0123456789abcdef0123456789abcdef";
  data.path = "/docs/a & b/<Größe> \xF0\x9F\x9A\x82.pdf";
  data.contentType = "application/pdf";
  data.size = 18'446'744'073'709'551'615ULL;
  data.digest = Digest{DigestAlgorithm::Adler32, "00620062"};
  data.secure = false;
  data.created = moment();
  data.expires = Time(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));
  data.owner = instanceId + "/anna";
  data.metadata = {{"k1", ""}, {"", "two\tlines\r\nand \"quotes\" ' ]]>"}};
  data.href = "cid:h@waybill";
  data.attachment = "cid:a@waybill";
  data.content = "cid:c@waybill";
  data.token = "MIIEBgYJKoZIhvcNAQcC";
  return data;
}

TrustedKey key() { return {instanceId, pem, "lab", "https://lab.example:8443/", true, moment()}; }
TrustedKey shortKey() { return {instanceId, pem, std::nullopt, std::nullopt, false, moment()}; }
Grant grant() {
  return {"g1", {instanceId, "anna"}, {Right::Read, Right::Administer}, "/docs & more", moment(), moment() - 1h};
}
Grant shortGrant() { return {"g2", {instanceId, std::nullopt}, {Right::Invoke}, "/", std::nullopt, moment()}; }

/// What a message goes through between two instances: envelope, content lifted, validation, body.
template <class T> std::string overTheWire(const T &message, const soap::InlineContents &inlined = {}) {
  static const soap::Schema schema;
  auto envelope = soap::Envelope::parse(
      soap::writeEnvelope(soap::Version::Soap12, {}, {}, soap::encode(message, inlined)), soap::Limits{});
  envelope.liftContent([](const std::string &, const std::string &) {});
  envelope.validate(schema);
  return envelope.bodyXml();
}

template <class T> void requireRoundTrip(const T &message) {
  CPPUNIT_ASSERT(soap::decode<T>(overTheWire(message)) == message);
}

FaultCode codeOf(const auto &action) {
  try {
    action();
  } catch (const Fault &fault) {
    return fault.code();
  }
  CPPUNIT_FAIL("no Fault was thrown");
  return FaultCode::Internal;
}

std::string element(const std::string &name, const std::string &inner) {
  return "<wb:" + name + " xmlns:wb=\"urn:waybill:1\" xmlns:xmime=\"http://www.w3.org/2005/05/xmlmime\">" + inner +
         "</wb:" + name + ">";
}

Data decodedData(const std::string &inner) {
  const auto message = soap::decode<DescribeRequest>(element("Describe", "<wb:Data>" + inner + "</wb:Data>"));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, message.data.size());
  return message.data.front();
}

std::string encodedData(const Data &data, const soap::InlineContents &inlined = {}) {
  return soap::encode(DescribeRequest{{data}}, inlined);
}

void requireContains(const std::string &text, const std::string &part) {
  CPPUNIT_ASSERT_MESSAGE("'" + part + "' is not in " + text, text.find(part) != std::string::npos);
}

class CodecTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CodecTest);
  CPPUNIT_TEST(dataMessagesComeBackAsTheyWere);
  CPPUNIT_TEST(accessMessagesComeBackAsTheyWere);
  CPPUNIT_TEST(everyChoiceComesBackAsItWas);
  CPPUNIT_TEST(aThousandDataComeBackInOrder);
  CPPUNIT_TEST(elementsBearTheNamesOfTheContract);
  CPPUNIT_TEST(missingFieldsGetTheDefaultsOfTheContract);
  CPPUNIT_TEST(nilRequestsHaveNoFields);
  CPPUNIT_TEST(contentBecomesAnInclude);
  CPPUNIT_TEST(contentIdsAreEscapedForTheUrl);
  CPPUNIT_TEST(inlinedContentBecomesBase64);
  CPPUNIT_TEST(contentMayOnlyNameAPart);
  CPPUNIT_TEST(mediaTypeOfContentCountsWhenThereIsNoOther);
  CPPUNIT_TEST(charactersThatXmlCannotCarryAreRefused);
  CPPUNIT_TEST(timesNeedAZone);
  CPPUNIT_TEST(digestsAreTakenAsPeopleWriteThem);
  CPPUNIT_TEST(emptyUrlsMeanNothing);
  CPPUNIT_TEST(unknownElementsAreSkippedInReplies);
  CPPUNIT_TEST(attributesOfSoapEncodingMeanNothing);
  CPPUNIT_TEST(whatIsNotTheMessageIsRefused);
  CPPUNIT_TEST(badFieldsAreRefused);
  CPPUNIT_TEST(manyThreadsAtOnce);
  CPPUNIT_TEST_SUITE_END();

public:
  void dataMessagesComeBackAsTheyWere() {
    const std::vector<Data> data{fullData(), Data{}};
    requireRoundTrip(CopyRequest{data, Attach::SwA});
    requireRoundTrip(CopyRequest{{Data{}}, std::nullopt});
    requireRoundTrip(CopyResponse{data});
    requireRoundTrip(ReceiveRequest{data, Overwrite::IfDifferent});
    requireRoundTrip(ReceiveResponse{data});
    requireRoundTrip(DeleteRequest{data});
    requireRoundTrip(DeleteResponse{data});
    requireRoundTrip(ListRequest{"/a <b> & c", 4'294'967'295U, "next"});
    requireRoundTrip(ListRequest{});
    requireRoundTrip(ListResponse{data, "next"});
    requireRoundTrip(ListResponse{});
    requireRoundTrip(DescribeRequest{data});
    requireRoundTrip(DescribeResponse{data});
  }

  void accessMessagesComeBackAsTheyWere() {
    requireRoundTrip(GetInstanceRequest{});
    requireRoundTrip(GetInstanceResponse{
        "lab & co", instanceId, pem, "0.1", {{"data", "https://l/a?b=c&d"}, {"access", "https://l/"}}});
    requireRoundTrip(GetInstanceResponse{"", instanceId, pem, "", {}});
    requireRoundTrip(TrustKeyRequest{pem, "lab", "https://lab.example:8443/"});
    requireRoundTrip(TrustKeyRequest{pem, std::nullopt, std::nullopt});
    requireRoundTrip(TrustKeyResponse{key()});
    requireRoundTrip(TrustKeyResponse{shortKey()});
    requireRoundTrip(ListKeysRequest{});
    requireRoundTrip(ListKeysResponse{{key(), shortKey()}});
    requireRoundTrip(ListKeysResponse{});
    requireRoundTrip(RevokeKeyRequest{"lab"});
    requireRoundTrip(RevokeKeyResponse{key()});
    requireRoundTrip(GrantRequest{"lab/anna", {Right::Read, Right::Write, Right::Delete}, "/docs", moment()});
    requireRoundTrip(GrantRequest{"lab", {Right::List}, "/", std::nullopt});
    requireRoundTrip(GrantResponse{grant()});
    requireRoundTrip(RevokeRequest{"g1"});
    requireRoundTrip(RevokeResponse{shortGrant()});
    requireRoundTrip(ListGrantsRequest{"lab/anna"});
    requireRoundTrip(ListGrantsRequest{});
    requireRoundTrip(ListGrantsResponse{{grant(), shortGrant()}});
    requireRoundTrip(ListGrantsResponse{});
  }

  void everyChoiceComesBackAsItWas() {
    const std::map<Attach, std::string> ways{
        {Attach::Mtom, "MTOM"}, {Attach::SwA, "SwA"}, {Attach::Inline, "Inline"}, {Attach::Reference, "Reference"}};
    for (const auto &[attach, name] : ways) {
      requireContains(soap::encode(CopyRequest{{}, attach}), "<wb:Attach>" + name + "</wb:Attach>");
      requireRoundTrip(CopyRequest{{Data{}}, attach});
    }
    const std::map<Overwrite, std::string> rules{
        {Overwrite::Never, "Never"}, {Overwrite::Always, "Always"}, {Overwrite::IfDifferent, "IfDifferent"}};
    for (const auto &[overwrite, name] : rules) {
      requireContains(soap::encode(ReceiveRequest{{}, overwrite}), "<wb:Overwrite>" + name + "</wb:Overwrite>");
      requireRoundTrip(ReceiveRequest{{Data{}}, overwrite});
    }
    for (const auto secure : {true, false}) {
      Data data;
      data.secure = secure;
      data.digest = Digest{DigestAlgorithm::Sha256, std::string(64, 'f')};
      requireRoundTrip(DescribeResponse{{data}});
    }
  }

  void aThousandDataComeBackInOrder() {
    CopyResponse message;
    for (int i = 0; i < 1000; ++i) {
      message.data.push_back(fullData());
      message.data.back().path = "/many/" + std::to_string(i);
      message.data.back().content = "cid:" + std::to_string(i) + "@waybill";
    }
    requireRoundTrip(message);
  }

  void elementsBearTheNamesOfTheContract() {
    const auto xml = encodedData(fullData());
    CPPUNIT_ASSERT(xml.starts_with("<wb:Describe "));
    CPPUNIT_ASSERT(xml.ends_with("</wb:Describe>"));
    std::size_t at = 0;
    for (const auto *name : {"Id", "Path", "ContentType", "Size", "Digest", "Secure", "Created", "Expires", "Owner",
                             "Metadata", "Name", "Value", "Href", "Attachment", "Content", "Token"}) {
      const auto found = xml.find("<wb:" + std::string(name), at);
      CPPUNIT_ASSERT_MESSAGE(name, found != std::string::npos);
      at = found + 1;
    }
    requireContains(xml, "<wb:Digest algorithm=\"adler32\">00620062</wb:Digest>");
    requireContains(xml, "<wb:Created>2031-02-28T03:04:05.678901Z</wb:Created>");
    requireContains(xml, "<wb:Secure>false</wb:Secure>");
    requireContains(soap::encode(GrantRequest{"lab", {Right::Read, Right::Write}, "/", std::nullopt}),
                    "<wb:Rights>read,write</wb:Rights>");
  }

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

  void contentBecomesAnInclude() {
    requireContains(encodedData(fullData()),
                    "<wb:Content xmime:contentType=\"application/pdf\"><xop:Include "
                    "xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:c@waybill\"/></wb:Content>");
  }

  void contentIdsAreEscapedForTheUrl() {
    Data data;
    data.content = "cid:a b%&'\"<ü>%3D@x";
    data.attachment = data.content;
    const auto xml = encodedData(data);
    const std::string escaped = "cid:a%20b%25%26%27%22%3c%c3%bc%3e%3D@x";
    requireContains(xml, "href=\"" + escaped + "\"");
    requireContains(xml, "<wb:Attachment>" + escaped + "</wb:Attachment>");
    data.content = data.attachment = escaped;
    CPPUNIT_ASSERT_EQUAL(xml, encodedData(data));
    data.content.reset();
    data.attachment = "not a cid & left alone";
    requireContains(encodedData(data), "<wb:Attachment>not a cid &amp; left alone</wb:Attachment>");
  }

  void inlinedContentBecomesBase64() {
    std::string bytes;
    for (int i = 0; i < 1000; ++i) {
      bytes.push_back(static_cast<char>(i));
    }
    Data data;
    data.content = "cid:x y@waybill";
    requireContains(encodedData(data, {{"x y@waybill", "abcd"}}), "<wb:Content>YWJjZA==</wb:Content>");
    requireContains(encodedData(data, {{"other", "abcd"}}), "xop:Include");
    for (const std::string_view content : {std::string_view(bytes), std::string_view()}) {
      auto envelope = soap::Envelope::parse(
          soap::writeEnvelope(soap::Version::Soap11, {}, {}, encodedData(data, {{"x y@waybill", content}})),
          soap::Limits{});
      std::map<std::string, std::string> lifted;
      envelope.liftContent([&](std::string id, std::string got) { lifted.emplace("cid:" + id, std::move(got)); });
      const auto back = soap::decode<DescribeRequest>(envelope.bodyXml());
      CPPUNIT_ASSERT(back.data.at(0).content);
      CPPUNIT_ASSERT_EQUAL(std::string(content), lifted.at(*back.data.at(0).content));
    }
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

  void mediaTypeOfContentCountsWhenThereIsNoOther() {
    const std::string content = "<wb:Content xmime:contentType=\" image/png\">Y2lkOmE=</wb:Content>";
    CPPUNIT_ASSERT_EQUAL(std::string("image/png"), decodedData(content).contentType.value_or(""));
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"),
                         decodedData("<wb:ContentType>text/plain</wb:ContentType>" + content).contentType.value_or(""));
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
      CPPUNIT_ASSERT_MESSAGE(bad, codeOf([&] { created(bad); }) == FaultCode::InvalidMessage);
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

  void manyThreadsAtOnce() {
    const CopyResponse message{{fullData(), fullData()}};
    const auto expected = soap::encode(message);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 50; ++n) {
          const auto xml = soap::encode(message);
          auto back = soap::decode<CopyRequest>(element("Copy", "<wb:Data><wb:Path>/p</wb:Path></wb:Data>"));
          wrong += xml != expected || back.data.at(0).path != "/p" ? 1 : 0;
        }
      });
    }
    for (auto &thread : threads) {
      thread.join();
    }
    CPPUNIT_ASSERT_EQUAL(0, wrong.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CodecTest);

} // namespace
