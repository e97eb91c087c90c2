// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/fetch.hpp"
#include "transport/fetch_checks.hpp"
#include "transport/shelf.hpp"
#include "transport/tls_peer.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

namespace {

using namespace waybill;
using namespace waybill::transport;

/// Where ranges are put together; a byte that comes twice is a failure.
class Puzzle {
public:
  explicit Puzzle(std::uint64_t size) : content_(size, '\0') {}
  [[nodiscard]] RangeSink sink() {
    return [this](std::uint64_t offset, ByteView bytes) {
      if (offset + bytes.size() > content_.size()) {
        throw std::runtime_error("past the end");
      }
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto &place = content_[offset + i];
        if (place != '\0') {
          throw std::runtime_error("twice");
        }
        place = static_cast<char>(bytes[i]);
      }
    };
  }
  [[nodiscard]] const std::string &content() const { return content_; }

private:
  std::string content_;
};

RangesOptions by(unsigned connections, std::uint64_t stripe) {
  RangesOptions options;
  options.connections = connections;
  options.stripe = stripe;
  return options;
}

class RangeFetchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RangeFetchTest);
  CPPUNIT_TEST(severalConnectionsAtOnce);
  CPPUNIT_TEST(noMoreThanItsShare);
  CPPUNIT_TEST(onlyWhatIsWanted);
  CPPUNIT_TEST(eachStripeGoesOnAfterCuts);
  CPPUNIT_TEST(busyServerGetsFewerConnections);
  CPPUNIT_TEST(withoutRangesOneGet);
  CPPUNIT_TEST(withoutVersionOneGet);
  CPPUNIT_TEST(changeInBetweenIsAFault);
  CPPUNIT_TEST(anotherSizeIsAFault);
  CPPUNIT_TEST(sinkErrorEndsIt);
  CPPUNIT_TEST(cancelled);
  CPPUNIT_TEST(falsePartIsAFault);
  CPPUNIT_TEST(senselessRanges);
  CPPUNIT_TEST_SUITE_END();

public:
  void severalConnectionsAtOnce() {
    Shelf shelf(24 * mebibyte + 17);
    Puzzle puzzle(shelf.content().size());
    Fetcher fetcher(quick());
    fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, shelf.content().size()}}, puzzle.sink(),
                        by(4, 2 * mebibyte));
    CPPUNIT_ASSERT(puzzle.content() == shelf.content());
    CPPUNIT_ASSERT(shelf.connections() > 1);
    CPPUNIT_ASSERT(shelf.connections() <= 4);
    CPPUNIT_ASSERT_EQUAL(std::size_t{13}, shelf.requests().size());
  }

  void noMoreThanItsShare() {
    Shelf shelf(8 * mebibyte);
    Puzzle puzzle(shelf.content().size());
    auto options = by(4, mebibyte);
    unsigned asked = 0;
    options.share = [&asked] {
      ++asked;
      return 0U; // one is the least
    };
    Fetcher fetcher(quick());
    fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, shelf.content().size()}}, puzzle.sink(), options);
    CPPUNIT_ASSERT(puzzle.content() == shelf.content());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, shelf.connections());
    CPPUNIT_ASSERT(asked >= 7);
  }

  void onlyWhatIsWanted() {
    Shelf shelf(mebibyte);
    Puzzle puzzle(mebibyte);
    Fetcher fetcher(quick());
    fetcher.fetchRanges(shelf.request(), mebibyte, {{10, 20}, {20, 30}, {500'000, 700'000}, {mebibyte - 1, mebibyte}},
                        puzzle.sink(), by(3, 50'000));
    std::string expected(mebibyte, '\0');
    for (const auto &range : {ByteRange{10, 30}, ByteRange{500'000, 700'000}, ByteRange{mebibyte - 1, mebibyte}}) {
      expected.replace(range.begin, range.end - range.begin, shelf.content(), range.begin, range.end - range.begin);
    }
    CPPUNIT_ASSERT(puzzle.content() == expected);
    CPPUNIT_ASSERT_EQUAL(std::size_t{7}, shelf.requests().size());
  }

  void eachStripeGoesOnAfterCuts() {
    Shelf shelf(16 * mebibyte);
    shelf.cutEach(1'234'567);
    Puzzle puzzle(shelf.content().size());
    Fetcher fetcher(quick());
    fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, shelf.content().size()}}, puzzle.sink(),
                        by(3, 4 * mebibyte));
    CPPUNIT_ASSERT(puzzle.content() == shelf.content());
    CPPUNIT_ASSERT(shelf.requests().size() >= 12);
  }

  void busyServerGetsFewerConnections() {
    Shelf shelf(8 * mebibyte);
    shelf.busyOver(2);
    Puzzle puzzle(shelf.content().size());
    auto options = quick();
    options.attempts = 10'000;
    Fetcher fetcher(options);
    fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, shelf.content().size()}}, puzzle.sink(),
                        by(4, mebibyte));
    CPPUNIT_ASSERT(puzzle.content() == shelf.content());
  }

  void withoutRangesOneGet() {
    Shelf shelf(3 * mebibyte);
    shelf.withoutRanges();
    Puzzle puzzle(shelf.content().size());
    Fetcher fetcher(quick());
    fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, 100}, {mebibyte, 3 * mebibyte}}, puzzle.sink(),
                        by(4, mebibyte));
    auto expected = shelf.content();
    std::fill(expected.begin() + 100, expected.begin() + mebibyte, '\0');
    CPPUNIT_ASSERT(puzzle.content() == expected);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, shelf.requests().size());
  }

  void withoutVersionOneGet() {
    Shelf shelf(3 * mebibyte);
    shelf.withoutVersion();
    Puzzle puzzle(shelf.content().size());
    Fetcher fetcher(quick());
    fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, shelf.content().size()}}, puzzle.sink(),
                        by(4, mebibyte));
    CPPUNIT_ASSERT(puzzle.content() == shelf.content());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, shelf.requests().size());
    CPPUNIT_ASSERT(shelf.requests()[1].range.empty());
  }

  void changeInBetweenIsAFault() {
    Shelf shelf(8 * mebibyte);
    shelf.changeAt(3);
    Puzzle puzzle(shelf.content().size());
    Fetcher fetcher(quick());
    const auto fault = faultOf([&] {
      fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, shelf.content().size()}}, puzzle.sink(),
                          by(2, mebibyte));
    });
    CPPUNIT_ASSERT(fault.code() == FaultCode::DeliveryFailed);
    assertMentions(fault, "changed meanwhile");
  }

  void anotherSizeIsAFault() {
    for (const bool ranges : {true, false}) {
      Shelf shelf(mebibyte);
      if (!ranges) {
        shelf.withoutRanges();
      }
      Fetcher fetcher(quick());
      for (const auto size : {mebibyte - 1, mebibyte + 1}) {
        Puzzle puzzle(size);
        const auto fault = faultOf([&] {
          fetcher.fetchRanges(shelf.request(), size, {{0, size}}, puzzle.sink(), by(2, 100'000));
        });
        assertMentions(fault, "not what was announced");
        CPPUNIT_ASSERT(puzzle.content() == std::string(size, '\0'));
      }
    }
  }

  void sinkErrorEndsIt() {
    Shelf shelf(8 * mebibyte);
    Fetcher fetcher(quick());
    std::uint64_t got = 0;
    const auto fault = faultOf([&] {
      fetcher.fetchRanges(
          shelf.request(), shelf.content().size(), {{0, shelf.content().size()}},
          [&](std::uint64_t, ByteView bytes) {
            got += bytes.size();
            if (got > 2 * mebibyte) {
              throw DeliveryFault("the disk is full", "here", true);
            }
          },
          by(3, mebibyte));
    });
    CPPUNIT_ASSERT_EQUAL(std::string("the disk is full"), fault.reason());
    // The fetcher is as good as before.
    Puzzle puzzle(shelf.content().size());
    fetcher.fetchRanges(shelf.request(), shelf.content().size(), {{0, shelf.content().size()}}, puzzle.sink());
    CPPUNIT_ASSERT(puzzle.content() == shelf.content());
  }

  void cancelled() {
    TlsPeer peer([](Conversation &c) {
      c.readHead();
      c.write("HTTP/1.1 206 Part\r\nETag: \"one\"\r\nContent-Length: 10\r\nContent-Range: bytes 0-9/10\r\n\r\n0123");
      c.readBytes(1); // until the client goes
    });
    auto options = quick();
    options.client.stallDeadline = std::chrono::seconds(60);
    bool begun = false;
    options.client.whileWaiting = [&] {
      if (begun) {
        throw Fault(FaultCode::Internal, "cancelled by the test");
      }
    };
    Fetcher fetcher(options);
    const auto fault = faultOf([&] {
      fetcher.fetchRanges({peer.url("x"), {}, {peer.pin(), ""}}, 10, {{0, 10}},
                          [&](std::uint64_t, ByteView) { begun = true; });
    });
    CPPUNIT_ASSERT_EQUAL(std::string("cancelled by the test"), fault.reason());
  }

  void falsePartIsAFault() {
    for (const std::string range : {"1-10/20", "0-10/20", "0-9/20x", "0-8/20"}) {
      TlsPeer peer([&](Conversation &c) {
        while (!c.readHead().empty()) {
          c.write("HTTP/1.1 206 Part\r\nETag: \"one\"\r\nContent-Length: 10\r\nContent-Range: bytes " + range +
                  "\r\n\r\n0123456789");
        }
      });
      Puzzle puzzle(20);
      Fetcher fetcher(quick());
      const auto fault = faultOf([&] {
        fetcher.fetchRanges({peer.url("x"), {}, {peer.pin(), ""}}, 20, {{0, 10}}, puzzle.sink(), by(1, 10));
      });
      assertMentions(fault, "Content-Range");
      CPPUNIT_ASSERT(puzzle.content() == std::string(20, '\0'));
    }
  }

  void senselessRanges() {
    Fetcher fetcher(quick());
    const auto attempt = [&](const std::vector<ByteRange> &wanted, const RangesOptions &options) {
      return faultOf([&] { fetcher.fetchRanges({"https://127.0.0.1:1/", {}, {}}, 10, wanted, {}, options); }).code();
    };
    for (const auto &wanted :
         std::vector<std::vector<ByteRange>>{{{0, 11}}, {{5, 5}}, {{5, 4}}, {{0, 5}, {4, 6}}, {{5, 6}, {0, 1}}}) {
      CPPUNIT_ASSERT(attempt(wanted, {}) == FaultCode::BadParameter);
    }
    CPPUNIT_ASSERT(attempt({{0, 10}}, by(0, 5)) == FaultCode::BadParameter);
    CPPUNIT_ASSERT(attempt({{0, 10}}, by(5, 0)) == FaultCode::BadParameter);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RangeFetchTest);

} // namespace
