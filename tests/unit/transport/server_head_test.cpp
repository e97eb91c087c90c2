// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>

namespace {

using namespace waybill;
using namespace waybill::transport;

constexpr std::string_view host = "Host: here\r\n";

/// Heads: what is refused before any handler, and what a handler gets to see of the others.
class ServerHeadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerHeadTest);
  CPPUNIT_TEST(malformedHeadsAreRefused);
  CPPUNIT_TEST(ambiguousFramingIsRefused);
  CPPUNIT_TEST(unambiguousFramingIsTaken);
  CPPUNIT_TEST(largeHeadsAreRefused);
  CPPUNIT_TEST(versionsAreChecked);
  CPPUNIT_TEST(expectationsAreChecked);
  CPPUNIT_TEST(targetsAreDecoded);
  CPPUNIT_TEST(badTargetsAreRefused);
  CPPUNIT_TEST(fieldsOfOneNameKeepTheirOrder);
  CPPUNIT_TEST(headsMayComeByteByByte);
  CPPUNIT_TEST(malformedHeadsMayComeByteByByte);
  CPPUNIT_TEST(emptyLinesBeforeAHeadAreSkipped);
  CPPUNIT_TEST_SUITE_END();

  std::atomic<int> calls_{0};

  ServerLab echo() {
    return ServerLab([this](Request &request, Response &response) {
      ++calls_;
      std::string fields;
      for (const auto &[name, value] : request.headers.all()) {
        fields += name + "=" + value + ";";
      }
      response.send(200, {{"Content-Type", "text/plain"}},
                    request.method + "|" + request.path + "|" + request.query + "|" + fields + "|" +
                        (request.http10 ? "1.0" : "1.1") + "|" + bodyOf(request));
    });
  }

  /// A refusal that reaches the client whole, closes the connection and comes before any handler.
  void refuses(const ServerLab &lab, int status, const std::string &request) {
    const auto before = calls_.load();
    RawClient client(lab.port());
    CPPUNIT_ASSERT(client.send(request));
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(request, status, reply.status);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(request, std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT_MESSAGE(request, !reply.body.empty());
    CPPUNIT_ASSERT_MESSAGE(request, client.isClosedInOrder());
    CPPUNIT_ASSERT_EQUAL_MESSAGE(request, before, calls_.load());
  }

  static std::string answer(const ServerLab &lab, const std::string &request) {
    RawClient client(lab.port());
    CPPUNIT_ASSERT(client.send(request));
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(request + reply.body, 200, reply.status);
    return reply.body;
  }

public:
  void malformedHeadsAreRefused() {
    const auto lab = echo();
    const std::string line = "GET / HTTP/1.1\r\n";
    refuses(lab, 400, std::string("GET /a\0b HTTP/1.1\r\nHost: here\r\n\r\n", 33));
    refuses(lab, 400, "\x16\x03\x01 junk\r\n\r\n");
    refuses(lab, 400, "G@T / HTTP/1.1\r\nHost: here\r\n\r\n");
    refuses(lab, 400, line + "Host : here\r\n\r\n");
    refuses(lab, 400, line + "Ho st: here\r\n\r\n");
    refuses(lab, 400, line + ": here\r\n\r\n");
    refuses(lab, 400, line + "Host\r\n\r\n");
    refuses(lab, 400, line + std::string("Host: he\0re\r\n\r\n", 15));
    refuses(lab, 400, line + "Host: here\r\nX: a\r\n b\r\n\r\n");
    refuses(lab, 400, line + "Host: here\r\nX: a\r\n\tb\r\n\r\n");
    refuses(lab, 400, line + " Host: here\r\n\r\n");
    refuses(lab, 400, line + "Host: here\n\r\n");
    refuses(lab, 400, "GET / HTTP/1.1\nHost: here\n\n");
    refuses(lab, 400, "GET / HTTP/1.1\n");
    refuses(lab, 400, line + "X: no host\r\n\r\n");
    refuses(lab, 400, line + "Host: here\r\nHost: there\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{16}, lab.refused("bad-request"));
  }

  void ambiguousFramingIsRefused() {
    const auto lab = echo();
    const auto post = "POST / HTTP/1.1\r\n" + std::string(host);
    const std::string chunks = "\r\n3\r\nabc\r\n0\r\n\r\n";
    refuses(lab, 400, post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" + chunks);
    refuses(lab, 400, post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n" + chunks);
    refuses(lab, 400, post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: 3, 3\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: -3\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: +3\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: 0x3\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: 3 3\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length:\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: 18446744073709551616\r\n\r\nabc");
    refuses(lab, 400, post + "Content-Length: 1\r\n 0\r\n\r\nabc");
    refuses(lab, 400, post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + chunks);
    refuses(lab, 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + chunks);
    refuses(lab, 501, post + "Transfer-Encoding: gzip, chunked\r\n" + chunks);
    refuses(lab, 501, post + "Transfer-Encoding: chunked, gzip\r\n" + chunks);
    refuses(lab, 501, post + "Transfer-Encoding: identity\r\n" + chunks);
    refuses(lab, 501, post + "Transfer-Encoding: xchunked\r\n" + chunks);
    refuses(lab, 501, post + "Transfer-Encoding: \"chunked\"\r\n" + chunks);
    refuses(lab, 501, post + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n" + chunks);
    refuses(lab, 411, post + "\r\n");
    refuses(lab, 411, "PUT / HTTP/1.1\r\n" + std::string(host) + "\r\n");
  }

  void unambiguousFramingIsTaken() {
    const auto lab = echo();
    const auto post = "POST / HTTP/1.1\r\n" + std::string(host);
    CPPUNIT_ASSERT(answer(lab, post + "Content-Length: 3\r\n\r\nabc").ends_with("|abc"));
    CPPUNIT_ASSERT(answer(lab, post + "content-length:3\r\n\r\nabc").ends_with("|abc"));
    CPPUNIT_ASSERT(answer(lab, post + "Content-Length: 0\r\n\r\n").ends_with("1.1|"));
    CPPUNIT_ASSERT(answer(lab, post + "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").ends_with("|abc"));
    CPPUNIT_ASSERT(
        answer(lab, "GET / HTTP/1.1\r\n" + std::string(host) + "Content-Length: 2\r\n\r\nhi").ends_with("|hi"));
    CPPUNIT_ASSERT(answer(lab, "DELETE / HTTP/1.1\r\n" + std::string(host) + "\r\n").ends_with("1.1|"));
  }

  void largeHeadsAreRefused() {
    ServerLab lab([](Request &, Response &response) { response.send(200, {}, "ok"); },
                  [](ServerOptions &options) { options.headBytes = 4096; });
    const auto start = "GET / HTTP/1.1\r\n" + std::string(host);
    refuses(lab, 431, start + "X: " + std::string(5000, 'x') + "\r\n\r\n");
    refuses(lab, 431, "GET /" + std::string(5000, 'x') + " HTTP/1.1\r\n\r\n");
    refuses(lab, 431, start + "X: " + std::string(20'000, 'x'));
    std::string many = start;
    while (many.size() < 5000) {
      many += "X: y\r\n";
    }
    refuses(lab, 431, many + "\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), answer(lab, start + "X: " + std::string(4000, 'x') + "\r\n\r\n"));
  }

  void versionsAreChecked() {
    const auto lab = echo();
    refuses(lab, 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    refuses(lab, 505, "GET / HTTP/1.2\r\nHost: here\r\n\r\n");
    refuses(lab, 505, "GET / HTTP/0.9\r\n\r\n");
    refuses(lab, 505, "GET / RTSP/1.0\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("GET|/|||1.0|"), answer(lab, "GET / HTTP/1.0\r\n\r\n"));
  }

  void expectationsAreChecked() {
    const auto lab = echo();
    refuses(lab, 417, "POST / HTTP/1.1\r\nHost: here\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na");
    CPPUNIT_ASSERT_EQUAL(std::string("POST|/||Expect=tea;Content-Length=1;|1.0|a"),
                         answer(lab, "POST / HTTP/1.0\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na"));
  }

  void targetsAreDecoded() {
    const auto lab = echo();
    const auto seen = [&](const std::string &target) {
      const auto text = answer(lab, "GET " + target + " HTTP/1.1\r\nHost: here\r\n\r\n");
      return text.substr(4, text.find("|Host=") - 4);
    };
    CPPUNIT_ASSERT_EQUAL(std::string("/a b/\xc3\xa4|"), seen("/a%20b/%C3%a4"));
    CPPUNIT_ASSERT_EQUAL(std::string("/a+b|x=%20&y"), seen("/a+b?x=%20&y"));
    CPPUNIT_ASSERT_EQUAL(std::string("/?|"), seen("/%3f"));
    CPPUNIT_ASSERT_EQUAL(std::string("/../x|"), seen("/%2e%2E/x"));
    CPPUNIT_ASSERT_EQUAL(std::string("/p|q"), seen("https://elsewhere:1/p?q"));
    CPPUNIT_ASSERT_EQUAL(std::string("/|"), seen("http://elsewhere"));
    CPPUNIT_ASSERT_EQUAL(std::string("/|q"), seen("HTTP://elsewhere?q"));
    CPPUNIT_ASSERT_EQUAL(std::string("*|"), seen("*"));
    CPPUNIT_ASSERT_EQUAL(std::string("/|a?b"), seen("/?a?b"));
  }

  void badTargetsAreRefused() {
    const auto lab = echo();
    for (const auto *target : {"/%00", "/a%", "/a%2", "/a%zz", "a", "?a", "ftp://x/y", "here:443", "/a#b"}) {
      refuses(lab, 400, "GET " + std::string(target) + " HTTP/1.1\r\nHost: here\r\n\r\n");
    }
  }

  void fieldsOfOneNameKeepTheirOrder() {
    const auto lab = echo();
    CPPUNIT_ASSERT_EQUAL(
        std::string("GET|/||B=1;B=3;Host=here;a=2;E=;F=\xff;|1.1|"),
        answer(lab, "GET / HTTP/1.1\r\nB: 1\r\nHost: here\r\na:2\t\r\nB:  3\r\nE:\r\nF: \xff\r\n\r\n"));
  }

  void headsMayComeByteByByte() {
    const auto lab = echo();
    RawClient client(lab.port());
    for (const char byte : std::string("POST /x HTTP/1.1\r\nHost: h\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                                       "3\r\nabc\r\n0\r\n\r\n")) {
      CPPUNIT_ASSERT(client.send({&byte, 1}));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("POST|/x||Host=h;A=b;Transfer-Encoding=chunked;|1.1|abc"), client.reply().body);
  }

  void malformedHeadsMayComeByteByByte() {
    const auto lab = echo();
    for (const std::string head :
         {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: h\n", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"}) {
      RawClient client(lab.port());
      for (const char byte : head) {
        CPPUNIT_ASSERT(client.send({&byte, 1}));
      }
      CPPUNIT_ASSERT_EQUAL_MESSAGE(head, 400, client.reply().status);
    }
  }

  void emptyLinesBeforeAHeadAreSkipped() {
    const auto lab = echo();
    CPPUNIT_ASSERT_EQUAL(std::string("GET|/|||1.0|"), answer(lab, "\r\n\r\nGET / HTTP/1.0\r\n\r\n"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerHeadTest);

} // namespace
