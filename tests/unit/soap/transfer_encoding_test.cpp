// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/transfer_encoding.hpp"

#include "multipart_support.hpp"

#include <array>
#include <utility>

namespace waybill::soap {
namespace {

using test::ChunkSource;
using test::expectFault;
using test::randomBytes;
using test::readParts;

std::string decoded(std::string_view encoding, const std::string &text, std::size_t chunk = 1000) {
  ChunkSource encoded(text, chunk);
  const auto decoder = transferDecoder(encoding, encoded);
  CPPUNIT_ASSERT(decoder);
  return test::everything(*decoder);
}

void refuse(std::string_view encoding, const std::string &text, std::string_view why) {
  expectFault(FaultCode::InvalidMessage, why, [&] { (void)decoded(encoding, text); });
  expectFault(FaultCode::InvalidMessage, why, [&] { (void)decoded(encoding, text, 1); });
}

std::string base64(std::string_view bytes, std::size_t lineLength) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto group = bytes.substr(i, 3);
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8U | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= group.size() ? alphabet[bits >> (18 - 6 * k) & 63U] : '=';
      if (lineLength != 0 && text.size() % (lineLength + 2) == lineLength) {
        text += "\r\n";
      }
    }
  }
  return text;
}

class TransferEncodingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TransferEncodingTest);
  CPPUNIT_TEST(leavesIdentityEncodingsAlone);
  CPPUNIT_TEST(refusesUnknownEncodings);
  CPPUNIT_TEST(decodesBase64);
  CPPUNIT_TEST(decodesRandomBase64);
  CPPUNIT_TEST(refusesBadBase64);
  CPPUNIT_TEST(decodesQuotedPrintable);
  CPPUNIT_TEST(refusesBadQuotedPrintable);
  CPPUNIT_TEST(decodesParts);
  CPPUNIT_TEST(refusesPartsThatDecodeBadly);
  CPPUNIT_TEST_SUITE_END();

  void leavesIdentityEncodingsAlone() {
    ChunkSource source("");
    for (const auto *name : {"", "binary", "7bit", "8bit", " Binary ", "7BIT"}) {
      CPPUNIT_ASSERT_MESSAGE(name, !transferDecoder(name, source));
    }
  }

  void refusesUnknownEncodings() {
    ChunkSource source("");
    for (const auto *name : {"gzip", "x-uuencode", "base-64", "7 bit", "binary; x"}) {
      expectFault(FaultCode::InvalidMessage, name, [&] { (void)transferDecoder(name, source); });
    }
  }

  void decodesBase64() {
    CPPUNIT_ASSERT_EQUAL(std::string(), decoded("base64", ""));
    CPPUNIT_ASSERT_EQUAL(std::string(), decoded("BASE64", "\r\n \t\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("f"), decoded("Base64", "Zg=="));
    CPPUNIT_ASSERT_EQUAL(std::string("fo"), decoded("base64", "Zm8="));
    CPPUNIT_ASSERT_EQUAL(std::string("foo"), decoded("base64", "Zm9v"));
    CPPUNIT_ASSERT_EQUAL(std::string("foobar"), decoded("base64", "Zm\n9v\r\n Y\tmFy\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("fo"), decoded("base64", "Z m 8 = \r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("f"), decoded("base64", "Zg=\r\n=\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("\xfb\xff\xbf"), decoded("base64", "+/+/"));
  }

  void decodesRandomBase64() {
    for (unsigned seed = 0; seed < 60; ++seed) {
      const auto bytes = randomBytes(seed * seed * 40 + seed % 7, seed);
      const auto text = base64(bytes, std::array<std::size_t, 4>{0, 76, 64, 17}.at(seed % 4));
      CPPUNIT_ASSERT(bytes == decoded("base64", text, seed % 5 == 0 ? 1 : 0));
      CPPUNIT_ASSERT(bytes == decoded("base64", text, 1U << 20U));
    }
  }

  void refusesBadBase64() {
    for (const auto *text : {"Z", "Zg", "Zg=", "Zm8", "Zm9vZ", "Zm9v\r\n\r\nZg=\r\n"}) {
      refuse("base64", text, "not whole");
    }
    for (const auto *text : {"Zm9v!", "Zm-v", "Zm_v", "Zm9v\x01", "Zm9v\xc3", "Zm9v\x0b", "--b"}) {
      refuse("base64", text, "alphabet");
    }
    for (const auto *text : {"=", "Z===", "====", "Zg===", "Zm8==", "Zm9v=", "Zm9v===="}) {
      refuse("base64", text, "'='");
    }
    refuse("base64", "Zg==Zg==", "follows the padding");
    refuse("base64", "Zg=a", "follows the padding");
    refuse("base64", "Zh==", "bits");
    refuse("base64", "Zm9=", "bits");
    refuse("base64", "Zm9vZm9v\r\nZm9*", "byte 13");
  }

  void decodesQuotedPrintable() {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ""},
        {"plain text", "plain text"},
        {"a=3Db=20=09\r\n", "a=b \t\r\n"},
        {"=e4=C3=a4", "\xe4\xc3\xa4"},
        {"soft=\r\nbreak", "softbreak"},
        {"soft= \t\r\nbreak", "softbreak"},
        {"blanks at the end \t \r\nof a line", "blanks at the end\r\nof a line"},
        {"blanks  \t within", "blanks  \t within"},
        {"ends in a soft break=", "ends in a soft break"},
        {"ends in a soft break= ", "ends in a soft break"},
        {"ends in blanks  ", "ends in blanks"},
        {" =\r\n x", "  x"},
        {"\r\n\r\n", "\r\n\r\n"},
        {"=00=0D=0A=FF", std::string("\0\r\n\xff", 4)}};
    for (const auto &[text, bytes] : cases) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, bytes, decoded("quoted-printable", text));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, bytes, decoded("Quoted-Printable", text, 1));
    }
  }

  void refusesBadQuotedPrintable() {
    for (const auto *text : {"=4", "a\r", "soft=\r"}) {
      refuse("quoted-printable", text, "in the middle");
    }
    for (const auto *text : {"=4G", "=G4", "==", "=\n", "= x", "=\rx", "=3", "=-1"}) {
      refuse("quoted-printable", text, text[1] == '3' ? "in the middle" : "'='");
    }
    refuse("quoted-printable", "a\rb", "CR comes without LF");
    refuse("quoted-printable", "a\nb", "line end of CR LF");
    refuse("quoted-printable", "\xc3\xa4", "printable ASCII");
    refuse("quoted-printable", "a\x01", "byte 1 ");
    refuse("quoted-printable", "x" + std::string(999, ' ') + "y", "blanks stand in a row");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, decoded("quoted-printable", "x" + std::string(998, ' ') + "y").size());
  }

  void decodesParts() {
    const auto bytes = randomBytes(300'000, 8);
    const auto body = "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64(bytes, 76) +
                      "\r\n--b\r\nContent-Transfer-Encoding: "
                      "quoted-printable\r\n\r\n=\r\n--bx=3D\r\n--b\r\nContent-Transfer-Encoding: "
                      "8bit\r\n\r\n=3D\r\n--b--";
    for (const std::size_t block : {7U, 100'000U}) {
      ChunkSource source(body, 0);
      const auto parts = readParts(source, "b", block);
      CPPUNIT_ASSERT_EQUAL(std::size_t{3}, parts.size());
      CPPUNIT_ASSERT(bytes == parts[0].bytes);
      CPPUNIT_ASSERT_EQUAL(std::string("--bx="), parts[1].bytes);
      CPPUNIT_ASSERT_EQUAL(std::string("=3D"), parts[2].bytes);
    }
  }

  void refusesPartsThatDecodeBadly() {
    const auto part = [](const std::string &encoding, const std::string &text) {
      return "--b\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + text + "\r\n--b--";
    };
    expectFault(FaultCode::InvalidMessage, "base64", [&] { readParts(part("base64", "Zg")); });
    expectFault(FaultCode::InvalidMessage, "quoted-printable", [&] { readParts(part("quoted-printable", "=zz")); });
    expectFault(FaultCode::InvalidMessage, "'x-token'", [&] { readParts(part("x-token", "")); });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TransferEncodingTest);

} // namespace
} // namespace waybill::soap
