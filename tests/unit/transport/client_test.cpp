// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/client.hpp"

#include "transport/tls_peer.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace {

using namespace waybill;
using namespace waybill::transport;

constexpr std::uint64_t mebibyte = 1024 * 1024;

char patternAt(std::uint64_t position) { return static_cast<char>('a' + (position * 7 + position / 4096) % 26); }

/// A long body without a file; its length told or not.
class PatternSource final : public Source {
public:
  PatternSource(std::uint64_t length, bool told, std::size_t piece = copyBlock)
      : length_(length), told_(told), piece_(piece) {}
  std::size_t read(std::span<std::byte> into) override {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>({into.size(), length_ - at_, piece_}));
    for (std::size_t i = 0; i < count; ++i) {
      into[i] = static_cast<std::byte>(patternAt(at_ + i));
    }
    at_ += count;
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    return told_ ? std::optional(length_) : std::nullopt;
  }
  [[nodiscard]] std::uint64_t given() const { return at_; }

private:
  std::uint64_t length_;
  bool told_;
  std::size_t piece_;
  std::uint64_t at_ = 0;
};

/// Breaks in the middle.
class BrokenSource final : public Source {
public:
  std::size_t read(std::span<std::byte> into) override {
    if (++reads_ > 3) {
      throw Fault(FaultCode::Internal, "the disk is on fire", "x.bin");
    }
    std::fill(into.begin(), into.end(), std::byte{'x'});
    return into.size();
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return 512 * mebibyte; }

private:
  int reads_ = 0;
};

/// Says it is longer than it is.
class ShortSource final : public Source {
public:
  std::size_t read(std::span<std::byte> into) override { return view_.read(into); }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return 100; }

private:
  ViewSource view_{asBytes("too short")};
};

std::string pattern(std::uint64_t length) {
  std::string text(length, '\0');
  for (std::uint64_t i = 0; i < length; ++i) {
    text[i] = patternAt(i);
  }
  return text;
}

/// The body of a chunked request.
std::string readChunked(Conversation &conversation) {
  std::string body;
  for (;;) {
    std::string line;
    while (!line.ends_with("\r\n")) {
      const auto more = conversation.readBytes(1);
      if (more.empty()) {
        return body;
      }
      line += more;
    }
    const auto length = std::strtoul(line.c_str(), nullptr, 16);
    body += conversation.readBytes(length);
    static_cast<void>(conversation.readBytes(2));
    if (length == 0) {
      return body;
    }
  }
}

std::string headOf(int status, std::size_t length, const std::string &more = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " Word\r\nContent-Length: " + std::to_string(length) + "\r\n" + more +
         "\r\n";
}

ClientRequest request(const TlsPeer &peer, std::string method = "GET", Source *body = nullptr) {
  ClientRequest result;
  result.method = std::move(method);
  result.url = peer.url("thing?x=1");
  result.headers.add("X-Asked", "yes");
  result.body = body;
  result.peer.pinnedKey = peer.pin();
  return result;
}

std::string bodyOf(ClientResponse &response) { return readAll(*response.body, 64 * mebibyte, "test reply"); }

/// What perform() throws; fails when it throws nothing.
DeliveryFault faultOf(Client &client, const ClientRequest &request) {
  try {
    auto response = client.perform(request);
    static_cast<void>(bodyOf(response));
  } catch (const DeliveryFault &fault) {
    return fault;
  }
  throw std::runtime_error("no fault where one is due");
}

bool mentions(const Fault &fault, const std::string &text) { return fault.reason().find(text) != std::string::npos; }

class ClientTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClientTest);
  CPPUNIT_TEST(getsBodyAndHeaders);
  CPPUNIT_TEST(keepsTheConnection);
  CPPUNIT_TEST(sendsLongBodyWithLength);
  CPPUNIT_TEST(sendsBodyOfUnknownLengthChunked);
  CPPUNIT_TEST(waitsForContinueAboveAMebibyteOnly);
  CPPUNIT_TEST(refusalInsteadOfContinueCostsNoBody);
  CPPUNIT_TEST(earlyRefusalIsReadThoughTheServerCutsTheUpload);
  CPPUNIT_TEST(cutUploadWithoutReplyIsAFault);
  CPPUNIT_TEST(headHasLengthButNoBody);
  CPPUNIT_TEST(streamsLongReply);
  CPPUNIT_TEST(replyDroppedUnreadLeavesTheClientUsable);
  CPPUNIT_TEST(bodysOwnErrorIsThrown);
  CPPUNIT_TEST(bodyShorterThanPromised);
  CPPUNIT_TEST(truncatedReply);
  CPPUNIT_TEST(truncatedChunkedReply);
  CPPUNIT_TEST(otherKeyIsRefused);
  CPPUNIT_TEST(unknownAuthorityIsRefused);
  CPPUNIT_TEST(httpIsRefused);
  CPPUNIT_TEST(refusedConnection);
  CPPUNIT_TEST(redirectIsGivenBackNotFollowed);
  CPPUNIT_TEST(noProxyFromTheEnvironment);
  CPPUNIT_TEST(stalledServer);
  CPPUNIT_TEST(headerInjectionIsRefused);
  CPPUNIT_TEST(showsCertificate);
  CPPUNIT_TEST_SUITE_END();

public:
  void getsBodyAndHeaders() {
    std::string head;
    TlsPeer peer([&](Conversation &c) {
      head = c.readHead();
      c.write("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" +
              headOf(200, 5, "X-Answer:  42 \r\nX-Two: a\r\nx-two: b\r\n") + "hello");
    });
    Client client;
    auto response = client.perform(request(peer));
    CPPUNIT_ASSERT_EQUAL(200, response.status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, response.headers.all().size());
    CPPUNIT_ASSERT_EQUAL(std::string("X-Answer"), response.headers.all()[1].first);
    CPPUNIT_ASSERT_EQUAL(std::string("42"), response.headers.all()[1].second);
    CPPUNIT_ASSERT(response.body->size() == std::optional<std::uint64_t>(5));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), bodyOf(response));
    CPPUNIT_ASSERT(head.starts_with("GET /thing?x=1 HTTP/1.1\r\n"));
    CPPUNIT_ASSERT(head.find("\r\nX-Asked: yes\r\n") != std::string::npos);
  }

  void keepsTheConnection() {
    TlsPeer peer([&](Conversation &c) {
      while (!c.readHead().empty()) {
        c.write(headOf(200, 2) + "ok");
      }
    });
    Client client;
    for (int i = 0; i < 5; ++i) {
      auto response = client.perform(request(peer));
      CPPUNIT_ASSERT_EQUAL(std::string("ok"), bodyOf(response));
    }
    CPPUNIT_ASSERT_EQUAL(1, peer.connections());
  }

  void sendsLongBodyWithLength() {
    std::string head;
    std::string got;
    TlsPeer peer([&](Conversation &c) {
      head = c.readHead();
      c.write("HTTP/1.1 100 Continue\r\n\r\n");
      got = c.readBytes(8 * mebibyte + 17);
      c.write(headOf(201, 0));
    });
    Client client;
    PatternSource body(8 * mebibyte + 17, true);
    auto response = client.perform(request(peer, "POST", &body));
    CPPUNIT_ASSERT_EQUAL(201, response.status);
    CPPUNIT_ASSERT_EQUAL(std::string(), bodyOf(response));
    CPPUNIT_ASSERT(head.starts_with("POST "));
    CPPUNIT_ASSERT(head.find("\r\nContent-Length: 8388625\r\n") != std::string::npos);
    CPPUNIT_ASSERT(head.find("chunked") == std::string::npos);
    CPPUNIT_ASSERT(got == pattern(8 * mebibyte + 17));
  }

  void sendsBodyOfUnknownLengthChunked() {
    std::string head;
    std::string got;
    TlsPeer peer([&](Conversation &c) {
      head = c.readHead();
      c.write("HTTP/1.1 100 Continue\r\n\r\n");
      got = readChunked(c);
      c.write(headOf(200, 0));
    });
    Client client;
    PatternSource body(3 * mebibyte + 5, false, 777);
    auto response = client.perform(request(peer, "PUT", &body));
    CPPUNIT_ASSERT_EQUAL(200, response.status);
    CPPUNIT_ASSERT(head.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
    CPPUNIT_ASSERT(got == pattern(3 * mebibyte + 5));
  }

  void waitsForContinueAboveAMebibyteOnly() {
    std::string small;
    std::string large;
    TlsPeer peer([&](Conversation &c) {
      small = c.readHead();
      c.readBytes(mebibyte);
      c.write(headOf(200, 0));
      large = c.readHead();
      c.write("HTTP/1.1 100 Continue\r\n\r\n");
      c.readBytes(mebibyte + 1);
      c.write(headOf(200, 0));
    });
    Client client;
    PatternSource one(mebibyte, true);
    CPPUNIT_ASSERT_EQUAL(200, client.perform(request(peer, "POST", &one)).status);
    PatternSource two(mebibyte + 1, true);
    CPPUNIT_ASSERT_EQUAL(200, client.perform(request(peer, "POST", &two)).status);
    CPPUNIT_ASSERT(small.find("Expect") == std::string::npos);
    CPPUNIT_ASSERT(large.find("\r\nExpect: 100-continue\r\n") != std::string::npos);
  }

  void refusalInsteadOfContinueCostsNoBody() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write(headOf(403, 7) + "refused");
    });
    Client client;
    PatternSource body(512 * mebibyte, true);
    auto response = client.perform(request(peer, "POST", &body));
    CPPUNIT_ASSERT_EQUAL(403, response.status);
    CPPUNIT_ASSERT_EQUAL(std::string("refused"), bodyOf(response));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, body.given());
  }

  void earlyRefusalIsReadThoughTheServerCutsTheUpload() {
    // Closing with bytes unread resets the connection while the client is still writing.
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write("HTTP/1.1 100 Continue\r\n\r\n");
      c.readBytes(100'000);
      c.write(headOf(403, 7) + "refused");
    });
    Client client;
    for (int i = 0; i < 50; ++i) {
      PatternSource body(256 * mebibyte, true);
      auto response = client.perform(request(peer, "POST", &body));
      CPPUNIT_ASSERT_EQUAL(403, response.status);
      CPPUNIT_ASSERT_EQUAL(std::string("refused"), bodyOf(response));
      CPPUNIT_ASSERT(body.given() < 256 * mebibyte);
    }
  }

  void cutUploadWithoutReplyIsAFault() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write("HTTP/1.1 100 Continue\r\n\r\n");
      c.readBytes(100'000);
      c.cut();
    });
    Client client;
    for (int i = 0; i < 10; ++i) {
      PatternSource body(256 * mebibyte, true);
      const auto fault = faultOf(client, request(peer, "POST", &body));
      CPPUNIT_ASSERT(fault.mayPass());
      CPPUNIT_ASSERT(mentions(fault, peer.url()));
      CPPUNIT_ASSERT(mentions(fault, "may have been done"));
    }
  }

  void headHasLengthButNoBody() {
    TlsPeer peer([&](Conversation &c) {
      while (c.readHead().starts_with("HEAD ")) {
        c.write(headOf(200, 12345));
      }
    });
    Client client;
    for (int i = 0; i < 2; ++i) {
      auto response = client.perform(request(peer, "HEAD"));
      CPPUNIT_ASSERT_EQUAL(std::string(), bodyOf(response));
      CPPUNIT_ASSERT_EQUAL(std::string("12345"), response.headers.all()[0].second);
    }
    CPPUNIT_ASSERT_EQUAL(1, peer.connections());
  }

  void streamsLongReply() {
    const auto sent = pattern(24 * mebibyte);
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write(headOf(200, sent.size()));
      c.write(sent);
    });
    Client client;
    auto response = client.perform(request(peer));
    std::string got;
    Bytes block(100'003);
    while (const auto count = response.body->read(block)) {
      got.append(asText(ByteView(block).first(count)));
    }
    CPPUNIT_ASSERT(got == sent);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, response.body->read(block));
  }

  void replyDroppedUnreadLeavesTheClientUsable() {
    const auto sent = pattern(8 * mebibyte);
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write(headOf(200, sent.size()));
      c.write(sent);
    });
    Client client;
    for (int i = 0; i < 3; ++i) {
      auto response = client.perform(request(peer));
      Bytes block(10);
      CPPUNIT_ASSERT(response.body->read(block) > 0);
    }
    auto response = client.perform(request(peer));
    CPPUNIT_ASSERT(bodyOf(response) == sent);
    CPPUNIT_ASSERT_EQUAL(4, peer.connections());
  }

  void bodysOwnErrorIsThrown() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write("HTTP/1.1 100 Continue\r\n\r\n");
      c.readBytes(512 * mebibyte);
    });
    Client client;
    BrokenSource body;
    try {
      static_cast<void>(client.perform(request(peer, "POST", &body)));
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_EQUAL(std::string("the disk is on fire"), fault.reason());
      return;
    }
    CPPUNIT_FAIL("the body's error was lost");
  }

  void bodyShorterThanPromised() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.readBytes(100);
    });
    Client client;
    ShortSource body;
    CPPUNIT_ASSERT_THROW(static_cast<void>(client.perform(request(peer, "POST", &body))), Fault);
  }

  void truncatedReply() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write(headOf(200, 100) + "only this");
    });
    Client client;
    const auto fault = faultOf(client, request(peer));
    CPPUNIT_ASSERT(fault.mayPass());
    CPPUNIT_ASSERT(mentions(fault, "GET " + peer.url()));
  }

  void truncatedChunkedReply() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    });
    Client client;
    CPPUNIT_ASSERT(faultOf(client, request(peer)).mayPass());
  }

  void otherKeyIsRefused() {
    TlsPeer peer([&](Conversation &c) { c.readHead(); });
    Client client;
    auto asked = request(peer);
    asked.peer.pinnedKey = std::string(64, 'a');
    const auto fault = faultOf(client, asked);
    CPPUNIT_ASSERT(!fault.mayPass());
    CPPUNIT_ASSERT(mentions(fault, "another key"));
    asked.peer.pinnedKey = "abc";
    CPPUNIT_ASSERT_THROW(static_cast<void>(client.perform(asked)), Fault);
  }

  void unknownAuthorityIsRefused() {
    TlsPeer peer([&](Conversation &c) { c.readHead(); });
    Client client;
    auto asked = request(peer);
    asked.peer.pinnedKey.clear();
    CPPUNIT_ASSERT(!faultOf(client, asked).mayPass());
  }

  void httpIsRefused() {
    Client client;
    ClientRequest asked;
    asked.url = "http://127.0.0.1:1/";
    CPPUNIT_ASSERT(mentions(faultOf(client, asked), "https"));
    asked.url = "file:///etc/passwd";
    CPPUNIT_ASSERT(mentions(faultOf(client, asked), "https"));
  }

  void refusedConnection() {
    std::string url;
    {
      TlsPeer gone([](Conversation &) {});
      url = gone.url();
    }
    Client client;
    ClientRequest asked;
    asked.url = url;
    const auto fault = faultOf(client, asked);
    CPPUNIT_ASSERT(fault.mayPass());
    CPPUNIT_ASSERT(mentions(fault, "running"));
    CPPUNIT_ASSERT_EQUAL(url, fault.subject());
  }

  void redirectIsGivenBackNotFollowed() {
    TlsPeer peer([&](Conversation &c) {
      while (!c.readHead().empty()) {
        c.write(headOf(302, 0, "Location: /elsewhere\r\n"));
      }
    });
    Client client;
    CPPUNIT_ASSERT_EQUAL(302, client.perform(request(peer)).status);
  }

  void noProxyFromTheEnvironment() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write(headOf(200, 0));
    });
    setenv("https_proxy", "http://127.0.0.1:1/", 1);
    Client client;
    const auto status = client.perform(request(peer)).status;
    unsetenv("https_proxy");
    CPPUNIT_ASSERT_EQUAL(200, status);
  }

  void stalledServer() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.readBytes(1); // until the client goes
    });
    ClientOptions options;
    options.stallDeadline = std::chrono::seconds(1);
    Client client(options);
    CPPUNIT_ASSERT(mentions(faultOf(client, request(peer)), "in time"));
  }

  void headerInjectionIsRefused() {
    TlsPeer peer([&](Conversation &c) { c.readHead(); });
    Client client;
    auto asked = request(peer);
    asked.headers.add("X-Bad", "a\r\nX-Worse: b");
    CPPUNIT_ASSERT_THROW(static_cast<void>(client.perform(asked)), Fault);
    CPPUNIT_ASSERT_EQUAL(0, peer.connections());
  }

  void showsCertificate() {
    TlsPeer peer([&](Conversation &c) { c.readHead(); });
    Client client;
    CPPUNIT_ASSERT_EQUAL(peer.certificatePem(), client.certificateOf(peer.url()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClientTest);

} // namespace
