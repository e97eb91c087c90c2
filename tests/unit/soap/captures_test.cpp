// SPDX-License-Identifier: GPL-3.0-or-later
#include "message_support.hpp"
#include "soap/incoming_message.hpp"

#include "domain/text.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

namespace waybill::soap {
namespace {

using test::ChunkSource;
using test::everything;
using test::expectFault;

/// As much of HTTP as it takes to read a recording: the Content-Type field and what is behind the head.
struct Recording {
  explicit Recording(const std::filesystem::path &file) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    const auto end = text.find("\r\n\r\n");
    CPPUNIT_ASSERT_MESSAGE(file.string(), end != std::string::npos);
    body = text.substr(end + 4);
    const auto head = text.substr(0, end + 2);
    const auto field = lowerCase(head).find("\r\ncontent-type:");
    CPPUNIT_ASSERT_MESSAGE(file.string(), field != std::string::npos);
    const auto value = field + std::string("\r\ncontent-type:").size();
    contentType = trimmed(std::string_view(head).substr(value, head.find("\r\n", value) - value));
  }

  std::string contentType;
  std::string body;
};

struct Expected {
  Packaging packaging;
  std::optional<Version> version;
  std::string action;
  std::map<std::string, std::string> parts; ///< bytes by reference
};

const std::filesystem::path folder = std::filesystem::path(WAYBILL_SOURCE_DIR) / "tests" / "captures";

const std::string mtomId11 = "cid:752a4c33-7de2-46d3-a22b-524a5acc500b@example.jaxws.sun.com";
const std::string mtomId12 = "cid:91a978d1-ed30-4ff5-a076-04b6c7669bd2@example.jaxws.sun.com";
const std::string refId12 = "cid:0ffc525e-4e47-4859-b645-ae70b264a90f@example.jaxws.sun.com";
const std::string refId11 = "cid:7e57d103-e964-417c-be67-02b8b5a61636@example.jaxws.sun.com";

std::map<std::string, Expected> expectations() {
  const auto v11 = Version::Soap11;
  const auto v12 = Version::Soap12;
  const std::string put = "urn:t:Put";
  const auto plain = Packaging::Plain;
  return {
      {"axis1_full", {Packaging::SwA, v11, "", {{"cid:att@axis", "AXISATT"}}}},
      {"curl_swa", {Packaging::SwA, v11, "", {{"cid:a@x", "CURL\r\nATT"}}}},
      {"jaxws_ma_s11", {Packaging::Mtom, v11, "", {{mtomId11, "AAAAmtom"}}}},
      {"jaxws_mas_s12", {Packaging::Mtom, v12, put, {{mtomId12, "AAAAmtom"}, {refId12, "BBBBswaref"}}}},
      {"jaxws_s_s11n", {Packaging::SwA, v11, "", {{refId11, "BBBBswaref"}}}},
      {"nodesoap_s11", {Packaging::Mtom, v11, "", {{"cid:att@node", "NODEATT"}}}},
      // It labels a SOAP 1.2 envelope text/xml; the envelope has the last word.
      {"nodesoap_s12", {Packaging::Mtom, v11, put, {{"cid:att@node", "NODEATT"}}}},
      {"soaplite_11", {Packaging::SwA, v11, "", {{"cid:att@perl", "PERLATT"}}}},
      {"soaplite_12", {Packaging::SwA, v12, "", {{"cid:att@perl", "PERLATT"}}}},
      {"strongsoap_s11", {Packaging::Mtom, v11, "", {{"cid:att@node", "NODEATT"}}}},
      {"strongsoap_s12", {Packaging::Mtom, v11, "", {{"cid:att@node", "NODEATT"}}}},
      {"php_11", {plain, v11, "", {}}},
      {"php_12", {plain, v12, put, {}}},
      {"suds_s11", {plain, v11, "", {}}},
      {"suds_s12", {plain, v11, "", {}}},
      {"zeep_s11", {plain, v11, "", {}}},
      {"zeep_s12", {plain, v12, put, {}}},
  };
}

void check(const std::string &name, const Expected &expected, std::size_t chunk) {
  const Recording recording(folder / (name + ".http"));
  ChunkSource source(recording.body, chunk);
  const auto message = IncomingMessage::read(recording.contentType, source, {}, {});
  CPPUNIT_ASSERT_MESSAGE(name, message.packaging == expected.packaging);
  CPPUNIT_ASSERT_MESSAGE(name, message.version == expected.version);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(name, expected.action, message.action.value_or(""));
  CPPUNIT_ASSERT_MESSAGE(name, trimmed(message.root).ends_with("Envelope>"));
  CPPUNIT_ASSERT_MESSAGE(name, message.root.starts_with("<"));
  std::multiset<std::string> references;
  for (const auto &[reference, bytes] : expected.parts) {
    references.insert(reference);
  }
  message.attachments->want(references);
  for (const auto &[reference, bytes] : expected.parts) {
    const auto part = message.attachments->open(reference);
    CPPUNIT_ASSERT_MESSAGE(reference, part);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(name, bytes, everything(*part));
  }
  message.attachments->finish();
}

class CapturesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CapturesTest);
  CPPUNIT_TEST(readsEveryRecordingWhole);
  CPPUNIT_TEST(knowsEveryRecording);
  CPPUNIT_TEST(refusesTheRecordingThatWasCut);
  CPPUNIT_TEST_SUITE_END();

  void readsEveryRecordingWhole() {
    for (const auto &[name, expected] : expectations()) {
      for (const std::size_t chunk : {0U, 1U, 100'000U}) {
        check(name, expected, chunk);
      }
    }
  }

  void knowsEveryRecording() {
    auto known = expectations();
    known.emplace("axis1", Expected{});
    std::size_t found = 0;
    for (const auto &entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".http") {
        ++found;
        CPPUNIT_ASSERT_MESSAGE(entry.path().string(), known.count(entry.path().stem().string()) == 1);
      }
    }
    CPPUNIT_ASSERT_EQUAL(known.size(), found);
  }

  void refusesTheRecordingThatWasCut() {
    // The recorder believed a Content-Length that leaves out the Date preamble, so the closing boundary is missing.
    const Recording recording(folder / "axis1.http");
    ChunkSource source(recording.body);
    const auto message = IncomingMessage::read(recording.contentType, source, {}, {});
    CPPUNIT_ASSERT(message.root.ends_with("Envelope>"));
    message.attachments->want({"cid:att@axis"});
    expectFault(FaultCode::InvalidMessage, "closing line", [&] { message.attachments->finish(); });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CapturesTest);

} // namespace
} // namespace waybill::soap
