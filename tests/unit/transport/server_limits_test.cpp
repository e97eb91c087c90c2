// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

namespace {

using namespace waybill;
using namespace waybill::transport;
using std::chrono::seconds;

const std::string get = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

std::size_t threads() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "Threads:") {
      std::size_t count = 0;
      status >> count;
      return count;
    }
  }
  throw std::runtime_error("no number of threads in /proc/self/status");
}

void ok(Request &, Response &response) { response.send(200, {}, "ok"); }

/// What the server does when there is too much of something: waiting, connections, requests.
class ServerLimitsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerLimitsTest);
  CPPUNIT_TEST(lateHandshakesAreClosed);
  CPPUNIT_TEST(lateHeadsAreAnswered408);
  CPPUNIT_TEST(slowHeadsCostNoWorker);
  CPPUNIT_TEST(silentConnectionsAreClosed);
  CPPUNIT_TEST(idleConnectionsAreClosed);
  CPPUNIT_TEST(stalledBodiesAreAFault);
  CPPUNIT_TEST(slowBodiesAreAFault);
  CPPUNIT_TEST(slowBodiesThatAHandlerAnswersAreCounted);
  CPPUNIT_TEST(slowHandlersDoNotMakeThePeerSlow);
  CPPUNIT_TEST(stalledReadersAreAFault);
  CPPUNIT_TEST(slowReadersAreAFault);
  CPPUNIT_TEST(fullQueuesAreAnswered503);
  CPPUNIT_TEST(tooManyConnectionsAreClosed);
  CPPUNIT_TEST(idleConnectionsCostNoThread);
  CPPUNIT_TEST(endlessSendersAreResetAfterTheirReply);
  CPPUNIT_TEST_SUITE_END();

  /// Handlers wait in here until they are let go.
  std::promise<void> gate_;
  std::shared_future<void> open_;
  std::atomic<int> waiting_{0};
  std::atomic<int> faults_{0};

  ServerLab::Handle untilOpen() {
    return [this](Request &request, Response &response) {
      request.callerIsKnown();
      ++waiting_;
      open_.wait();
      response.send(200, {}, "ok");
    };
  }
  ServerLab::Handle counting() {
    return [this](Request &request, Response &response) {
      try {
        response.send(200, {}, std::to_string(bodyOf(request).size()));
      } catch (const Fault &fault) {
        faults_ +=
            fault.code() == FaultCode::InvalidMessage && std::string(fault.what()).find("too slow") != std::string::npos
                ? 1
                : 0;
        throw;
      }
    };
  }
  static void impatient(ServerOptions &options) {
    options.stallDeadline = seconds(1);
    options.rateGrace = seconds(1);
    options.minimumRate = 1000;
  }

public:
  void setUp() override { open_ = gate_.get_future().share(); }

  void lateHandshakesAreClosed() {
    ServerLab lab(ok, [](ServerOptions &options) { options.headDeadline = seconds(1); });
    RawClient nothing(lab.port(), {.handshake = false});
    RawClient half(lab.port(), {.handshake = false});
    half.sendPlain("\x16\x03\x01\x02");
    CPPUNIT_ASSERT(lab.settlesAt(2));
    CPPUNIT_ASSERT(lab.settlesAt(0));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, lab.refused("timeout"));
    RawClient plain(lab.port(), {.handshake = false});
    plain.sendPlain(get);
    CPPUNIT_ASSERT(eventually([&] { return lab.refused("tls") == 1; }));
  }

  void lateHeadsAreAnswered408() {
    ServerLab lab(ok, [](ServerOptions &options) { options.headDeadline = seconds(1); });
    RawClient client(lab.port());
    client.send("GET / HTTP/1.1\r\nHost:");
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(408, reply.status);
    CPPUNIT_ASSERT(client.isClosedInOrder());
    // The same for the second request of a connection.
    RawClient second(lab.port());
    second.send(get);
    CPPUNIT_ASSERT_EQUAL(200, second.reply().status);
    second.send("GET");
    CPPUNIT_ASSERT_EQUAL(408, second.reply().status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, lab.refused("timeout"));
  }

  void slowHeadsCostNoWorker() {
    ServerLab lab(ok, [](ServerOptions &options) {
      options.workers = 1;
      options.queue = 1; // the worker may still be on its way back from the request before
    });
    std::vector<RawClient> slow;
    for (int i = 0; i < 20; ++i) {
      slow.emplace_back(lab.port());
      slow.back().send("GET / HTTP/1.1\r\nX-");
    }
    RawClient client(lab.port());
    client.send(get);
    CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
    for (auto &one : slow) {
      one.send("Y: z\r\nHost: here\r\n\r\n");
      CPPUNIT_ASSERT_EQUAL(200, one.reply().status);
    }
  }

  void silentConnectionsAreClosed() {
    ServerLab lab(ok, [](ServerOptions &options) { options.headDeadline = seconds(1); });
    RawClient client(lab.port());
    CPPUNIT_ASSERT(client.isConnected());
    // It has asked for nothing, so it is told nothing.
    CPPUNIT_ASSERT_EQUAL(std::string(), client.readToEnd());
    CPPUNIT_ASSERT(client.isClosedInOrder());
  }

  void idleConnectionsAreClosed() {
    ServerLab lab(ok, [](ServerOptions &options) { options.idleDeadline = seconds(1); });
    RawClient client(lab.port());
    client.send(get);
    CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
    CPPUNIT_ASSERT_EQUAL(std::string(), client.readToEnd());
    CPPUNIT_ASSERT(client.isClosedInOrder());
    CPPUNIT_ASSERT(lab.settlesAt(0));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, lab.refused("timeout"));
  }

  void stalledBodiesAreAFault() {
    ServerLab lab(counting(), [](ServerOptions &options) { options.stallDeadline = seconds(1); });
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nabc");
    CPPUNIT_ASSERT_EQUAL(408, client.reply().status);
    CPPUNIT_ASSERT(client.isClosedInOrder());
    CPPUNIT_ASSERT_EQUAL(1, faults_.load());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.refused("timeout"));
    CPPUNIT_ASSERT_MESSAGE(lab.log(), lab.log().find("nothing moved for 1 s") != std::string::npos);
  }

  void slowBodiesAreAFault() {
    ServerLab lab(counting(), impatient);
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n");
    std::atomic<bool> answered{false};
    std::thread dripping([&] {
      for (int i = 0; i < 900 && !answered; ++i) {
        client.send("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    CPPUNIT_ASSERT(eventually([&] { return lab.refused("timeout") == 1; }));
    answered = true;
    dripping.join();
    CPPUNIT_ASSERT_EQUAL(408, client.reply().status);
    CPPUNIT_ASSERT_EQUAL(1, faults_.load());
    CPPUNIT_ASSERT_MESSAGE(lab.log(), lab.log().find("1000 bytes a second are asked for") != std::string::npos);
  }

  void slowBodiesThatAHandlerAnswersAreCounted() {
    ServerLab lab(
        [](Request &request, Response &response) {
          try {
            (void)bodyOf(request);
          } catch (const Fault &fault) {
            response.send(400, {}, fault.reason());
          }
        },
        impatient);
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nabc");
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(400, reply.status);
    CPPUNIT_ASSERT(reply.body.find("too slow") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("close"), reply.field("Connection"));
    CPPUNIT_ASSERT(client.isClosedInOrder());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.refused("timeout"));
  }

  void slowHandlersDoNotMakeThePeerSlow() {
    ServerLab lab(
        [](Request &request, Response &response) {
          std::string body;
          Bytes block(1);
          while (request.body->read(block) != 0) {
            body += static_cast<char>(block[0]);
            if (body.size() == 2) {
              std::this_thread::sleep_for(seconds(2));
            }
          }
          response.send(200, {}, body);
        },
        impatient);
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nabcd");
    CPPUNIT_ASSERT_EQUAL(std::string("abcd"), client.reply().body);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, lab.refused("timeout"));
  }

  ServerLab::Handle pouring() {
    return [this](Request &, Response &response) {
      const std::string block(256 * 1024, 'x');
      try {
        response.begin(200, {}, std::nullopt);
        for (int i = 0; i < 4000; ++i) {
          response.write(asBytes(block));
        }
      } catch (const Fault &fault) {
        faults_ += std::string(fault.what()).find("too slow") != std::string::npos ? 1 : 0;
        throw;
      }
    };
  }

  void stalledReadersAreAFault() {
    ServerLab lab(pouring(), impatient);
    RawClient client(lab.port());
    client.send(get);
    CPPUNIT_ASSERT(eventually([&] { return lab.refused("timeout") == 1; }));
    CPPUNIT_ASSERT_EQUAL(1, faults_.load());
    CPPUNIT_ASSERT(lab.settlesAt(0));
    (void)client.readToEnd();
    CPPUNIT_ASSERT(!client.isClosedInOrder());
  }

  void slowReadersAreAFault() {
    ServerLab lab(pouring(), [](ServerOptions &options) {
      options.stallDeadline = seconds(5);
      options.rateGrace = seconds(1);
      options.minimumRate = 1'000'000'000;
    });
    RawClient client(lab.port());
    client.send(get);
    for (int i = 0; i < 1000 && lab.refused("timeout") == 0; ++i) {
      (void)client.readBytes(200'000);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.refused("timeout"));
    CPPUNIT_ASSERT_EQUAL(1, faults_.load());
  }

  void fullQueuesAreAnswered503() {
    ServerLab lab(untilOpen(), [](ServerOptions &options) {
      options.workers = 2;
      options.queue = 1;
    });
    std::vector<RawClient> taken;
    for (int i = 0; i < 3; ++i) {
      taken.emplace_back(lab.port());
      taken.back().send(get);
      CPPUNIT_ASSERT(eventually([&] { return lab.active() == i + 1; }));
    }
    CPPUNIT_ASSERT(eventually([&] { return waiting_ == 2; }));
    for (int i = 0; i < 3; ++i) {
      RawClient client(lab.port());
      client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nsome");
      const auto reply = client.reply();
      CPPUNIT_ASSERT_EQUAL(503, reply.status);
      CPPUNIT_ASSERT_EQUAL(std::string("1"), reply.field("Retry-After"));
      CPPUNIT_ASSERT(client.isClosedInOrder());
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, lab.refused("busy"));
    gate_.set_value();
    for (auto &client : taken) {
      CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
    }
    taken.front().send(get);
    CPPUNIT_ASSERT_EQUAL(200, taken.front().reply().status);
    CPPUNIT_ASSERT_EQUAL(4, waiting_.load());
  }

  void tooManyConnectionsAreClosed() {
    ServerLab lab(ok, [](ServerOptions &options) { options.connections = 2; });
    RawClient first(lab.port());
    {
      RawClient second(lab.port());
      CPPUNIT_ASSERT(second.isConnected());
      const RawClient third(lab.port());
      CPPUNIT_ASSERT(!third.isConnected());
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.refused("connections"));
    }
    CPPUNIT_ASSERT(lab.settlesAt(1));
    RawClient fourth(lab.port());
    fourth.send(get);
    CPPUNIT_ASSERT_EQUAL(200, fourth.reply().status);
    first.send(get);
    CPPUNIT_ASSERT_EQUAL(200, first.reply().status);
  }

  void idleConnectionsCostNoThread() {
    ServerLab lab(ok, [](ServerOptions &options) { options.workers = 2; });
    const auto before = threads();
    std::vector<RawClient> clients;
    for (int i = 0; i < 400; ++i) {
      clients.emplace_back(lab.port());
      CPPUNIT_ASSERT(clients.back().send(get));
      CPPUNIT_ASSERT_EQUAL(200, clients.back().reply().status);
    }
    CPPUNIT_ASSERT(eventually([&] { return lab.idle() == 400 && lab.active() == 0; }));
    CPPUNIT_ASSERT_EQUAL(before, threads());
    for (auto &client : clients) {
      CPPUNIT_ASSERT(client.send(get));
      CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
    }
    clients.clear();
    CPPUNIT_ASSERT(lab.settlesAt(0));
  }

  void endlessSendersAreResetAfterTheirReply() {
    ServerLab lab([](Request &, Response &response) { response.send(413, {}, "too much"); });
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n");
    const auto reply = client.reply();
    CPPUNIT_ASSERT_EQUAL(413, reply.status);
    const std::string block(1024 * 1024, 'x');
    int sent = 0;
    // 16 MiB are thrown away; the kernel's buffers take some more.
    while (sent < 64 && client.send(block)) {
      ++sent;
    }
    CPPUNIT_ASSERT_MESSAGE(std::to_string(sent), sent < 64);
    CPPUNIT_ASSERT(lab.settlesAt(0));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerLimitsTest);

} // namespace
