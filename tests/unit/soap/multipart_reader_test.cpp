// SPDX-License-Identifier: GPL-3.0-or-later
#include "multipart_support.hpp"

#include <stdexcept>

namespace waybill::soap {
namespace {

using test::ChunkSource;
using test::expectFault;
using test::readPart;
using test::readParts;

const std::string head = "Content-ID: <x>\r\n\r\n";

/// The bytes of the only part of `body`.
std::string only(const std::string &body, std::string_view boundary = "b") {
  const auto parts = readParts(body, boundary);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, parts.size());
  return parts.front().bytes;
}

/// One part with these bytes.
std::string around(const std::string &data) { return "--b\r\n" + head + data + "\r\n--b--\r\n"; }

/// Data full of what is almost a boundary line.
std::string almostBoundaries(const std::string &line) {
  return "\r\n" + line.substr(0, line.size() - 1) + "\r\n" + line + "x";
}

std::string onePart(const std::string &line, const std::string &data) {
  return line + "\r\n\r\n" + data + "\r\n" + line + "--\r\n";
}

void refuse(const std::string &body, std::string_view why, FaultCode code = FaultCode::InvalidMessage,
            const Limits &limits = {}) {
  expectFault(code, why, [&] { readParts(body, "b", limits); });
}

class MultipartReaderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MultipartReaderTest);
  CPPUNIT_TEST(readsParts);
  CPPUNIT_TEST(readsHeaderFieldsInAnyForm);
  CPPUNIT_TEST(unfoldsHeaderLines);
  CPPUNIT_TEST(passesOverPreambleAndEpilogue);
  CPPUNIT_TEST(takesTheDateThatAxisSends);
  CPPUNIT_TEST(takesPaddingBehindBoundaries);
  CPPUNIT_TEST(readsEmptyParts);
  CPPUNIT_TEST(takesAClosingBoundaryWithoutLineEnd);
  CPPUNIT_TEST(leavesBoundaryTextInTheData);
  CPPUNIT_TEST(keepsLineEndsOfTheData);
  CPPUNIT_TEST(takesUnusualBoundaries);
  CPPUNIT_TEST(skipsWhatIsNotRead);
  CPPUNIT_TEST(readsNothingBeforeTheFirstPartAndAfterTheLast);
  CPPUNIT_TEST(stopsAtTheClosingBoundary);
  CPPUNIT_TEST(refusesBadBoundaries);
  CPPUNIT_TEST(refusesAMissingBoundary);
  CPPUNIT_TEST(refusesAMissingClosingBoundary);
  CPPUNIT_TEST(refusesBareLineFeeds);
  CPPUNIT_TEST(refusesTooMuchPadding);
  CPPUNIT_TEST(refusesBrokenHeaders);
  CPPUNIT_TEST(refusesLongHeaders);
  CPPUNIT_TEST(refusesALongHeaderEarly);
  CPPUNIT_TEST(refusesALongPreamble);
  CPPUNIT_TEST(refusesTooManyParts);
  CPPUNIT_TEST(refusesTwoPartsOfOneId);
  CPPUNIT_TEST(throwsTheFirstFaultAgain);
  CPPUNIT_TEST(throwsWhatTheBodyThrows);
  CPPUNIT_TEST_SUITE_END();

  void readsParts() {
    const auto parts = readParts("--b\r\nContent-ID: <one>\r\nContent-Type: text/xml; charset=utf-8\r\n\r\nfirst\r\n"
                                 "--b\r\nContent-Location: http://x/y\r\n\r\nsecond\r\n--b\r\n\r\nthird\r\n--b--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, parts.size());
    CPPUNIT_ASSERT_EQUAL(std::string("one"), parts[0].info.contentId);
    CPPUNIT_ASSERT_EQUAL(std::string("text/xml; charset=utf-8"), parts[0].info.contentType);
    CPPUNIT_ASSERT_EQUAL(std::string(), parts[0].info.contentLocation);
    CPPUNIT_ASSERT_EQUAL(std::string("first"), parts[0].bytes);
    CPPUNIT_ASSERT_EQUAL(std::string("http://x/y"), parts[1].info.contentLocation);
    CPPUNIT_ASSERT_EQUAL(std::string("second"), parts[1].bytes);
    CPPUNIT_ASSERT_EQUAL(std::string(), parts[2].info.contentId + parts[2].info.contentType);
    CPPUNIT_ASSERT_EQUAL(std::string("third"), parts[2].bytes);
  }

  void readsHeaderFieldsInAnyForm() {
    for (const auto *field : {"Content-Id:<a@b>", "CONTENT-ID:   <a@b>  ", "content-id: a@b", "Content-ID:\t<a@b>\t"}) {
      const auto parts = readParts(std::string("--b\r\nX-Other: \xc3\xa4;=\"\r\n") + field + "\r\n\r\nx\r\n--b--");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(field, std::string("a@b"), parts.at(0).info.contentId);
    }
  }

  void unfoldsHeaderLines() {
    const auto parts = readParts(
        "--b\r\nContent-Type: text/xml;\r\n charset=utf-8;\r\n\ttype=\"a\"\r\nContent-ID:\r\n <x>\r\n\r\n1\r\n--b--");
    CPPUNIT_ASSERT_EQUAL(std::string("text/xml; charset=utf-8;\ttype=\"a\""), parts.at(0).info.contentType);
    CPPUNIT_ASSERT_EQUAL(std::string("x"), parts.at(0).info.contentId);
  }

  void passesOverPreambleAndEpilogue() {
    CPPUNIT_ASSERT_EQUAL(std::string("x"),
                         only("Some text.\r\n--bx\r\n\r\n--b\r\n" + head + "x\r\n--b--\r\nepilogue\r\n--b\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("\r\n--b\r\n" + head + "x\r\n--b--\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("\r\n\r\n\r\n--b\r\n" + head + "x\r\n--b--\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("a--b\r\n--b\r\n" + head + "x\r\n--b--"));
    CPPUNIT_ASSERT(readParts("--b--\r\n").empty());
  }

  void takesTheDateThatAxisSends() {
    CPPUNIT_ASSERT_EQUAL(std::string("x"),
                         only("Date: Mon, 23 Nov 2026 22:02:36 +0000 (UTC)\r\n\r\n--b\r\n" + head + "x\r\n--b--\r\n"));
  }

  void takesPaddingBehindBoundaries() {
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("--b \t \r\n" + head + "x\r\n--b--  \r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("--b" + std::string(256, ' ') + "\r\n" + head + "x\r\n--b--"));
    const auto parts = readParts("--b\r\n\r\n1\r\n--b  \r\n\r\n2\r\n--b--");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, parts.size());
  }

  void readsEmptyParts() {
    CPPUNIT_ASSERT_EQUAL(std::string(), only("--b\r\n" + head + "\r\n--b--"));
    CPPUNIT_ASSERT_EQUAL(std::string(), only("--b\r\n\r\n\r\n--b--"));
    // Without a body there need not be a second line end (RFC 2046: body-part := MIME-part-headers [CRLF *OCTET]).
    CPPUNIT_ASSERT_EQUAL(std::string(), only("--b\r\n" + head + "--b--"));
    const auto parts = readParts("--b\r\n" + head + "--b\r\n\r\n--b\r\n\r\nx\r\n--b--");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, parts.size());
    CPPUNIT_ASSERT_EQUAL(std::string("x"), parts[2].bytes);
  }

  void takesAClosingBoundaryWithoutLineEnd() {
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("--b\r\n" + head + "x\r\n--b--"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("--b\r\n" + head + "x\r\n--b--\r"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only("--b\r\n" + head + "x\r\n--b--y"));
  }

  void leavesBoundaryTextInTheData() {
    for (const std::string data : {"--b",
                                   "--b--",
                                   "a--b\r\n",
                                   "\r\n--",
                                   "\r\n-",
                                   "\r\n",
                                   "\r",
                                   "\r\r\n--",
                                   "\n--b\r\n",
                                   "\r--b\r\n",
                                   "\r\n--bX\r\n",
                                   "\r\n--b-\r\n",
                                   "\r\n--b -- \r\n",
                                   "\r\n--b\r",
                                   "\r\n--b\n",
                                   "\r\n--b\rx",
                                   "\r\n--b \t\r",
                                   "\r\n--B--",
                                   "\r\n-- b\r\n",
                                   "\r\n---b\r\n",
                                   "\r\n--\r\n--bb\r\n--\r\n",
                                   "\r\n--b\x01"}) {
      // "--b" alone at the very start would be a boundary line.
      CPPUNIT_ASSERT_EQUAL("x" + data, only(around("x" + data)));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("--bX"), only("--b\r\n" + head + "--bX\r\n--b--"));
  }

  void keepsLineEndsOfTheData() {
    for (const std::string data : {"\r\n", "\r\n\r\n", "x\r\n", "\n", "\r", "\r\nx\r\n\r\n"}) {
      CPPUNIT_ASSERT_EQUAL(data, only(around(data)));
    }
  }

  void takesUnusualBoundaries() {
    for (const auto &boundary : {std::string("'()+_,-./:=?"), std::string("with blank"), std::string("-"),
                                 std::string("--"), std::string(70, '-'), std::string("{uuid}<x>\"\\")}) {
      const auto line = "--" + boundary;
      const auto data = almostBoundaries(line);
      CPPUNIT_ASSERT_EQUAL(data, only(onePart(line, data), boundary));
    }
  }

  void skipsWhatIsNotRead() {
    const std::string big(1'000'000, 'y');
    ChunkSource source("--b\r\nContent-ID: 1\r\n\r\n" + big + "\r\n--b\r\nContent-ID: 2\r\n\r\n" + big +
                       "\r\n--b\r\nContent-ID: 3\r\n\r\nend\r\n--b--");
    MultipartReader reader(source, "b", {});
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reader.next().value().contentId);
    CPPUNIT_ASSERT_EQUAL(std::string("2"), reader.next().value().contentId);
    Bytes some(10);
    CPPUNIT_ASSERT(reader.read(some) > 0);
    CPPUNIT_ASSERT_EQUAL(std::string("3"), reader.next().value().contentId);
    CPPUNIT_ASSERT_EQUAL(std::string("end"), readPart(reader));
    CPPUNIT_ASSERT(!reader.next());
  }

  void readsNothingBeforeTheFirstPartAndAfterTheLast() {
    ChunkSource source("--b\r\n\r\nx\r\n--b--");
    MultipartReader reader(source, "b", {});
    Bytes some(10);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, reader.read(some));
    CPPUNIT_ASSERT(reader.next());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, reader.read({}));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), readPart(reader, 1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, reader.read(some));
    CPPUNIT_ASSERT(!reader.next());
    CPPUNIT_ASSERT(!reader.next());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, reader.read(some));
  }

  void stopsAtTheClosingBoundary() {
    // A connection that stays open gives no end of stream: what is behind the closing boundary must not be waited for.
    const std::string body = "--b\r\n\r\nx\r\n--b--";
    ChunkSource source(body + "\r\n", 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, readParts(source, "b").size());
    CPPUNIT_ASSERT_EQUAL(body.size(), source.used());
  }

  void refusesBadBoundaries() {
    ChunkSource source("");
    for (const auto &boundary : {std::string(), std::string(71, 'b'), std::string("b "), std::string("a\r\nb"),
                                 std::string("a\tb"), std::string("\xc3\xa4"), std::string("a\0b", 3)}) {
      expectFault(FaultCode::InvalidMessage, "boundary", [&] { MultipartReader(source, boundary, {}); });
    }
  }

  void refusesAMissingBoundary() {
    refuse("", "'--b'");
    refuse("\r\n", "'--b'");
    refuse("--c\r\n\r\nx\r\n--c--", "'--b'");
    refuse("--b", "'--b'");
    refuse("x--b\r\n\r\nx\r\n--b", "'--b'");
  }

  void refusesAMissingClosingBoundary() {
    const auto whole = "--b\r\n" + head + "data\r\n--b--";
    for (std::size_t length = std::string("--b\r\n").size(); length < whole.size(); ++length) {
      refuse(whole.substr(0, length), length < 7 ? "" : "before its closing line '--b--'");
    }
    refuse("--b\r\n" + head + "data\r\n--b \t", "closing line");
    refuse("--b\r\n" + head + "data\r\n--bb--", "closing line");
  }

  void refusesBareLineFeeds() {
    refuse("--b\nContent-ID: x\n\nx\n--b--\n", "CR LF");
    refuse("--b\r\nContent-ID: x\nContent-Type: y\r\n\r\nx\r\n--b--\r\n", "CR LF");
    refuse("--b\r\nContent-ID: x\n\nx\r\n--b--\r\n", "");
  }

  void refusesTooMuchPadding() { refuse("--b" + std::string(257, ' ') + "\r\n\r\nx\r\n--b--", "256 blanks"); }

  void refusesBrokenHeaders() {
    for (const std::string line :
         {"no colon", ": x", "Na me: x", "Content-ID : x", " folded: first", "Content-ID: <x", "Content-ID: x>",
          "Content-ID: <", "X: a\x01", "X: a\rb", "X: a\nContent-ID: y", "Content-ID: a\r\nContent-Id: b",
          "Content-Type: a/b\r\ncontent-type: a/b", "--b", "Content-Transfer-Encoding: x-gzip"}) {
      refuse("--b\r\n" + line + "\r\n\r\nx\r\n--b--", "part");
    }
    refuse("--b\r\nX: a" + std::string(1, '\0') + "\r\n\r\nx\r\n--b--", "control character");
  }

  void refusesLongHeaders() {
    const auto withHeader = [](std::size_t size) {
      return "--b\r\nX: " + std::string(size - 5, 'y') + "\r\n\r\nx\r\n--b--";
    };
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only(withHeader(16'384)));
    refuse(withHeader(16'384 + 1), "part_header_bytes", FaultCode::TooLarge);
  }

  void refusesALongHeaderEarly() {
    ChunkSource source("--b\r\nX: " + std::string(10U << 20U, 'y') + "\r\n\r\nx\r\n--b--", 1000);
    expectFault(FaultCode::TooLarge, "part 1", [&] { readParts(source, "b"); });
    CPPUNIT_ASSERT(source.used() < 20'000);
  }

  void refusesALongPreamble() {
    const auto withPreamble = [](std::size_t size) { return std::string(size, 'p') + "\r\n--b\r\n\r\nx\r\n--b--"; };
    CPPUNIT_ASSERT_EQUAL(std::string("x"), only(withPreamble(65'536)));
    refuse(withPreamble(65'536 + 1), "before its first boundary", FaultCode::TooLarge);
    refuse(std::string(1'000'000, 'p'), "before its first boundary", FaultCode::TooLarge);
  }

  void refusesTooManyParts() {
    std::string body;
    for (int i = 0; i < 100'000; ++i) {
      body += "--b\r\n\r\nx\r\n";
    }
    ChunkSource source(body, 1000);
    expectFault(FaultCode::TooLarge, "10000 parts", [&] { readParts(source, "b"); });
    CPPUNIT_ASSERT(source.used() < 200'000);
  }

  void refusesTwoPartsOfOneId() {
    refuse("--b\r\nContent-ID: <a>\r\n\r\n1\r\n--b\r\nContent-Id:a\r\n\r\n2\r\n--b--", "same Content-ID");
    CPPUNIT_ASSERT_EQUAL(
        std::size_t{2},
        readParts("--b\r\nContent-ID: <a>\r\n\r\n1\r\n--b\r\nContent-ID: <A>\r\n\r\n2\r\n--b--").size());
  }

  void throwsTheFirstFaultAgain() {
    ChunkSource source("--b\r\nnonsense\r\n\r\nx\r\n--b--");
    MultipartReader reader(source, "b", {});
    expectFault(FaultCode::InvalidMessage, "Name: value", [&] { (void)reader.next(); });
    expectFault(FaultCode::InvalidMessage, "Name: value", [&] { (void)reader.next(); });
    expectFault(FaultCode::InvalidMessage, "Name: value", [&] { readPart(reader); });
  }

  void throwsWhatTheBodyThrows() {
    struct Cut final : Source {
      std::size_t read(std::span<std::byte> into) override {
        if (++reads > 1) {
          throw Fault(FaultCode::InvalidMessage, "the connection was cut");
        }
        return ViewSource(asBytes("--b\r\n\r\nsome")).read(into);
      }
      int reads = 0;
    } body;
    MultipartReader reader(body, "b", {});
    CPPUNIT_ASSERT(reader.next());
    Bytes some(100);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, reader.read(some));
    expectFault(FaultCode::InvalidMessage, "was cut", [&] { (void)reader.read(some); });
    expectFault(FaultCode::InvalidMessage, "was cut", [&] { (void)reader.next(); });
    CPPUNIT_ASSERT_EQUAL(2, body.reads);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MultipartReaderTest);

} // namespace
} // namespace waybill::soap
