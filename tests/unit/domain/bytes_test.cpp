// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/bytes.hpp"

#include "domain/data.hpp"
#include "domain/fault.hpp"
#include "domain/random.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <array>

namespace {

using namespace waybill;

/// Gives its bytes one at a time, as a slow peer would.
class Trickle final : public Source {
public:
  explicit Trickle(std::string text) : text_(std::move(text)) {}
  std::size_t read(std::span<std::byte> into) override {
    if (at_ == text_.size() || into.empty()) {
      return 0;
    }
    into[0] = static_cast<std::byte>(text_[at_++]);
    return 1;
  }

private:
  std::string text_;
  std::size_t at_ = 0;
};

/// Counts up, so that the result is known.
class Counting final : public Random {
public:
  void fill(std::span<std::byte> into) override {
    for (auto &byte : into) {
      byte = static_cast<std::byte>(next_++);
    }
  }

private:
  unsigned next_ = 0xF8;
};

class BytesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BytesTest);
  CPPUNIT_TEST(hexIsLowerCase);
  CPPUNIT_TEST(hexIsReadInEitherCase);
  CPPUNIT_TEST(otherThanHexIsRefused);
  CPPUNIT_TEST(sourcesGiveWhatThereIs);
  CPPUNIT_TEST(emptyReadsTakeNothing);
  CPPUNIT_TEST(sourcesKnowWhatIsLeft);
  CPPUNIT_TEST(everythingIsCopied);
  CPPUNIT_TEST(readingAllKeepsTheLimit);
  CPPUNIT_TEST(randomIdsAre32HexDigits);
  CPPUNIT_TEST(digestAlgorithmsHaveNames);
  CPPUNIT_TEST_SUITE_END();

public:
  void hexIsLowerCase() {
    CPPUNIT_ASSERT_EQUAL(std::string("00ff10ab"), toHex(asBytes(std::string_view("\0\xFF\x10\xAB", 4))));
    CPPUNIT_ASSERT_EQUAL(std::string(), toHex({}));
  }

  void hexIsReadInEitherCase() {
    std::string all;
    for (int i = 0; i < 256; ++i) {
      all += static_cast<char>(i);
    }
    const auto hex = toHex(asBytes(all));
    CPPUNIT_ASSERT_EQUAL(all, std::string(asText(fromHex(hex).value())));
    auto upper = hex;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    CPPUNIT_ASSERT_EQUAL(all, std::string(asText(fromHex(upper).value())));
    CPPUNIT_ASSERT(fromHex("").value().empty());
  }

  void otherThanHexIsRefused() {
    for (const auto *text : {"a", "abc", "0g", "g0", " 0", "0x", "-1", "\xC3\xA9"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !fromHex(text));
    }
  }

  void sourcesGiveWhatThereIs() {
    StringSource source("abcdef");
    std::array<std::byte, 4> block{};
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, source.read(block));
    CPPUNIT_ASSERT_EQUAL(std::string_view("abcd"), asText(block));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, source.read(block));
    CPPUNIT_ASSERT_EQUAL(std::string_view("ef"), asText(ByteView(block).first(2)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, source.read(block));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, source.read(block));
  }

  void emptyReadsTakeNothing() {
    StringSource source("a");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, source.read({}));
    std::array<std::byte, 1> block{};
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, source.read(block));
  }

  void sourcesKnowWhatIsLeft() {
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{6}, StringSource("abcdef").size().value());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, ViewSource(asBytes("ab")).size().value());
    CPPUNIT_ASSERT(!Trickle("a").size());
  }

  void everythingIsCopied() {
    const std::string text(copyBlock * 2 + 17, 'x');
    StringSource source(text);
    StringSink sink;
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{text.size()}, copyAll(source, sink));
    CPPUNIT_ASSERT(text == sink.text());
    Trickle slow("abc");
    StringSink other;
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, copyAll(slow, other));
    CPPUNIT_ASSERT_EQUAL(std::string("abc"), other.text());
  }

  void readingAllKeepsTheLimit() {
    Trickle source("abc");
    CPPUNIT_ASSERT_EQUAL(std::string("abc"), readAll(source, 3, "the thing"));
    StringSource larger(std::string(100'000, 'x'));
    try {
      (void)readAll(larger, 99'999, "the thing");
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT(fault.code() == FaultCode::TooLarge);
      CPPUNIT_ASSERT(fault.reason().find("the thing") != std::string::npos);
      CPPUNIT_ASSERT(fault.reason().find("99999") != std::string::npos);
      return;
    }
    CPPUNIT_FAIL("more than the limit was read");
  }

  void randomIdsAre32HexDigits() {
    Counting random;
    CPPUNIT_ASSERT_EQUAL(std::string("f8f9fafbfcfdfeff0001020304050607"), randomId(random));
    CPPUNIT_ASSERT_EQUAL(std::string("08090a0b0c0d0e0f1011121314151617"), randomId(random));
  }

  void digestAlgorithmsHaveNames() {
    for (const auto algorithm : {DigestAlgorithm::Sha256, DigestAlgorithm::Adler32}) {
      CPPUNIT_ASSERT(digestAlgorithmNamed(name(algorithm)) == algorithm);
    }
    CPPUNIT_ASSERT(!digestAlgorithmNamed("SHA-256"));
    CPPUNIT_ASSERT(!digestAlgorithmNamed("md5"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BytesTest);

} // namespace
