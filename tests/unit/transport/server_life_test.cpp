// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <thread>

namespace {

using namespace waybill;
using namespace waybill::transport;
using std::chrono::seconds;

const std::string get = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

void ok(Request &, Response &response) { response.send(200, {}, "ok"); }

/// Starting, TLS, draining, stopping.
class ServerLifeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerLifeTest);
  CPPUNIT_TEST(unusableCertificatesAreFaults);
  CPPUNIT_TEST(takenAddressesAreFaults);
  CPPUNIT_TEST(serversNeedNotBeStarted);
  CPPUNIT_TEST(oldTlsIsRefused);
  CPPUNIT_TEST(tls12IsSpoken);
  CPPUNIT_TEST(alpnAnswersHttp11);
  CPPUNIT_TEST(certificatesAreReloaded);
  CPPUNIT_TEST(badCertificatesAreNotReloaded);
  CPPUNIT_TEST(drainClosesIdleConnections);
  CPPUNIT_TEST(drainWaitsForRunningRequests);
  CPPUNIT_TEST(drainCutsWhatTakesTooLong);
  CPPUNIT_TEST(drainAnswersWhatWaitsForAWorker);
  CPPUNIT_TEST(cutConnectionsLeaveNothingBehind);
  CPPUNIT_TEST(aHandlerSeesThatItsCallerHasGone);
  CPPUNIT_TEST(whatComesNextDoesNotLookLikeAnEnd);
  CPPUNIT_TEST(manyClientsAtOnce);
  CPPUNIT_TEST(socketsAreNotInherited);
  CPPUNIT_TEST_SUITE_END();

  std::promise<void> gate_;
  std::shared_future<void> open_;
  std::atomic<int> running_{0};

  ServerLab::Handle untilOpen() {
    return [this](Request &request, Response &response) {
      ++running_;
      open_.wait();
      response.send(200, {}, bodyOf(request));
    };
  }
  static std::string faultOf(const std::function<void()> &call) {
    try {
      call();
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT(fault.code() == FaultCode::Internal);
      return fault.what();
    }
    return "no fault";
  }
  static void contains(const std::string &text, const std::string &part) {
    CPPUNIT_ASSERT_MESSAGE(text, text.find(part) != std::string::npos);
  }

public:
  void setUp() override { open_ = gate_.get_future().share(); }

  void unusableCertificatesAreFaults() {
    const CertificateFolder folder;
    const CertificateFolder other;
    std::ofstream(folder.file("empty")).close();
    const auto with = [&](const std::string &certificate, const std::string &key) {
      return faultOf([&] {
        const ServerLab lab(ok, [&](ServerOptions &options) {
          options.certificateFile = certificate;
          options.keyFile = key;
        });
      });
    };
    contains(with(folder.file("missing"), folder.key()), "(" + folder.file("missing") + ")");
    contains(with(folder.file("empty"), folder.key()), "(" + folder.file("empty") + ")");
    contains(with(folder.certificate(), folder.certificate()), "(" + folder.certificate() + ")");
    contains(with(folder.certificate(), other.key()), "(" + other.key() + ")");
  }

  void takenAddressesAreFaults() {
    const ServerLab lab(ok);
    const auto on = [&](const std::string &host) {
      return faultOf([&] {
        const ServerLab second(ok, [&](ServerOptions &options) {
          options.host = host;
          options.port = lab.port();
        });
      });
    };
    contains(on("127.0.0.1"), "listening failed: Address already in use");
    contains(on("127.0.0.1"), "(127.0.0.1:" + std::to_string(lab.port()) + ")");
    contains(on("192.0.2.1"), "Cannot assign requested address");
    contains(on("no such host"), "listening failed");
  }

  void serversNeedNotBeStarted() {
    const CertificateFolder folder;
    ServerOptions options;
    options.port = 0;
    options.certificateFile = folder.certificate();
    options.keyFile = folder.key();
    struct None final : Handler {
      void handle(Request &, Response &) override {}
    } handler;
    Server server(options, handler);
    CPPUNIT_ASSERT(server.port() != 0);
    CPPUNIT_ASSERT(server.drain());
  }

  void oldTlsIsRefused() {
    const ServerLab lab(ok);
    for (const auto version : {TLS1_VERSION, TLS1_1_VERSION}) {
      const RawClient client(lab.port(), {.maximumVersion = version});
      CPPUNIT_ASSERT(!client.isConnected());
    }
    CPPUNIT_ASSERT(eventually([&] { return lab.refused("tls") == 2; }));
  }

  void tls12IsSpoken() {
    const ServerLab lab(ok);
    RawClient client(lab.port(), {.maximumVersion = TLS1_2_VERSION});
    CPPUNIT_ASSERT(client.isConnected());
    for (int i = 0; i < 3; ++i) {
      client.send(get);
      CPPUNIT_ASSERT_EQUAL(std::string("ok"), client.reply().body);
    }
  }

  void alpnAnswersHttp11() {
    const ServerLab lab(ok);
    CPPUNIT_ASSERT_EQUAL(std::string("http/1.1"),
                         RawClient(lab.port(), {.protocols = "\x02h2\x08http/1.1"}).protocol());
    RawClient client(lab.port(), {.protocols = "\x02h2"});
    CPPUNIT_ASSERT(client.isConnected());
    CPPUNIT_ASSERT_EQUAL(std::string(), client.protocol());
    CPPUNIT_ASSERT_EQUAL(std::string("1.1"), curl("--http2 -o /dev/null -w '%{http_version}' " + lab.url("/")).output);
  }

  void certificatesAreReloaded() {
    ServerLab lab(ok);
    RawClient before(lab.port());
    CPPUNIT_ASSERT_EQUAL(std::string("first"), before.subject());
    lab.folder().renew("second");
    CPPUNIT_ASSERT_EQUAL(std::string("first"), RawClient(lab.port()).subject());
    lab.server().reloadCertificate();
    CPPUNIT_ASSERT_EQUAL(std::string("second"), RawClient(lab.port()).subject());
    before.send(get);
    CPPUNIT_ASSERT_EQUAL(200, before.reply().status);
  }

  void badCertificatesAreNotReloaded() {
    ServerLab lab(ok);
    std::ofstream(lab.folder().key()) << "nonsense";
    contains(faultOf([&] { lab.server().reloadCertificate(); }), lab.folder().key());
    CPPUNIT_ASSERT_EQUAL(std::string("first"), RawClient(lab.port()).subject());
  }

  void drainClosesIdleConnections() {
    ServerLab lab(ok);
    RawClient idle(lab.port());
    idle.send(get);
    CPPUNIT_ASSERT_EQUAL(200, idle.reply().status);
    RawClient fresh(lab.port());
    const RawClient shaking(lab.port(), {.handshake = false});
    CPPUNIT_ASSERT(lab.settlesAt(3));
    CPPUNIT_ASSERT(lab.server().drain());
    CPPUNIT_ASSERT(idle.isClosedInOrder());
    CPPUNIT_ASSERT(fresh.isClosedInOrder());
    CPPUNIT_ASSERT_THROW(RawClient(lab.port()), std::runtime_error);
    CPPUNIT_ASSERT(lab.server().drain());
  }

  void drainWaitsForRunningRequests() {
    ServerLab lab(untilOpen());
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbo");
    CPPUNIT_ASSERT(eventually([&] { return running_ == 1; }));
    auto first = std::async(std::launch::async, [&] { return lab.server().drain(); });
    auto second = std::async(std::launch::async, [&] { return lab.server().drain(); });
    CPPUNIT_ASSERT(eventually([&] {
      try {
        const RawClient late(lab.port(), {.handshake = false});
        return false;
      } catch (const std::runtime_error &) {
        return true;
      }
    }));
    CPPUNIT_ASSERT(first.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
    gate_.set_value();
    client.send("dy");
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(std::string("body"), reply.body);
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT(client.isClosedInOrder());
    CPPUNIT_ASSERT(first.get());
    CPPUNIT_ASSERT(second.get());
  }

  void drainCutsWhatTakesTooLong() {
    gate_.set_value();
    ServerLab lab(untilOpen(), [](ServerOptions &options) {
      options.workers = 1;
      options.drainDeadline = seconds(1);
    });
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbo");
    CPPUNIT_ASSERT(eventually([&] { return running_ == 1; }));
    RawClient queued(lab.port());
    queued.send(get);
    CPPUNIT_ASSERT(eventually([&] { return lab.active() == 2; }));
    CPPUNIT_ASSERT(!lab.server().drain());
    CPPUNIT_ASSERT(!lab.server().drain());
    CPPUNIT_ASSERT_EQUAL(0, client.reply().status);
    CPPUNIT_ASSERT(!client.isClosedInOrder());
    CPPUNIT_ASSERT_EQUAL(0, queued.reply().status);
    CPPUNIT_ASSERT_EQUAL(1, running_.load());
    contains(lab.log(), "cut after 2 of 4 bytes");
  }

  void drainAnswersWhatWaitsForAWorker() {
    ServerLab lab(untilOpen(), [](ServerOptions &options) { options.workers = 1; });
    std::vector<RawClient> clients;
    for (int i = 0; i < 5; ++i) {
      clients.emplace_back(lab.port());
      clients.back().send(get);
    }
    CPPUNIT_ASSERT(eventually([&] { return lab.active() == 5; }));
    auto drained = std::async(std::launch::async, [&] { return lab.server().drain(); });
    gate_.set_value();
    for (auto &client : clients) {
      CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
      client.closeNotify();
    }
    clients.clear();
    CPPUNIT_ASSERT(drained.get());
  }

  void cutConnectionsLeaveNothingBehind() {
    ServerLab lab([](Request &request, Response &response) { response.send(200, {}, bodyOf(request)); });
    const std::string post = "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n";
    for (int i = 0; i < 10; ++i) {
      RawClient(lab.port(), {.handshake = false}).cut();
      RawClient half(lab.port(), {.handshake = false});
      half.sendPlain("\x16\x03");
      half.cut();
      RawClient(lab.port()).cut();
      for (const auto &part : {std::string("GET /"), post, post + "some", get, get + get}) {
        RawClient client(lab.port());
        client.send(part);
        client.cut();
      }
    }
    CPPUNIT_ASSERT(lab.settlesAt(0));
    RawClient client(lab.port());
    client.send(get);
    CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
  }

  void aHandlerSeesThatItsCallerHasGone() {
    ServerLab lab([&](Request &request, Response &response) {
      ++running_;
      const auto gone = eventually([&] { return request.callerHasGone(); });
      running_ -= gone ? 1 : 0;
      response.send(200, {}, "ok");
    });
    const std::array<void (*)(RawClient &), 3> ways{[](RawClient &client) { client.cut(); },
                                                    [](RawClient &client) { client.hangUp(); },
                                                    [](RawClient &client) {
                                                      client.closeNotify();
                                                      client.hangUp();
                                                    }};
    for (const auto &leave : ways) {
      RawClient client(lab.port());
      client.send(get + get); // what is there to be read hides no end
      CPPUNIT_ASSERT(eventually([&] { return running_ == 1; }));
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      CPPUNIT_ASSERT_EQUAL(1, running_.load());
      leave(client);
      CPPUNIT_ASSERT(eventually([&] { return running_ == 0; }));
      CPPUNIT_ASSERT(lab.settlesAt(0));
    }
  }

  void whatComesNextDoesNotLookLikeAnEnd() {
    std::atomic<int> asked{0};
    ServerLab lab([&](Request &request, Response &response) {
      for (int i = 0; i < 20; ++i, ++asked) {
        if (request.callerHasGone()) {
          response.send(500, {}, "gone");
          return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      response.send(200, {}, request.path);
    });
    RawClient client(lab.port());
    for (const auto *path : {"/1", "/2", "/3"}) {
      client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: here\r\n\r\n");
    }
    for (const auto *path : {"/1", "/2", "/3"}) {
      const auto reply = client.reply();
      CPPUNIT_ASSERT_EQUAL(200, reply.status);
      CPPUNIT_ASSERT_EQUAL(std::string(path), reply.body);
    }
    CPPUNIT_ASSERT_EQUAL(60, asked.load());
  }

  void manyClientsAtOnce() {
    ServerLab lab([](Request &request, Response &response) { response.send(200, {}, bodyOf(request)); },
                  [](ServerOptions &options) { options.workers = 3; });
    std::atomic<int> good{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 10; ++round) {
          RawClient client(lab.port());
          for (int request = 0; request < 10; ++request) {
            const std::string body(static_cast<std::size_t>(i * 5000 + request), static_cast<char>('a' + i));
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                        body);
            good += client.reply().body == body ? 1 : 0;
          }
        }
      });
    }
    lab.server().reloadCertificate();
    threads.clear();
    CPPUNIT_ASSERT_EQUAL(800, good.load());
  }

  void socketsAreNotInherited() {
    std::string inherited;
    ServerLab lab([&](Request &, Response &response) {
      for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const auto target = std::filesystem::read_symlink(entry, gone).string();
        const auto descriptor = std::stoi(entry.path().filename().string());
        const int flags = ::fcntl(descriptor, F_GETFD);
        if (target.starts_with("socket:") && flags >= 0 && (flags & FD_CLOEXEC) == 0) {
          inherited += target + " ";
        }
      }
      response.send(200, {}, "ok");
    });
    RawClient client(lab.port());
    client.send(get);
    CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
    CPPUNIT_ASSERT_EQUAL(std::string(), inherited);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerLifeTest);

} // namespace
