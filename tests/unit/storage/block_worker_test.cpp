// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/block_worker.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <map>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using waybill::asBytes;
using waybill::asText;
using waybill::ByteView;
using waybill::storage::BlockWorker;

class BlockWorkerTest : public CPPUNIT_NS::TestFixture {
  CPPUNIT_TEST_SUITE(BlockWorkerTest);
  CPPUNIT_TEST(allIsWorkedOnInOrder);
  CPPUNIT_TEST(smallPiecesAreGathered);
  CPPUNIT_TEST(severalPlacesGrowAtOnce);
  CPPUNIT_TEST(whatTheWorkThrowsReachesTheOwner);
  CPPUNIT_TEST(whatIsAbandonedIsNotFinished);
  CPPUNIT_TEST_SUITE_END();

public:
  void allIsWorkedOnInOrder() {
    for (const std::size_t step : {std::size_t{7'001}, std::size_t{200'000}, std::size_t{20'000'000}}) {
      const auto text = pattern(20'000'000);
      std::string seen;
      BlockWorker worker([&](std::uint64_t offset, ByteView bytes) {
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{seen.size()}, offset);
        seen += asText(bytes);
      });
      for (std::size_t at = 0; at < text.size(); at += step) {
        worker.add(at, asBytes(text).subspan(at, std::min(step, text.size() - at)));
      }
      worker.add(text.size(), {});
      worker.finish();
      CPPUNIT_ASSERT(seen == text);
    }
  }

  void smallPiecesAreGathered() {
    std::size_t calls = 0;
    BlockWorker worker([&](std::uint64_t, ByteView) { ++calls; });
    feed(worker, 0, 4'194'304);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4'194'304 / 1'024}, calls); // at once, in this thread
    feed(worker, 4'194'304, 13'107'200);
    worker.finish();
    CPPUNIT_ASSERT_EQUAL(std::size_t{4'096 + 100}, calls);
  }

  void severalPlacesGrowAtOnce() {
    constexpr std::uint64_t apart = 1ULL << 40U;
    std::map<std::uint64_t, std::uint64_t> ends;
    BlockWorker worker([&](std::uint64_t offset, ByteView bytes) {
      auto &end = ends.try_emplace(offset / apart, offset / apart * apart).first->second;
      CPPUNIT_ASSERT_EQUAL(end, offset);
      end += bytes.size();
    });
    const auto piece = pattern(10'000);
    for (std::uint64_t round = 0; round < 700; ++round) {
      for (std::uint64_t place = 0; place < 5; ++place) {
        worker.add(place * apart + round * piece.size(), asBytes(piece));
      }
    }
    worker.finish();
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, ends.size());
    for (const auto &[place, end] : ends) {
      CPPUNIT_ASSERT_EQUAL(place * apart + 7'000'000, end);
    }
  }

  void whatTheWorkThrowsReachesTheOwner() {
    std::size_t after = 0;
    bool thrown = false;
    BlockWorker worker([&](std::uint64_t offset, ByteView) {
      if (thrown) {
        ++after;
      }
      if (offset >= 10'000'000) {
        thrown = true;
        throw std::runtime_error("the disk is gone");
      }
    });
    CPPUNIT_ASSERT_THROW(feed(worker, 0, 50'000'000), std::runtime_error);
    CPPUNIT_ASSERT_THROW(worker.finish(), std::runtime_error);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, after);

    BlockWorker last([](std::uint64_t offset, ByteView bytes) {
      if (offset + bytes.size() > 5'000'000) {
        throw std::runtime_error("the disk is gone");
      }
    });
    feed(last, 0, 5'100'000);
    CPPUNIT_ASSERT_THROW(last.finish(), std::runtime_error);
  }

  void whatIsAbandonedIsNotFinished() {
    std::uint64_t worked = 0;
    {
      BlockWorker worker([&](std::uint64_t, ByteView bytes) {
        worked += bytes.size();
        if (worked > 5'000'000) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      });
      feed(worker, 0, 6'000'000);
    }
    CPPUNIT_ASSERT(worked >= 4'194'304);
    CPPUNIT_ASSERT(worked < 6'000'000);
  }

private:
  static std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = static_cast<char>((i * 131) >> 3);
    }
    return text;
  }

  static void feed(BlockWorker &worker, std::uint64_t from, std::uint64_t bytes) {
    const std::string piece(1'024, 'x');
    for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
      worker.add(from + at, asBytes(piece).first(std::min<std::uint64_t>(piece.size(), bytes - at)));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BlockWorkerTest);

} // namespace
