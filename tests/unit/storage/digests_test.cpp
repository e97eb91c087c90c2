// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/digests.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using waybill::asBytes;
using waybill::storage::Digester;

class DigestsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DigestsTest);
  CPPUNIT_TEST(knownVectors);
  CPPUNIT_TEST(howItIsCutUpDoesNotMatter);
  CPPUNIT_TEST(adlerAfterManyWraps);
  CPPUNIT_TEST(movedDigesterGoesOn);
  CPPUNIT_TEST(largeContentInPiecesOfAnySize);
  CPPUNIT_TEST(movedAndAbandonedOnTheWay);
  CPPUNIT_TEST_SUITE_END();

public:
  void knownVectors() {
    struct Vector {
      std::string text;
      std::string sha256;
      std::string adler32;
    };
    // The SHA-256 examples of FIPS 180-4 (NIST's example values); adler32 (RFC 1950 section 9) by zlib through Python.
    const std::vector<Vector> vectors{
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "00000001"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "024d0127"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "807416f9"},
        {"Wikipedia", "d38b38a2dd476e045c299e8ee5d6466834456d97bd592a71746b423a6a05f386", "11e60398"},
        {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", "15d870f9"},
    };
    for (const auto &vector : vectors) {
      Digester digester;
      digester.update(asBytes(vector.text));
      CPPUNIT_ASSERT_EQUAL(vector.adler32, digester.adler32Hex());
      CPPUNIT_ASSERT_EQUAL(vector.sha256, digester.sha256Hex());
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{vector.text.size()}, digester.size());
    }
  }

  void howItIsCutUpDoesNotMatter() {
    std::string text;
    for (int i = 0; i < 200'000; ++i) {
      text += static_cast<char>(i * 7 + i / 251);
    }
    Digester whole;
    whole.update(asBytes(text));
    Digester pieces;
    std::size_t step = 1;
    for (std::size_t at = 0; at < text.size(); at += step, step = step * 3 + 1) {
      pieces.update(asBytes(text).subspan(at, std::min(step, text.size() - at)));
      pieces.update({});
    }
    CPPUNIT_ASSERT_EQUAL(whole.size(), pieces.size());
    CPPUNIT_ASSERT_EQUAL(whole.adler32Hex(), pieces.adler32Hex());
    CPPUNIT_ASSERT_EQUAL(whole.sha256Hex(), pieces.sha256Hex());
  }

  void adlerAfterManyWraps() {
    // Both sums at their largest, over and over: a wrong modulus shows here.
    Digester digester;
    const std::string block(1 << 20, '\xff');
    for (int i = 0; i < 16; ++i) {
      digester.update(asBytes(block));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("9933f1d3"), digester.adler32Hex());
  }

  void movedDigesterGoesOn() {
    Digester first;
    first.update(asBytes("ab"));
    Digester second = std::move(first);
    second.update(asBytes("c"));
    CPPUNIT_ASSERT_EQUAL(std::string("024d0127"), second.adler32Hex());
    CPPUNIT_ASSERT_EQUAL(std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                         second.sha256Hex());
  }

  void largeContentInPiecesOfAnySize() {
    const auto text = largeText();
    for (const std::size_t step : {std::size_t{16'000}, std::size_t{262'144}, std::size_t{3'000'001}, text.size()}) {
      Digester digester;
      feed(digester, text, 0, step);
      checkLarge(digester);
    }
  }

  void movedAndAbandonedOnTheWay() {
    const auto text = largeText();
    Digester first;
    feed(first, text.substr(0, 10'000'000), 0, 100'000);
    Digester second = std::move(first);
    feed(second, text, 10'000'000, 100'000);
    checkLarge(second);
    Digester abandoned;
    feed(abandoned, text, 0, 1'000'000);
    abandoned = Digester();
    CPPUNIT_ASSERT_EQUAL(std::string("00000001"), abandoned.adler32Hex());
  }

private:
  static std::string largeText() {
    std::string text(20'000'003, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) {
      text[i] = static_cast<char>((i * 131) >> 3);
    }
    return text;
  }

  static void feed(Digester &digester, const std::string &text, std::size_t from, std::size_t step) {
    for (auto at = from; at < text.size(); at += step) {
      digester.update(asBytes(text).subspan(at, std::min(step, text.size() - at)));
    }
  }

  static void checkLarge(Digester &digester) {
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{20'000'003}, digester.size());
    CPPUNIT_ASSERT_EQUAL(std::string("b814d30b"), digester.adler32Hex());
    CPPUNIT_ASSERT_EQUAL(std::string("b97c61ed1658f393f65a20bbaced445c1a935ce859a6f3b6030400d8ac1f0c8d"),
                         digester.sha256Hex());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DigestsTest);

} // namespace
