// SPDX-License-Identifier: GPL-3.0-or-later
#include "multipart_support.hpp"

#include <array>

namespace waybill::soap {
namespace {

using test::ChunkSource;
using test::expectFault;
using test::randomBytes;
using test::readParts;

/// Data made of what a scanner of boundaries may stumble over.
std::string nastyData(std::mt19937 &random, const std::string &boundary) {
  const std::array<std::string, 9> bits{
      "\r", "\n", "\r\n", "\r\n--", "--", "\r\n--" + boundary, boundary, "-", "\r\n--" + boundary + "-"};
  std::string data;
  for (auto count = random() % 60; count > 0; --count) {
    const auto choice = random() % 12;
    data += choice < bits.size()
                ? bits[choice]
                : std::string(random() % (choice == 11 ? 3000 : 10), static_cast<char>('a' + random() % 3));
    // No delimiter line by accident: an "x" behind every boundary text that could make one.
    if (data.ends_with(boundary) || data.ends_with(boundary + "-")) {
      data += 'x';
    }
  }
  return "x" + data;
}

std::string part(const std::string &boundary, const std::string &data) {
  return "--" + boundary + "\r\nX: y\r\n\r\n" + data + "\r\n";
}

/// A text in two pieces.
class TwoPieces final : public Source {
public:
  TwoPieces(std::string_view text, std::size_t split)
      : first_(asBytes(text.substr(0, split))), second_(asBytes(text.substr(split))) {}
  std::size_t read(std::span<std::byte> into) override {
    const auto count = first_.read(into);
    return count != 0 ? count : second_.read(into);
  }

private:
  ViewSource first_;
  ViewSource second_;
};

/// A body of 4.2 GiB, or of any size, made while it is read: `front`, then `pattern` over and over, then `back`.
class EndlessSource final : public Source {
public:
  EndlessSource(std::string front, std::string pattern, std::uint64_t repeats, std::string back)
      : front_(std::move(front)), pattern_(std::move(pattern)), back_(std::move(back)),
        total_(front_.size() + pattern_.size() * repeats + back_.size()) {}

  std::size_t read(std::span<std::byte> into) override {
    const auto from = here();
    const auto count = std::min(from.size(), into.size());
    if (count != 0) {
      std::memcpy(into.data(), from.data(), count);
    }
    at_ += count;
    return count;
  }

private:
  [[nodiscard]] std::string_view here() const {
    const auto body = total_ - back_.size();
    if (at_ < front_.size()) {
      return std::string_view(front_).substr(at_);
    }
    return at_ < body ? std::string_view(pattern_).substr((at_ - front_.size()) % pattern_.size())
                      : std::string_view(back_).substr(at_ - body);
  }

  std::string front_;
  std::string pattern_;
  std::string back_;
  std::uint64_t total_;
  std::uint64_t at_ = 0;
};

class MultipartStreamTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MultipartStreamTest);
  CPPUNIT_TEST(findsBoundariesSplitAtEveryPlace);
  CPPUNIT_TEST(readsTheSameInAnyPieces);
  CPPUNIT_TEST(readsRandomPartsWhole);
  CPPUNIT_TEST(readsRandomBinaryPartsWhole);
  CPPUNIT_TEST(refusesEveryCutMessage);
  CPPUNIT_TEST(readsMoreThanFourGibibytes);
  CPPUNIT_TEST_SUITE_END();

  void findsBoundariesSplitAtEveryPlace() {
    const std::string body =
        "pre\r\n--bound  \r\nContent-ID: <1>\r\n\r\none\r\n--bounds\r\n\r\n--bound\r\n\r\n\r\n--bound-- \r\nend";
    for (std::size_t split = 0; split <= body.size(); ++split) {
      for (const std::size_t block : {1U, 7U, 100'000U}) {
        TwoPieces source(body, split);
        const auto parts = readParts(source, "bound", block);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, parts.size());
        CPPUNIT_ASSERT_EQUAL(std::string("one\r\n--bounds\r\n"), parts[0].bytes);
        CPPUNIT_ASSERT_EQUAL(std::string(), parts[1].bytes);
      }
    }
  }

  void readsTheSameInAnyPieces() {
    const std::string data = randomBytes(3000, 5) + "\r\n--b" + randomBytes(3000, 6) + "\r";
    const auto body = "--b\r\nContent-ID: 1\r\n\r\n" + data + "\r\n--b\t\r\n\r\n" + data + "\r\n--b--\r\n";
    for (const std::size_t chunk : {1U, 2U, 3U, 5U, 64U, 1000U, 100'000U}) {
      for (const std::size_t block : {1U, 3U, 1000U, 40'000U, 300'000U}) {
        ChunkSource source(body, chunk);
        const auto parts = readParts(source, "b", block);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, parts.size());
        CPPUNIT_ASSERT(parts[0].bytes == data && parts[1].bytes == data);
      }
    }
  }

  void readsRandomPartsWhole() {
    for (unsigned seed = 0; seed < 400; ++seed) {
      std::mt19937 random(seed);
      const auto boundary = std::string(1 + random() % 69, static_cast<char>(seed % 2 == 0 ? '-' : 'b')) + "z";
      std::vector<std::string> sent(random() % 8);
      std::string body = random() % 2 == 0 ? "" : "preamble\r\n";
      for (auto &bytes : sent) {
        bytes = nastyData(random, boundary);
        body += part(boundary, bytes);
      }
      body += "--" + boundary + "--\r\n";
      ChunkSource source(body, 0, seed);
      const auto parts = readParts(source, boundary, 1 + random() % 70'000);
      CPPUNIT_ASSERT_EQUAL(sent.size(), parts.size());
      for (std::size_t i = 0; i < sent.size(); ++i) {
        CPPUNIT_ASSERT_MESSAGE("seed " + std::to_string(seed), sent[i] == parts[i].bytes);
      }
    }
  }

  void readsRandomBinaryPartsWhole() {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const auto data = randomBytes(700'000 + seed * 1000, seed);
      ChunkSource source(part("a-b", data) + part("a-b", data) + "--a-b--", seed % 2 == 0 ? 0 : 50'000, seed);
      const auto parts = readParts(source, "a-b", seed % 3 == 0 ? 4096 : 262'144);
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, parts.size());
      CPPUNIT_ASSERT(parts[0].bytes == data && parts[1].bytes == data);
    }
  }

  void refusesEveryCutMessage() {
    std::mt19937 random(3);
    const auto body = "--b\r\nX: y\r\n\r\n" + nastyData(random, "b") + "\r\n--b--";
    for (std::size_t length = 0; length < body.size(); length += 1 + length / 50) {
      ChunkSource source(body.substr(0, length), 0, 9);
      expectFault(FaultCode::InvalidMessage, "multipart message", [&] { readParts(source, "b", 50'000); });
    }
  }

  void readsMoreThanFourGibibytes() {
    const auto pattern = randomBytes(1U << 20U, 11);
    const std::uint64_t repeats = 4300;
    EndlessSource source("--waybill-big\r\n\r\n", pattern, repeats,
                         "\r\n--waybill-big\r\nContent-ID: last\r\n\r\nend\r\n--waybill-big--");
    MultipartReader reader(source, "waybill-big", {});
    CPPUNIT_ASSERT(reader.next());
    Bytes block(copyBlock);
    std::uint64_t total = 0;
    while (const auto count = reader.read(block)) {
      const auto from = total % pattern.size();
      const auto first = std::min(count, pattern.size() - from);
      CPPUNIT_ASSERT(std::memcmp(block.data(), pattern.data() + from, first) == 0);
      CPPUNIT_ASSERT(std::memcmp(block.data() + first, pattern.data(), count - first) == 0);
      total += count;
    }
    CPPUNIT_ASSERT_EQUAL(repeats * pattern.size(), total);
    CPPUNIT_ASSERT_EQUAL(std::string("last"), reader.next().value().contentId);
    CPPUNIT_ASSERT_EQUAL(std::string("end"), test::readPart(reader));
    CPPUNIT_ASSERT(!reader.next());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MultipartStreamTest);

} // namespace
} // namespace waybill::soap
