// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <csignal>
#include <stdexcept>

namespace {

using namespace waybill;
using namespace waybill::transport;

const std::string get = "GET / HTTP/1.1\r\nHost: here\r\n";

/// Replies: framing, keep-alive, and what becomes of handlers that fail.
class ServerReplyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerReplyTest);
  CPPUNIT_TEST(wholeRepliesHaveLengthDateAndConnection);
  CPPUNIT_TEST(streamsHaveLengthOrChunks);
  CPPUNIT_TEST(streamsToHttp10EndWithTheConnection);
  CPPUNIT_TEST(largeStreamsComeWhole);
  CPPUNIT_TEST(headRepliesHaveNoBody);
  CPPUNIT_TEST(someStatusesHaveNoBody);
  CPPUNIT_TEST(connectionsAreKeptOrClosedAsAsked);
  CPPUNIT_TEST(handlersMayCloseTheConnection);
  CPPUNIT_TEST(failedHandlersAreAnswered500);
  CPPUNIT_TEST(failedStreamsAreCut);
  CPPUNIT_TEST(wrongLengthsAreCut);
  CPPUNIT_TEST(misusesOfAReplyAreFaults);
  CPPUNIT_TEST(malformedFieldsAreNotSent);
  CPPUNIT_TEST(failuresAfterTheReplyDoNotHarmIt);
  CPPUNIT_TEST(clientsThatGoAreNoticed);
  CPPUNIT_TEST_SUITE_END();

  static Reply ask(RawClient &client, const std::string &request, bool toHead = false) {
    CPPUNIT_ASSERT(client.send(request));
    return client.reply(toHead);
  }

public:
  void wholeRepliesHaveLengthDateAndConnection() {
    ServerLab lab([](Request &request, Response &response) {
      CPPUNIT_ASSERT(request.remote.starts_with("127.0.0.1:"));
      response.send(418, {{"Content-Type", "text/plain"}, {"Set-Cookie", "a"}, {"Set-Cookie", "b"}}, "short and stout");
    });
    RawClient client(lab.port());
    const auto reply = ask(client, get + "\r\n");
    CPPUNIT_ASSERT(reply.head.starts_with("HTTP/1.1 418 "));
    CPPUNIT_ASSERT_EQUAL(std::string("short and stout"), reply.body);
    CPPUNIT_ASSERT_EQUAL(std::string("15"), reply.field("Content-Length"));
    CPPUNIT_ASSERT_EQUAL(std::string("keep-alive"), reply.field("Connection"));
    CPPUNIT_ASSERT(reply.head.find("Set-Cookie: a\r\nSet-Cookie: b\r\n") != std::string::npos);
    const auto date = reply.field("Date");
    CPPUNIT_ASSERT_MESSAGE(date, date.size() == 29 && date.ends_with(" GMT") && date.substr(3, 2) == ", ");
  }

  void streamsHaveLengthOrChunks() {
    ServerLab lab([](Request &request, Response &response) {
      response.begin(200, {}, request.path == "/length" ? std::optional<std::uint64_t>(11) : std::nullopt);
      response.write(asBytes("one "));
      response.write({});
      response.write(asBytes("two "));
      response.write(asBytes("end"));
      response.end();
    });
    RawClient client(lab.port());
    auto reply = ask(client, "GET /length HTTP/1.1\r\nHost: here\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("11"), reply.field("Content-Length"));
    CPPUNIT_ASSERT_EQUAL(std::string("one two end"), reply.body);
    reply = ask(client, get + "\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("chunked"), reply.field("Transfer-Encoding"));
    CPPUNIT_ASSERT_EQUAL(std::string("one two end"), reply.body);
  }

  void streamsToHttp10EndWithTheConnection() {
    ServerLab lab([](Request &, Response &response) {
      response.begin(200, {}, std::nullopt);
      response.write(asBytes("to the end"));
      response.end();
    });
    RawClient client(lab.port());
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const Reply reply{200, client.readHead(), ""};
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT_EQUAL(std::string(), reply.field("Transfer-Encoding"));
    CPPUNIT_ASSERT_EQUAL(std::string("to the end"), client.readToEnd());
    CPPUNIT_ASSERT(client.isClosedInOrder());
  }

  void largeStreamsComeWhole() {
    std::string body(3'000'000, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) {
      body[i] = static_cast<char>(i * 7 + i / 1000);
    }
    ServerLab lab([&](Request &request, Response &response) {
      response.begin(200, {}, request.query.empty() ? std::nullopt : std::optional<std::uint64_t>(body.size()));
      // Pieces that end before, at and after the ends of records.
      std::size_t size = 1;
      for (std::size_t at = 0; at < body.size(); at += size, size = size * 3 % 300'007) {
        response.write(asBytes(body).subspan(at, std::min(size, body.size() - at)));
      }
      response.end();
    });
    RawClient client(lab.port());
    CPPUNIT_ASSERT(body == ask(client, get + "\r\n").body);
    CPPUNIT_ASSERT(body == ask(client, "GET /?length HTTP/1.1\r\nHost: here\r\n\r\n").body);
    const auto file = lab.folder().file("out");
    CPPUNIT_ASSERT_EQUAL(0, curl("-o " + file + " " + lab.url("/")).code);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uintmax_t>(body.size()), std::filesystem::file_size(file));
  }

  void headRepliesHaveNoBody() {
    ServerLab lab([](Request &request, Response &response) {
      if (request.path == "/stream") {
        response.begin(200, {}, 1'000'000);
        response.end();
      } else if (request.path == "/chunks") {
        response.begin(200, {}, std::nullopt);
        response.write(asBytes("ignored"));
        response.end();
      } else {
        response.send(200, {}, "ignored");
      }
    });
    RawClient client(lab.port());
    CPPUNIT_ASSERT_EQUAL(std::string("7"),
                         ask(client, "HEAD / HTTP/1.1\r\nHost: here\r\n\r\n", true).field("Content-Length"));
    CPPUNIT_ASSERT_EQUAL(std::string("1000000"),
                         ask(client, "HEAD /stream HTTP/1.1\r\nHost: here\r\n\r\n", true).field("Content-Length"));
    CPPUNIT_ASSERT_EQUAL(std::string("chunked"),
                         ask(client, "HEAD /chunks HTTP/1.1\r\nHost: here\r\n\r\n", true).field("Transfer-Encoding"));
    CPPUNIT_ASSERT_EQUAL(std::string("ignored"), ask(client, get + "\r\n").body);
  }

  void someStatusesHaveNoBody() {
    ServerLab lab([](Request &request, Response &response) {
      response.send(request.path == "/204" ? 204 : 304, {{"ETag", "\"x\""}}, "");
    });
    RawClient client(lab.port());
    for (const auto status : {204, 304}) {
      const auto reply = ask(client, "GET /" + std::to_string(status) + " HTTP/1.1\r\nHost: here\r\n\r\n");
      CPPUNIT_ASSERT_EQUAL(status, reply.status);
      CPPUNIT_ASSERT_EQUAL(std::string(), reply.field("Content-Length"));
      CPPUNIT_ASSERT_EQUAL(std::string("\"x\""), reply.field("ETag"));
    }
  }

  void connectionsAreKeptOrClosedAsAsked() {
    ServerLab lab([](Request &, Response &response) { response.send(200, {}, "ok"); });
    const auto kept = [&](const std::string &request) {
      RawClient client(lab.port());
      const auto said = ask(client, request).field("Connection");
      if (said == "close") {
        CPPUNIT_ASSERT(client.isClosedInOrder());
      } else {
        CPPUNIT_ASSERT_EQUAL(200, ask(client, request).status);
      }
      return said == "keep-alive";
    };
    CPPUNIT_ASSERT(kept(get + "\r\n"));
    CPPUNIT_ASSERT(!kept(get + "Connection: close\r\n\r\n"));
    CPPUNIT_ASSERT(!kept(get + "connection: TE, Close\r\n\r\n"));
    CPPUNIT_ASSERT(!kept("GET / HTTP/1.0\r\n\r\n"));
    CPPUNIT_ASSERT(kept("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    const auto result = curl("-w '%{num_connects} ' " + lab.url("/") + " " + lab.url("/") + " " + lab.url("/"));
    CPPUNIT_ASSERT_EQUAL(std::string("ok1 ok0 ok0 "), result.output);
  }

  void handlersMayCloseTheConnection() {
    ServerLab lab([](Request &, Response &response) { response.send(200, {{"connection", "Close"}}, "bye"); });
    RawClient client(lab.port());
    const auto reply = ask(client, get + "\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT_EQUAL(reply.head.find("onnection"), reply.head.rfind("onnection"));
    CPPUNIT_ASSERT(client.isClosedInOrder());
  }

  void failedHandlersAreAnswered500() {
    ServerLab lab([](Request &request, Response &response) {
      if (request.path == "/fault") {
        throw Fault(FaultCode::Internal, "the secret of the house", "x");
      }
      if (request.path == "/int") {
        throw 42; // NOLINT: whatever a handler throws
      }
      if (request.path == "/standard") {
        throw std::runtime_error("the secret of the house");
      }
      if (request.path == "/field") {
        response.send(200, {{"X", "a\r\nInjected: yes"}}, "");
      }
    });
    for (const std::string path : {"/fault", "/int", "/standard", "/field", "/nothing"}) {
      RawClient client(lab.port());
      const auto reply = ask(client, "GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(path, 500, reply.status);
      CPPUNIT_ASSERT_EQUAL(std::string("text/plain; charset=utf-8"), reply.field("Content-Type"));
      CPPUNIT_ASSERT(reply.body.find("secret") == std::string::npos);
      CPPUNIT_ASSERT_MESSAGE(path, client.isClosedInOrder());
      CPPUNIT_ASSERT_MESSAGE(lab.log(), lab.log().find("GET " + path + " from 127.0.0.1:") != std::string::npos);
    }
    CPPUNIT_ASSERT(lab.log().find("the secret of the house") != std::string::npos);
    CPPUNIT_ASSERT(lab.log().find("the handler gave no reply") != std::string::npos);
  }

  void failedStreamsAreCut() {
    ServerLab lab([](Request &request, Response &response) {
      response.begin(200, {}, request.path == "/length" ? std::optional<std::uint64_t>(100'000) : std::nullopt);
      response.write(asBytes(std::string(50'000, 'x')));
      if (request.path != "/silent") {
        throw std::runtime_error("the disk is on fire");
      }
    });
    for (const std::string path : {"/length", "/chunked", "/silent"}) {
      RawClient client(lab.port());
      client.send("GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n");
      const auto all = client.readToEnd();
      CPPUNIT_ASSERT(all.starts_with("HTTP/1.1 200 "));
      CPPUNIT_ASSERT(!all.ends_with("0\r\n\r\n"));
      CPPUNIT_ASSERT_MESSAGE(path, !client.isClosedInOrder());
      const auto result = curl("-o /dev/null " + lab.url(path));
      CPPUNIT_ASSERT_MESSAGE(path, result.code != 0);
    }
    CPPUNIT_ASSERT(lab.log().find("the disk is on fire") != std::string::npos);
    CPPUNIT_ASSERT(lab.log().find("left its reply unfinished") != std::string::npos);
  }

  void wrongLengthsAreCut() {
    ServerLab lab([](Request &request, Response &response) {
      response.begin(200, {}, 3);
      response.write(asBytes(request.path == "/long" ? "four" : "ab"));
      response.end();
    });
    for (const std::string path : {"/long", "/short"}) {
      RawClient client(lab.port());
      client.send("GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n");
      (void)client.readToEnd();
      CPPUNIT_ASSERT(!client.isClosedInOrder());
    }
    CPPUNIT_ASSERT(eventually([&] {
      return lab.log().find("longer than the length") != std::string::npos &&
             lab.log().find("shorter than the length") != std::string::npos;
    }));
  }

  void misusesOfAReplyAreFaults() {
    std::atomic<int> faults = 0;
    ServerLab lab([&](Request &, Response &response) {
      const auto fails = [&](const std::function<void()> &call) {
        try {
          call();
        } catch (const Fault &fault) {
          faults += fault.code() == FaultCode::Internal ? 1 : 0;
        }
      };
      fails([&] { response.write(asBytes("too early")); });
      fails([&] { response.end(); });
      CPPUNIT_ASSERT(!response.started());
      response.send(200, {}, "fine");
      CPPUNIT_ASSERT(response.started());
      fails([&] { response.send(200, {}, "again"); });
      fails([&] { response.write(asBytes("too late")); });
      fails([&] { response.end(); });
    });
    RawClient client(lab.port());
    CPPUNIT_ASSERT_EQUAL(std::string("fine"), ask(client, get + "\r\n").body);
    CPPUNIT_ASSERT_EQUAL(200, ask(client, get + "\r\n").status);
    // The client may have the reply before the handler has gone on.
    CPPUNIT_ASSERT(eventually([&] { return faults == 10; }));
  }

  void malformedFieldsAreNotSent() {
    const std::vector<std::pair<std::string, std::string>> fields{
        {"A", "b\r\nC: d"}, {"A", "b\nc"}, {"A", std::string("b\0c", 3)}, {"A: b\r\nC", "d"},
        {"", "x"},          {"A B", "x"},  {"Content-Length", "1"},       {"transfer-encoding", "chunked"}};
    std::size_t at = 0;
    ServerLab lab([&](Request &, Response &response) { response.send(200, {fields.at(at)}, "x"); });
    for (at = 0; at < fields.size(); ++at) {
      RawClient client(lab.port());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(fields[at].first, 500, ask(client, get + "\r\n").status);
    }
  }

  void failuresAfterTheReplyDoNotHarmIt() {
    ServerLab lab([](Request &, Response &response) {
      response.send(200, {}, "whole");
      throw std::runtime_error("too late to matter");
    });
    RawClient client(lab.port());
    CPPUNIT_ASSERT_EQUAL(std::string("whole"), ask(client, get + "\r\n").body);
    CPPUNIT_ASSERT(client.isClosedInOrder());
    CPPUNIT_ASSERT(lab.log().find("too late to matter") != std::string::npos);
  }

  void clientsThatGoAreNoticed() {
    // The server must not need this signal ignored.
    auto *before = std::signal(SIGPIPE, SIG_DFL);
    std::atomic<bool> thrown{false};
    ServerLab lab([&](Request &, Response &response) {
      response.begin(200, {}, std::nullopt);
      const std::string block(256 * 1024, 'x');
      try {
        for (int i = 0; i < 4000; ++i) {
          response.write(asBytes(block));
        }
      } catch (const Fault &fault) {
        thrown = fault.code() == FaultCode::InvalidMessage;
        throw;
      }
    });
    RawClient client(lab.port());
    client.send(get + "\r\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{100'000}, client.readBytes(100'000).size());
    client.cut();
    CPPUNIT_ASSERT(eventually([&] { return thrown.load(); }));
    CPPUNIT_ASSERT(lab.settlesAt(0));
    std::signal(SIGPIPE, before);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerReplyTest);

} // namespace
