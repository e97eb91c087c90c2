// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <future>
#include <thread>

namespace {

using namespace waybill;
using namespace waybill::transport;
using std::chrono::seconds;

const std::string get = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

std::string getOf(const std::string &path) { return "GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n"; }

/// What callers get whom no handler knows yet: a share of the workers, and a while.
class ServerStrangersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerStrangersTest);
  CPPUNIT_TEST(oneAddressHasHalf);
  CPPUNIT_TEST(whoWaitsIsServedInTurn);
  CPPUNIT_TEST(knownCallersDoNotCount);
  CPPUNIT_TEST(slowStrangersAreCut);
  CPPUNIT_TEST(fastStrangersAreCut);
  CPPUNIT_TEST(knownCallersMayTakeTheirTime);
  CPPUNIT_TEST(probesDoNotWaitForWorkers);
  CPPUNIT_TEST(probesOfOthersPassOneThatIsNotTaken);
  CPPUNIT_TEST_SUITE_END();

  std::promise<void> gate_;
  std::shared_future<void> open_;
  std::atomic<int> running_{0};

  /// Waits until the gate is open, unless it is asked for something else than "/".
  ServerLab::Handle untilOpen(bool known = false) {
    return [this, known](Request &request, Response &response) {
      if (known) {
        request.callerIsKnown();
        request.callerIsKnown();
      }
      if (request.path == "/") {
        ++running_;
        open_.wait();
      }
      response.send(200, {}, request.path);
    };
  }
  static void small(ServerOptions &options) {
    options.workers = 4;
    options.queue = 4;
    options.probes = {"/probe"};
  }

public:
  void setUp() override {
    gate_ = {};
    open_ = gate_.get_future().share();
    running_ = 0;
  }

  /// Half of the workers and half of the queue.
  std::vector<RawClient> takeShare(const ServerLab &lab, std::uint8_t address, int before = 0) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back(lab.port(), RawClient::Options{.address = address});
      clients.back().send(get);
      CPPUNIT_ASSERT(eventually([&] { return lab.active() == before + i + 1; }));
    }
    return clients;
  }

  void oneAddressHasHalf() {
    ServerLab lab(untilOpen(), small);
    auto taken = takeShare(lab, 2);
    CPPUNIT_ASSERT(eventually([&] { return running_ == 2; }));
    RawClient more(lab.port(), {.address = 2});
    more.send(getOf("/more"));
    const auto refusal = more.reply();
    CPPUNIT_ASSERT_EQUAL(503, refusal.status);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), refusal.field("Retry-After"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.refused("busy"));
    // Others come in beside it, past those that wait, as often as they like.
    RawClient other(lab.port(), {.address = 3});
    for (int i = 0; i < 20; ++i) {
      other.send(getOf("/other"));
      CPPUNIT_ASSERT_EQUAL(std::string("/other"), other.reply().body);
    }
    CPPUNIT_ASSERT_EQUAL(2, running_.load());
    gate_.set_value();
  }

  void whoWaitsIsServedInTurn() {
    ServerLab lab(untilOpen(), small);
    auto taken = takeShare(lab, 2);
    auto others = takeShare(lab, 3, 4);
    CPPUNIT_ASSERT(eventually([&] { return running_ == 4; }));
    gate_.set_value();
    for (auto *clients : {&taken, &others}) {
      for (auto &client : *clients) {
        CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
      }
    }
    CPPUNIT_ASSERT_EQUAL(8, running_.load());
    // The share is free again.
    for (int i = 0; i < 20; ++i) {
      taken.front().send(get);
      CPPUNIT_ASSERT_EQUAL(200, taken.front().reply().status);
    }
  }

  void knownCallersDoNotCount() {
    ServerLab lab(untilOpen(true), small);
    auto taken = takeShare(lab, 2);
    CPPUNIT_ASSERT(eventually([&] { return running_ == 4; }));
    gate_.set_value();
    for (auto &client : taken) {
      CPPUNIT_ASSERT_EQUAL(200, client.reply().status);
    }
  }

  static ServerLab::Handle reading(bool known) {
    return [known](Request &request, Response &response) {
      if (known) {
        request.callerIsKnown();
      }
      try {
        response.send(200, {}, std::to_string(bodyOf(request).size()));
      } catch (const Fault &fault) {
        response.send(400, {}, fault.reason());
      }
    };
  }
  static void hasty(ServerOptions &options) { options.envelopeDeadline = seconds(1); }

  static void assertCut(const ServerLab &lab, const Reply &reply) {
    CPPUNIT_ASSERT_EQUAL(400, reply.status);
    CPPUNIT_ASSERT_MESSAGE(reply.body,
                           reply.body.find("not known within 1 s (server.envelope_deadline)") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.refused("timeout"));
  }

  /// Never still for long, and past the minimum rate.
  void slowStrangersAreCut() {
    ServerLab lab(reading(false), hasty);
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10000000\r\n\r\n");
    for (int i = 0; i < 100 && lab.refused("timeout") == 0; ++i) {
      client.send(std::string(1000, 'x'));
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    assertCut(lab, client.reply());
  }

  /// There is always something to read.
  void fastStrangersAreCut() {
    ServerLab lab(
        [](Request &request, Response &response) {
          Bytes block(64 * 1024);
          try {
            while (request.body->read(block) != 0) {
            }
            response.send(200, {}, "all");
          } catch (const Fault &fault) {
            response.send(400, {}, fault.reason());
          }
        },
        hasty);
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n");
    const std::string block(1024 * 1024, 'x');
    while (lab.refused("timeout") == 0 && client.send(block)) {
    }
    assertCut(lab, client.reply());
  }

  void knownCallersMayTakeTheirTime() {
    ServerLab lab(reading(true), hasty);
    RawClient client(lab.port());
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nab");
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    client.send("cd");
    CPPUNIT_ASSERT_EQUAL(std::string("4"), client.reply().body);
  }

  void probesDoNotWaitForWorkers() {
    ServerLab lab(untilOpen(true), [](ServerOptions &options) {
      small(options);
      options.workers = 1;
      options.queue = 0;
    });
    RawClient taken(lab.port());
    taken.send(get);
    CPPUNIT_ASSERT(eventually([&] { return running_ == 1; }));
    RawClient client(lab.port());
    client.send(getOf("/probe"));
    CPPUNIT_ASSERT_EQUAL(std::string("/probe"), client.reply().body);
    client.send("HEAD /probe HTTP/1.1\r\nHost: here\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(200, client.reply(true).status);
    // What has a body may be waited for, and is no probe.
    client.send("GET /probe HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(503, client.reply().status);
    gate_.set_value();
  }

  void probesOfOthersPassOneThatIsNotTaken() {
    std::atomic<int> pouring{0};
    ServerLab lab(
        [&](Request &request, Response &response) {
          if (request.query != "much") {
            response.send(200, {}, "ok");
            return;
          }
          ++pouring;
          response.begin(200, {}, std::nullopt);
          const std::string block(256 * 1024, 'x');
          for (int i = 0; i < 1000; ++i) {
            response.write(asBytes(block));
          }
          response.end();
        },
        small);
    RawClient deaf(lab.port(), {.address = 2});
    deaf.send(getOf("/probe?much"));
    CPPUNIT_ASSERT(eventually([&] { return pouring == 1; }));
    RawClient client(lab.port(), {.address = 3});
    client.send(getOf("/probe"));
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), client.reply().body);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, lab.refused("timeout"));
    // Long before the stall deadline of others, 30 s.
    CPPUNIT_ASSERT(eventually([&] { return lab.refused("timeout") == 1; }));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerStrangersTest);

} // namespace
