// SPDX-License-Identifier: GPL-3.0-or-later
#include "codec_support.hpp"

#include <atomic>
#include <map>
#include <thread>
#include <vector>

namespace {

using namespace waybill;
using namespace waybill::codec_test;
using namespace std::chrono_literals;

class CodecTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CodecTest);
  CPPUNIT_TEST(dataMessagesComeBackAsTheyWere);
  CPPUNIT_TEST(transferMessagesComeBackAsTheyWere);
  CPPUNIT_TEST(accessMessagesComeBackAsTheyWere);
  CPPUNIT_TEST(everyChoiceComesBackAsItWas);
  CPPUNIT_TEST(aThousandDataComeBackInOrder);
  CPPUNIT_TEST(elementsBearTheNamesOfTheContract);
  CPPUNIT_TEST(contentBecomesAnInclude);
  CPPUNIT_TEST(contentIdsAreEscapedForTheUrl);
  CPPUNIT_TEST(inlinedContentBecomesBase64);
  CPPUNIT_TEST(mediaTypeOfContentCountsWhenThereIsNoOther);
  CPPUNIT_TEST(manyThreadsAtOnce);
  CPPUNIT_TEST_SUITE_END();

public:
  void dataMessagesComeBackAsTheyWere() {
    const std::vector<Data> data{fullData(), Data{}};
    requireRoundTrip(CopyRequest{data, Attach::SwA, 1});
    requireRoundTrip(CopyRequest{{Data{}}, std::nullopt, std::nullopt});
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

  void transferMessagesComeBackAsTheyWere() {
    requireRoundTrip(ListAlgorithmsRequest{});
    requireRoundTrip(ListAlgorithmsResponse{});
    requireRoundTrip(ListAlgorithmsResponse{{fullAlgorithm(), {}}});
    requireRoundTrip(DescribeAlgorithmRequest{"text/sort"});
    requireRoundTrip(DescribeAlgorithmResponse{fullAlgorithm()});
    requireRoundTrip(InvokeRequest{"a", {}, {}, {}, {}, {}, {}, {}});
    requireRoundTrip(InvokeRequest{"text/sort",
                                   {{"in <&", fullData()}, {"in", Data{}}},
                                   {{"key", " 1 "}, {"none", ""}},
                                   "/results",
                                   Attach::SwA,
                                   Overwrite::Always,
                                   {{"out", fullData()}},
                                   5});
    requireRoundTrip(InvokeResponse{"urn:uuid:1", -7, {{"out", fullData()}, {"more", Data{}}}, "the\nend\t<&>"});
    requireRoundTrip(InvokeResponse{"urn:uuid:1", 0, {}, {}});
    requireRoundTrip(GetJobRequest{"urn:uuid:1"});
    requireRoundTrip(GetJobResponse{fullJob()});
    requireRoundTrip(CancelJobRequest{"urn:uuid:1"});
    requireRoundTrip(CancelJobResponse{Job{}});
    requireRoundTrip(ListJobsRequest{TransferState::Queued, 7, "next"});
    requireRoundTrip(ListJobsRequest{});
    Job fetching;
    fetching.phase = JobPhase::Inputs;
    requireRoundTrip(ListJobsResponse{{fullJob(), Job{}, fetching}, "next"});
    requireRoundTrip(GetTransferRequest{"urn:uuid:1"});
    requireRoundTrip(GetTransferResponse{fullTransfer()});
    requireRoundTrip(CancelTransferRequest{"http://example.org/a?b=c&d"});
    requireRoundTrip(CancelTransferResponse{shortTransfer()});
    requireRoundTrip(ListTransfersRequest{});
    requireRoundTrip(ListTransfersRequest{TransferState::Active, 4'294'967'295U, "next"});
    requireRoundTrip(ListTransfersResponse{});
    requireRoundTrip(ListTransfersResponse{{fullTransfer(), shortTransfer()}, "next"});
    for (const auto state : {TransferState::Queued, TransferState::Active, TransferState::Succeeded,
                             TransferState::Failed, TransferState::Cancelled}) {
      requireContains(soap::encode(ListTransfersRequest{state, 1, {}}),
                      "<wb:State>" + std::string(name(state)) + "</wb:State>");
      requireRoundTrip(ListTransfersRequest{state, 1, {}});
    }
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
      requireContains(soap::encode(CopyRequest{{}, attach, {}}), "<wb:Attach>" + name + "</wb:Attach>");
      requireRoundTrip(CopyRequest{{Data{}}, attach, {}});
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
      envelope.liftContent(
          [&](const std::string &id, std::string got) { lifted.emplace("cid:" + id, std::move(got)); });
      const auto back = soap::decode<DescribeRequest>(envelope.bodyXml());
      CPPUNIT_ASSERT(back.data.at(0).content);
      CPPUNIT_ASSERT_EQUAL(std::string(content), lifted.at(*back.data.at(0).content));
    }
  }

  void mediaTypeOfContentCountsWhenThereIsNoOther() {
    const std::string content = "<wb:Content xmime:contentType=\" image/png\">Y2lkOmE=</wb:Content>";
    CPPUNIT_ASSERT_EQUAL(std::string("image/png"), decodedData(content).contentType.value_or(""));
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"),
                         decodedData("<wb:ContentType>text/plain</wb:ContentType>" + content).contentType.value_or(""));
  }

  void manyThreadsAtOnce() {
    const CopyResponse message{{fullData(), fullData()}};
    const auto expected = soap::encode(message);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    threads.reserve(8);
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
