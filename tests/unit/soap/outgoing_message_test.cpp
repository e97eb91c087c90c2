// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/outgoing_message.hpp"

#include "message_support.hpp"
#include "soap/incoming_message.hpp"

#include <stdexcept>

namespace waybill::soap {
namespace {

using test::ChunkSource;
using test::everything;
using test::expectFault;
using test::randomBytes;

OutgoingPart part(const std::string &id, const std::string &bytes, const std::string &type = "application/pdf") {
  return {id, type, bytes.size(), [bytes] { return std::make_unique<StringSource>(bytes); }};
}

OutgoingMessage message(Packaging packaging, Version version = Version::Soap11) {
  OutgoingMessage result;
  result.version = version;
  result.action = "urn:waybill:1/CopyResponse";
  result.envelope = "<E/>";
  result.packaging = packaging;
  result.boundary = "waybill-0123";
  return result;
}

std::string written(const OutgoingMessage &message, const std::function<void()> &beforeLast = {}) {
  StringSink sink;
  message.write(sink, beforeLast);
  return sink.text();
}

/// Remembers how many writes there were, and how large.
struct CountingSink final : Sink {
  void write(ByteView bytes) override {
    ++writes;
    total += bytes.size();
  }
  int writes = 0;
  std::uint64_t total = 0;
};

class OutgoingMessageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingMessageTest);
  CPPUNIT_TEST(writesPlainMessages);
  CPPUNIT_TEST(writesSwaMessages);
  CPPUNIT_TEST(writesMtomMessages);
  CPPUNIT_TEST(putsTheActionWhereSoap12HasIt);
  CPPUNIT_TEST(leavesOutAnEmptyAction);
  CPPUNIT_TEST(announcesTheExactLength);
  CPPUNIT_TEST(announcesNoLengthWhenOneIsUnknown);
  CPPUNIT_TEST(givesTheSameBytesToPull);
  CPPUNIT_TEST(isReadBack);
  CPPUNIT_TEST(writesManySmallPartsInFewBlocks);
  CPPUNIT_TEST(opensOnePartAtATime);
  CPPUNIT_TEST(runsTheLastStepBeforeTheClosingBoundary);
  CPPUNIT_TEST(isNeverCompleteWhenTheLastStepFails);
  CPPUNIT_TEST(refusesPartsOfAnotherLength);
  CPPUNIT_TEST(passesOnWhatAPartThrows);
  CPPUNIT_TEST(refusesWhatMayNotBeInAHeader);
  CPPUNIT_TEST(refusesInconsistentMessages);
  CPPUNIT_TEST_SUITE_END();

  void writesPlainMessages() {
    CPPUNIT_ASSERT_EQUAL(std::string("text/xml; charset=utf-8"), message(Packaging::Plain).contentType());
    CPPUNIT_ASSERT_EQUAL(std::string("application/soap+xml; charset=utf-8; action=\"urn:waybill:1/CopyResponse\""),
                         message(Packaging::Plain, Version::Soap12).contentType());
    CPPUNIT_ASSERT_EQUAL(std::string("<E/>"), written(message(Packaging::Plain)));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{4}, message(Packaging::Plain).contentLength().value());
  }

  void writesSwaMessages() {
    auto swa = message(Packaging::SwA);
    swa.parts = {part("a@x", "A\r\n"), part("b@x", "", "")};
    CPPUNIT_ASSERT_EQUAL(
        std::string("multipart/related; type=\"text/xml\"; start=\"<root@waybill-0123>\"; boundary=\"waybill-0123\""),
        swa.contentType());
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            "--waybill-0123\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <root@waybill-0123>\r\n\r\n<E/>\r\n"
            "--waybill-0123\r\nContent-Type: application/pdf\r\nContent-ID: <a@x>\r\n\r\nA\r\n\r\n"
            "--waybill-0123\r\nContent-Type: application/octet-stream\r\nContent-ID: <b@x>\r\n\r\n\r\n"
            "--waybill-0123--\r\n"),
        written(swa));
  }

  void writesMtomMessages() {
    auto mtom = message(Packaging::Mtom);
    CPPUNIT_ASSERT_EQUAL(std::string("multipart/related; type=\"application/xop+xml\"; start=\"<root@waybill-0123>\"; "
                                     "boundary=\"waybill-0123\"; start-info=\"text/xml\""),
                         mtom.contentType());
    CPPUNIT_ASSERT_EQUAL(
        std::string("--waybill-0123\r\nContent-Type: application/xop+xml; charset=utf-8; type=\"text/xml\"\r\n"
                    "Content-ID: <root@waybill-0123>\r\n\r\n<E/>\r\n--waybill-0123--\r\n"),
        written(mtom));
  }

  void putsTheActionWhereSoap12HasIt() {
    const auto mtom = message(Packaging::Mtom, Version::Soap12);
    const std::string infoset = R"("application/soap+xml; action=\"urn:waybill:1/CopyResponse\"")";
    CPPUNIT_ASSERT(mtom.contentType().ends_with("; start-info=" + infoset));
    CPPUNIT_ASSERT(written(mtom).find("application/xop+xml; charset=utf-8; type=" + infoset + "\r\n") !=
                   std::string::npos);
    const auto swa = message(Packaging::SwA, Version::Soap12);
    CPPUNIT_ASSERT(swa.contentType().starts_with("multipart/related; type=\"application/soap+xml\"; "));
    CPPUNIT_ASSERT(
        written(swa).find(
            "\r\nContent-Type: application/soap+xml; charset=utf-8; action=\"urn:waybill:1/CopyResponse\"\r\n") !=
        std::string::npos);
  }

  void leavesOutAnEmptyAction() {
    auto plain = message(Packaging::Plain, Version::Soap12);
    plain.action.clear();
    CPPUNIT_ASSERT_EQUAL(std::string("application/soap+xml; charset=utf-8"), plain.contentType());
  }

  void announcesTheExactLength() {
    for (const auto packaging : {Packaging::SwA, Packaging::Mtom}) {
      for (const auto version : {Version::Soap11, Version::Soap12}) {
        auto some = message(packaging, version);
        for (std::size_t i = 0; i < 5; ++i) {
          CPPUNIT_ASSERT_EQUAL(std::uint64_t{written(some).size()}, some.contentLength().value());
          some.parts.push_back(part("p" + std::to_string(i), std::string(i * i * 1000, 'x'), i % 2 == 0 ? "" : "a/b"));
        }
      }
    }
  }

  void announcesNoLengthWhenOneIsUnknown() {
    auto mtom = message(Packaging::Mtom);
    mtom.parts = {part("a", "1"), part("b", "2")};
    mtom.parts[1].size.reset();
    CPPUNIT_ASSERT(!mtom.contentLength());
    CPPUNIT_ASSERT(!mtom.source()->size());
    CPPUNIT_ASSERT(written(mtom).ends_with("\r\n2\r\n--waybill-0123--\r\n"));
  }

  void givesTheSameBytesToPull() {
    auto mtom = message(Packaging::Mtom);
    mtom.parts = {part("a", randomBytes(300'000, 1)), part("b", ""), part("c", "3")};
    const auto all = written(mtom);
    for (const std::size_t block : {1U, 10U, 4096U, 1'000'000U}) {
      const auto source = mtom.source();
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{all.size()}, source->size().value());
      std::string pulled;
      Bytes buffer(block);
      while (const auto count = source->read(buffer)) {
        pulled.append(asText(ByteView(buffer).first(count)));
      }
      CPPUNIT_ASSERT(all == pulled);
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, source->read(buffer));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("<E/>"), everything(*message(Packaging::Plain).source()));
  }

  void isReadBack() {
    std::mt19937 random(7);
    for (int round = 0; round < 30; ++round) {
      const auto version = round % 2 == 0 ? Version::Soap11 : Version::Soap12;
      auto sent = message(round % 3 == 0 ? Packaging::Mtom : Packaging::SwA, version);
      std::multiset<std::string> references;
      std::vector<std::string> contents;
      for (unsigned i = 0; i < random() % 20; ++i) {
        contents.push_back(randomBytes(random() % 5000, i) + (i % 2 == 0 ? "\r\n--waybill-0123x" : "\r\n"));
        sent.parts.push_back(part("p" + std::to_string(i) + "@x", contents.back(), "x/y" + std::to_string(i)));
        references.insert("cid:p" + std::to_string(i) + "@x");
      }
      ChunkSource body(written(sent), 0, static_cast<unsigned>(round));
      const auto received = IncomingMessage::read(sent.contentType(), body, {}, {});
      CPPUNIT_ASSERT_EQUAL(sent.envelope, received.root);
      CPPUNIT_ASSERT(received.version == version);
      CPPUNIT_ASSERT(received.packaging == sent.packaging);
      CPPUNIT_ASSERT_EQUAL(version == Version::Soap12 ? sent.action : "", received.action.value_or(""));
      received.attachments->want(references);
      for (std::size_t i = 0; i < contents.size(); ++i) {
        const auto reference = "cid:p" + std::to_string(i) + "@x";
        CPPUNIT_ASSERT(contents[i] == everything(*received.attachments->open(reference)));
        CPPUNIT_ASSERT_EQUAL("x/y" + std::to_string(i), received.attachments->info(reference).value().contentType);
      }
      received.attachments->finish();
    }
  }

  void writesManySmallPartsInFewBlocks() {
    auto mtom = message(Packaging::Mtom);
    for (int i = 0; i < 1000; ++i) {
      mtom.parts.push_back(part(std::to_string(i), std::string(10'000, 'x')));
    }
    CountingSink sink;
    mtom.write(sink);
    CPPUNIT_ASSERT_EQUAL(mtom.contentLength().value(), sink.total);
    CPPUNIT_ASSERT(sink.writes <= 40);
  }

  void opensOnePartAtATime() {
    int open = 0;
    int opened = 0;
    struct Counted final : Source {
      explicit Counted(int &count) : count_(count) { ++count_; }
      ~Counted() override { --count_; }
      Counted(const Counted &) = delete;
      Counted &operator=(const Counted &) = delete;
      std::size_t read(std::span<std::byte> into) override { return bytes_.read(into); }

    private:
      int &count_;
      ViewSource bytes_{asBytes("bytes")};
    };
    auto mtom = message(Packaging::Mtom);
    for (int i = 0; i < 10; ++i) {
      mtom.parts.push_back({std::to_string(i), "a/b", 5, [&] {
                              CPPUNIT_ASSERT_EQUAL(0, open);
                              ++opened;
                              return std::make_unique<Counted>(open);
                            }});
    }
    written(mtom);
    CPPUNIT_ASSERT_EQUAL(10, opened);
    CPPUNIT_ASSERT_EQUAL(0, open);
  }

  void runsTheLastStepBeforeTheClosingBoundary() {
    auto swa = message(Packaging::SwA);
    swa.parts = {part("a", "last bytes")};
    StringSink sink;
    std::string before;
    swa.write(sink, [&] { before = sink.text(); });
    CPPUNIT_ASSERT(before.ends_with("last bytes"));
    CPPUNIT_ASSERT_EQUAL(before + "\r\n--waybill-0123--\r\n", sink.text());
    CPPUNIT_ASSERT_EQUAL(written(swa), sink.text());

    StringSink plain;
    message(Packaging::Plain).write(plain, [&] { before = plain.text(); });
    CPPUNIT_ASSERT_EQUAL(std::string(), before);
    CPPUNIT_ASSERT_EQUAL(std::string("<E/>"), plain.text());
  }

  void isNeverCompleteWhenTheLastStepFails() {
    const auto fail = [] { throw Fault(FaultCode::TokenReplayed, "spent"); };
    auto swa = message(Packaging::SwA);
    swa.parts = {part("a", "1")};
    StringSink sink;
    expectFault(FaultCode::TokenReplayed, "spent", [&] { swa.write(sink, fail); });
    CPPUNIT_ASSERT(sink.text().find("waybill-0123--") == std::string::npos);
    StringSink plain;
    expectFault(FaultCode::TokenReplayed, "spent", [&] { message(Packaging::Plain).write(plain, fail); });
    CPPUNIT_ASSERT_EQUAL(std::string(), plain.text());
  }

  void refusesPartsOfAnotherLength() {
    for (const std::uint64_t promised : {0U, 4U, 6U}) {
      auto mtom = message(Packaging::Mtom);
      mtom.parts = {part("odd", "12345")};
      mtom.parts[0].size = promised;
      expectFault(FaultCode::Internal, promised < 5 ? "has more than the" : "ended after 5 of the 6",
                  [&] { written(mtom); });
      expectFault(FaultCode::Internal, "odd", [&] { everything(*mtom.source()); });
    }
  }

  void passesOnWhatAPartThrows() {
    auto mtom = message(Packaging::Mtom);
    mtom.parts = {part("a", "1")};
    mtom.parts[0].open = []() -> std::unique_ptr<Source> { throw Fault(FaultCode::NoSuchData, "gone"); };
    expectFault(FaultCode::NoSuchData, "gone", [&] { written(mtom); });
    mtom.parts[0].open = nullptr;
    expectFault(FaultCode::Internal, "no bytes to open", [&] { written(mtom); });
  }

  static void refuse(const OutgoingMessage &bad, std::string_view why) {
    StringSink sink;
    expectFault(FaultCode::Internal, why, [&] { bad.write(sink); });
    CPPUNIT_ASSERT_EQUAL(std::string(), sink.text());
    expectFault(FaultCode::Internal, why, [&] { (void)bad.contentType(); });
    expectFault(FaultCode::Internal, why, [&] { (void)bad.source(); });
  }

  void refusesWhatMayNotBeInAHeader() {
    for (const auto &id : {std::string(), std::string("a\r\nX: y"), std::string("a\n"), std::string("a>"),
                           std::string("<a"), std::string("a b"), std::string("a\"b"), std::string("\xc3\xa4"),
                           std::string("a\0", 2), std::string(901, 'a')}) {
      auto mtom = message(Packaging::Mtom);
      mtom.parts = {part("fine", "1"), part(id, "2")};
      refuse(mtom, "Content-ID");
    }
    for (const std::string type : {"a/b\r\nX: y", "a/b\n", "a/b\t", "a/\xc3\xa4", "a/b\x7f"}) {
      auto swa = message(Packaging::SwA);
      swa.parts = {part("fine", "1", type)};
      refuse(swa, "content type");
    }
    for (const auto &boundary :
         {std::string(), std::string("a\r\nb"), std::string("a b"), std::string("a\"b"), std::string(71, 'b')}) {
      auto swa = message(Packaging::SwA);
      swa.boundary = boundary;
      refuse(swa, "boundary");
    }
    auto plain = message(Packaging::Plain, Version::Soap12);
    plain.action = "urn:x\"\r\nX: y";
    refuse(plain, "action");
  }

  void refusesInconsistentMessages() {
    auto twice = message(Packaging::SwA);
    twice.parts = {part("a", "1"), part("b", "2"), part("a", "3")};
    refuse(twice, "same Content-ID");
    auto plain = message(Packaging::Plain);
    plain.parts = {part("a", "1")};
    refuse(plain, "plain");
    auto clash = message(Packaging::Mtom);
    clash.parts = {part("root@waybill-0123", "1")};
    refuse(clash, "same Content-ID");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingMessageTest);

} // namespace
} // namespace waybill::soap
