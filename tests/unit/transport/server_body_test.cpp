// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>

namespace {

using namespace waybill;
using namespace waybill::transport;

const std::string post = "POST /x HTTP/1.1\r\nHost: here\r\n";

/// Request bodies: framing taken off, cut ones noticed, refused ones not waited for.
class ServerBodyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerBodyTest);
  CPPUNIT_TEST(lengthAndSizeAreTold);
  CPPUNIT_TEST(chunksAreJoined);
  CPPUNIT_TEST(brokenChunksAreAFault);
  CPPUNIT_TEST(endlessChunkLinesAreAFault);
  CPPUNIT_TEST(cutBodiesAreAFault);
  CPPUNIT_TEST(failedBodiesStayFailed);
  CPPUNIT_TEST(largeBodiesComeWhole);
  CPPUNIT_TEST(curlUploadsBothWays);
  CPPUNIT_TEST(continueIsSaidWhenTheBodyIsRead);
  CPPUNIT_TEST(continueIsNotSaidToARefusedRequest);
  CPPUNIT_TEST(continueIsNotSaidAfterTheReplyBegan);
  CPPUNIT_TEST(pipelinedRequestsAreAnsweredInOrder);
  CPPUNIT_TEST(littleThatWasNotReadKeepsTheConnection);
  CPPUNIT_TEST(muchThatWasNotReadClosesTheConnection);
  CPPUNIT_TEST(repliesMayBeginBeforeTheBodyIsRead);
  CPPUNIT_TEST(http10BodiesEndWithTheConnection);
  CPPUNIT_TEST(http10BodiesThatAreCutAreNotProcessed);
  CPPUNIT_TEST(http10MultipartsMayBeLongerThanTheySay);
  CPPUNIT_TEST(recordedRequestOfAxisIsReadToItsEnd);
  CPPUNIT_TEST_SUITE_END();

  std::mutex mutex_;
  std::string fault_;

  /// Answers with the body; what reading it threw is kept, and thrown on.
  ServerLab echo() {
    return ServerLab([this](Request &request, Response &response) {
      try {
        const auto size = request.body->size();
        const auto body = bodyOf(request);
        response.send(200, {{"X-Size", size ? std::to_string(*size) : "unknown"}}, body);
      } catch (const Fault &fault) {
        const std::lock_guard lock(mutex_);
        fault_ = fault.what();
        throw;
      }
    });
  }
  std::string fault() {
    const std::lock_guard lock(mutex_);
    return fault_;
  }

  static std::string chunked(const std::string &chunks) { return post + "Transfer-Encoding: chunked\r\n\r\n" + chunks; }
  static std::string repeated(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = static_cast<char>(i * 31 + i / 4096);
    }
    return text;
  }

public:
  void lengthAndSizeAreTold() {
    const auto lab = echo();
    RawClient client(lab.port());
    client.send(post + "Content-Length: 5\r\n\r\nhello");
    auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), reply.body);
    CPPUNIT_ASSERT_EQUAL(std::string("5"), reply.field("X-Size"));
    client.send("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(std::string("0"), reply.field("X-Size"));
    CPPUNIT_ASSERT(reply.body.empty());
  }

  void chunksAreJoined() {
    const auto lab = echo();
    RawClient client(lab.port());
    for (const auto &[chunks, body] : std::vector<std::pair<std::string, std::string>>{
             {"0\r\n\r\n", ""},
             {"3\r\nabc\r\n0\r\n\r\n", "abc"},
             {"3;name=value\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", "abc0123456789"},
             {"1\r\n\r\r\n2\r\n\n0\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n", "\r\n0"}}) {
      CPPUNIT_ASSERT(client.send(chunked(chunks)));
      const auto reply = client.reply();
      CPPUNIT_ASSERT_EQUAL(200, reply.status);
      CPPUNIT_ASSERT_EQUAL(body, reply.body);
      CPPUNIT_ASSERT_EQUAL(std::string("unknown"), reply.field("X-Size"));
    }
  }

  void brokenChunksAreAFault() {
    const auto lab = echo();
    for (const std::string chunks :
         {"x\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n",
          "10000000000000003\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "0\r\nContent-Length: 3\r\n\r\n"}) {
      RawClient client(lab.port());
      CPPUNIT_ASSERT(client.send(chunked(chunks)));
      const auto reply = client.reply();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(chunks, 400, reply.status);
      CPPUNIT_ASSERT_MESSAGE(chunks, client.isClosedInOrder());
      CPPUNIT_ASSERT_MESSAGE(fault(), fault().find("InvalidMessage: the chunked framing") == 0);
    }
  }

  void endlessChunkLinesAreAFault() {
    const auto lab = echo();
    for (const std::string start : {"3;", "0\r\nA: "}) {
      RawClient client(lab.port());
      client.send(chunked(start));
      for (int i = 0; i < 64 && client.send(std::string(16'000, 'x')); ++i) {
      }
      CPPUNIT_ASSERT_EQUAL(400, client.reply().status);
      CPPUNIT_ASSERT_MESSAGE(fault(), fault().find("the chunked framing of the request") != std::string::npos);
    }
  }

  void cutBodiesAreAFault() {
    const auto lab = echo();
    {
      RawClient orderly(lab.port());
      orderly.send(post + "Content-Length: 1000\r\n\r\n" + std::string(400, 'x'));
      orderly.closeNotify();
      CPPUNIT_ASSERT(eventually([&] { return fault().find("cut after 400 of 1000 bytes") != std::string::npos; }));
    }
    {
      // A reset may overtake the request, which then no handler sees; nothing may stay behind.
      RawClient reset(lab.port());
      reset.send(post + "Content-Length: 1000\r\n\r\n" + std::string(400, 'x'));
      reset.cut();
    }
    {
      RawClient client(lab.port());
      client.send(chunked("5\r\nabc"));
      client.closeNotify();
      CPPUNIT_ASSERT(eventually([&] { return fault().find("cut after 3 bytes, before") != std::string::npos; }));
      CPPUNIT_ASSERT_EQUAL(400, client.reply().status);
    }
    CPPUNIT_ASSERT(lab.settlesAt(0));
  }

  void failedBodiesStayFailed() {
    std::string second;
    ServerLab lab([&](Request &request, Response &response) {
      try {
        (void)bodyOf(request);
      } catch (const Fault &) {
        try {
          (void)bodyOf(request);
        } catch (const Fault &fault) {
          response.send(422, {}, fault.reason());
        }
      }
    });
    RawClient client(lab.port());
    client.send(chunked("nonsense\r\n"));
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(422, reply.status);
    CPPUNIT_ASSERT(reply.body.find("has failed before") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
  }

  void largeBodiesComeWhole() {
    const auto lab = echo();
    const auto body = repeated(5'000'000);
    RawClient client(lab.port());
    client.send(post + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    client.send(body);
    CPPUNIT_ASSERT(body == client.reply().body);
    client.send(chunked(""));
    for (std::size_t at = 0; at < body.size(); at += 70'000) {
      const auto piece = body.substr(at, 70'000);
      std::ostringstream size;
      size << std::hex << piece.size();
      client.send(size.str() + "\r\n" + piece + "\r\n");
    }
    client.send("0\r\n\r\n");
    CPPUNIT_ASSERT(body == client.reply().body);
  }

  void curlUploadsBothWays() {
    const auto lab = echo();
    const auto file = lab.folder().file("in");
    const auto copy = lab.folder().file("out");
    const auto body = repeated(3'000'001);
    std::ofstream(file, std::ios::binary) << body;
    for (const auto &how :
         {"-T " + file, "-T - < " + file, "-H 'Expect:' -T " + file,
          "-H 'Expect: 100-continue' --expect100-timeout 20 -X POST --data-binary @" + file, "-0 -T " + file}) {
      const auto result = curl("-f -o " + copy + " -w '%{http_code}' " + lab.url("/x") + " " + how);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(how + result.output, 0, result.code);
      CPPUNIT_ASSERT_EQUAL(std::string("200"), result.output);
      std::ifstream got(copy, std::ios::binary);
      CPPUNIT_ASSERT_MESSAGE(how, body == std::string(std::istreambuf_iterator<char>(got), {}));
    }
  }

  void continueIsSaidWhenTheBodyIsRead() {
    const auto lab = echo();
    RawClient client(lab.port());
    client.send(post + "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("HTTP/1.1 100 Continue\r\n\r\n"), client.readHead());
    client.send("abc");
    CPPUNIT_ASSERT_EQUAL(std::string("abc"), client.reply().body);
    // Who does not wait needs no telling.
    client.send(post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
  }

  void continueIsNotSaidToARefusedRequest() {
    ServerLab lab([](Request &, Response &response) { response.send(403, {}, "no"); });
    RawClient client(lab.port());
    client.send(post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(403, reply.status);
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT(client.isClosedInOrder());
  }

  void continueIsNotSaidAfterTheReplyBegan() {
    ServerLab lab([](Request &request, Response &response) {
      response.begin(200, {}, std::nullopt);
      response.write(asBytes("abc"));
      (void)bodyOf(request);
      response.end();
    });
    RawClient client(lab.port());
    client.send(post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    CPPUNIT_ASSERT(client.readToEnd().find("100 Continue") == std::string::npos);
    CPPUNIT_ASSERT(eventually([&] { return lab.log().find("after the reply had begun") != std::string::npos; }));
  }

  void pipelinedRequestsAreAnsweredInOrder() {
    const auto lab = echo();
    RawClient client(lab.port());
    std::string all;
    for (int i = 0; i < 20; ++i) {
      const auto body = "body " + std::to_string(i);
      all += post + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      all += chunked("2\r\n" + std::to_string(10 + i) + "\r\n0\r\n\r\n");
    }
    client.send(all);
    for (int i = 0; i < 20; ++i) {
      CPPUNIT_ASSERT_EQUAL("body " + std::to_string(i), client.reply().body);
      CPPUNIT_ASSERT_EQUAL(std::to_string(10 + i), client.reply().body);
    }
    CPPUNIT_ASSERT(lab.settlesAt(1));
  }

  void littleThatWasNotReadKeepsTheConnection() {
    ServerLab lab([](Request &, Response &response) { response.send(403, {}, "no"); });
    RawClient client(lab.port());
    for (const auto &request : {post + "Content-Length: 100000\r\n\r\n" + std::string(100'000, 'x'),
                                chunked("186a0\r\n" + std::string(100'000, 'x') + "\r\n0\r\n\r\n")}) {
      client.send(request);
      const auto reply = client.reply();
      CPPUNIT_ASSERT_EQUAL(403, reply.status);
      CPPUNIT_ASSERT_EQUAL(std::string("keep-alive"), reply.field("Connection"));
    }
    client.send("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(403, client.reply().status);
  }

  void muchThatWasNotReadClosesTheConnection() {
    ServerLab lab([](Request &, Response &response) { response.send(403, {}, "you may not"); });
    const auto file = lab.folder().file("large");
    std::ofstream(file).close();
    std::filesystem::resize_file(file, 200 * 1024 * 1024);
    for (const auto &how : {"-T " + file, "-H 'Expect:' -T " + file, "-H 'Expect:' -T - < " + file}) {
      const auto result = curl(lab.url("/x") + " -w ' %{http_code} %{size_upload}' " + how);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(how + result.output, 0, result.code);
      CPPUNIT_ASSERT_MESSAGE(result.output, result.output.find("you may not 403 ") == 0);
      CPPUNIT_ASSERT_MESSAGE(result.output, std::stoul(result.output.substr(16)) < 100 * 1024 * 1024);
    }
    CPPUNIT_ASSERT(lab.settlesAt(0));
  }

  void repliesMayBeginBeforeTheBodyIsRead() {
    ServerLab lab([](Request &request, Response &response) {
      response.begin(200, {}, std::nullopt);
      copyAll(*request.body, response);
      response.end();
    });
    const auto body = repeated(300'000);
    RawClient client(lab.port());
    std::ostringstream size;
    size << std::hex << body.size();
    client.send(chunked(size.str() + "\r\n" + body + "\r\n0\r\n\r\n"));
    CPPUNIT_ASSERT(body == client.reply().body);
  }

  void http10BodiesEndWithTheConnection() {
    const auto lab = echo();
    RawClient client(lab.port());
    client.send("POST / HTTP/1.0\r\n\r\nall of");
    client.send(" this");
    client.closeNotify();
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(std::string("all of this"), reply.body);
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT(client.isClosedInOrder());
  }

  void http10BodiesThatAreCutAreNotProcessed() {
    std::atomic<int> called = 0;
    std::atomic<int> processed = 0;
    ServerLab lab([&](Request &request, Response &response) {
      ++called;
      const auto body = bodyOf(request);
      ++processed;
      response.send(200, {}, body);
    });
    RawClient client(lab.port());
    client.send("POST /x HTTP/1.0\r\n\r\nall of");
    client.hangUp();
    // No reply can go out on it, so the log alone says why.
    CPPUNIT_ASSERT(eventually([&] { return lab.log().find("POST /x from ") != std::string::npos; }));
    CPPUNIT_ASSERT_MESSAGE(lab.log(), lab.log().find("cut after 6 bytes: the connection ended without TLS "
                                                     "close_notify") != std::string::npos);
    CPPUNIT_ASSERT(lab.settlesAt(0));
    CPPUNIT_ASSERT_EQUAL(1, called.load());
    CPPUNIT_ASSERT_EQUAL(0, processed.load());
  }

  void http10MultipartsMayBeLongerThanTheySay() {
    ServerLab lab([](Request &request, Response &response) {
      // Until the closing boundary, as a reader of multiparts does; the client waits and does not close.
      std::string body;
      Bytes block(4096);
      while (!body.ends_with("--b--\r\n")) {
        const auto got = request.body->read(block);
        body += asText(ByteView(block).first(got));
      }
      response.send(200, {}, body);
    });
    RawClient client(lab.port());
    const std::string body = "Date: not counted\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
    client.send("POST / HTTP/1.0\r\nContent-Type: Multipart/Related; boundary=b\r\nContent-Length: 10\r\n\r\n" +
                body.substr(0, 12));
    client.send(body.substr(12));
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(body, reply.body);
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT(client.isClosedInOrder());
  }

  void recordedRequestOfAxisIsReadToItsEnd() {
    const auto lab = echo();
    std::ifstream file(std::string(WAYBILL_SOURCE_DIR) + "/tests/captures/axis1.http", std::ios::binary);
    const std::string request(std::istreambuf_iterator<char>(file), {});
    CPPUNIT_ASSERT(request.size() > 900);
    RawClient client(lab.port());
    client.send(request);
    client.closeNotify();
    CPPUNIT_ASSERT_EQUAL(request.substr(request.find("\r\n\r\n") + 4), client.reply().body);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerBodyTest);

} // namespace
