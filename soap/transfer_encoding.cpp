// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/transfer_encoding.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace waybill::soap {

namespace {

/// Pulls blocks, has them decoded, and hands the result out piece by piece.
class BlockDecoder : public Source {
public:
  BlockDecoder(std::string name, Source &encoded) : name_(std::move(name)), encoded_(encoded), in_(64ULL << 10U) {}

  std::size_t read(std::span<std::byte> into) final {
    if (into.empty()) {
      return 0;
    }
    while (ready_.empty() && !ended_) {
      const auto count = encoded_.read(in_);
      ended_ = count == 0;
      if (ended_) {
        finish();
      } else {
        ready_ = decode(ByteView(in_).first(count));
        offset_ += count;
      }
    }
    const auto count = std::min(into.size(), ready_.size());
    if (count != 0) {
      std::memcpy(into.data(), ready_.data(), count);
      ready_ = ready_.subspan(count);
    }
    return count;
  }

protected:
  /// The decoded bytes of `in`; valid until the next call.
  virtual ByteView decode(ByteView in) = 0;
  /// Checks that the encoded bytes may end here.
  virtual void finish() = 0;

  [[noreturn]] void refuse(const std::string &what, std::size_t at) const {
    throw Fault(FaultCode::InvalidMessage, "a part says Content-Transfer-Encoding: " + name_ + ", but " + what +
                                               " at byte " + std::to_string(offset_ + at) +
                                               " of it; encode it anew, or send it as binary");
  }

private:
  std::string name_;
  Source &encoded_;
  Bytes in_;
  ByteView ready_;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

constexpr std::uint8_t notBase64 = 0x80;

constexpr std::array<std::uint8_t, 256> base64Values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(notBase64);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::uint32_t base64Value(std::byte byte) noexcept { return base64Values[std::to_integer<std::uint8_t>(byte)]; }

/// RFC 2045 section 6.8, RFC 4648 section 4.
class Base64Source final : public BlockDecoder {
public:
  explicit Base64Source(Source &encoded) : BlockDecoder("base64", encoded) {}

private:
  ByteView decode(ByteView in) override {
    // Up to three characters wait from the block before.
    out_.resize((in.size() + 3) / 4 * 3 + 3);
    end_ = out_.data();
    std::size_t at = 0;
    while (at < in.size()) {
      if (held_ == 0 && padding_ == 0) {
        at += decodeGroups(in.subspan(at));
      }
      if (at < in.size()) {
        decodeOne(in[at], at);
        ++at;
      }
    }
    return {out_.data(), static_cast<std::size_t>(end_ - out_.data())};
  }

  /// Whole groups of four as far as nothing but the alphabet comes; how many bytes they took.
  std::size_t decodeGroups(ByteView in) noexcept {
    std::size_t at = 0;
    for (; at + 4 <= in.size(); at += 4) {
      const auto a = base64Value(in[at]);
      const auto b = base64Value(in[at + 1]);
      const auto c = base64Value(in[at + 2]);
      const auto d = base64Value(in[at + 3]);
      if (((a | b | c | d) & notBase64) != 0) {
        break;
      }
      put(a << 18U | b << 12U | c << 6U | d, 3);
    }
    return at;
  }

  void decodeOne(std::byte byte, std::size_t at) {
    const auto c = std::to_integer<char>(byte);
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') {
      return;
    }
    if (c == '=') {
      pad(at);
      return;
    }
    const auto value = base64Value(byte);
    if (value == notBase64 || padding_ != 0) {
      refuse(padding_ != 0 ? "something follows the padding" : "a character is not of its alphabet", at);
    }
    bits_ = bits_ << 6U | value;
    if (++held_ == 4) {
      put(bits_, 3);
      held_ = 0;
      bits_ = 0;
    }
  }

  void pad(std::size_t at) {
    if (held_ < 2 || held_ + padding_ >= 4) {
      refuse("a '=' stands where none belongs", at);
    }
    if (held_ + ++padding_ < 4) {
      return;
    }
    const auto unused = held_ == 2 ? 4U : 2U;
    if ((bits_ & ((1U << unused) - 1)) != 0) {
      refuse("the last group has bits that belong to no byte", at);
    }
    put(bits_ << (6 * padding_), held_ - 1);
  }

  void put(std::uint32_t bits, unsigned count) noexcept {
    for (unsigned i = 0; i < count; ++i) {
      *end_++ = static_cast<std::byte>(bits >> (16 - 8 * i) & 0xFFU);
    }
  }

  void finish() override {
    if (held_ != 0 && held_ + padding_ != 4) {
      refuse("the last group of four characters is not whole", 0);
    }
  }

  Bytes out_;
  std::byte *end_ = nullptr;
  std::uint32_t bits_ = 0;
  unsigned held_ = 0;
  unsigned padding_ = 0;
};

int hexValue(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// RFC 2045 section 6.7. Lower-case hex digits are taken, as its notes recommend.
class QuotedPrintableSource final : public BlockDecoder {
public:
  explicit QuotedPrintableSource(Source &encoded) : BlockDecoder("quoted-printable", encoded) {}

private:
  enum class After { Text, LineCr, Equals, Digit, SoftBlank, SoftCr };

  ByteView decode(ByteView in) override {
    out_.clear();
    const auto text = asText(in);
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (after_ == After::Text) {
        decodeText(text[at], at);
      } else {
        decodeSpecial(text[at], at);
      }
    }
    return asBytes(out_);
  }

  void decodeText(char c, std::size_t at) {
    if (c == ' ' || c == '\t') {
      // Blanks at a line's end were added on the way (rule 3), so they wait until something follows.
      blanks_ += c;
      if (blanks_.size() > maxBlanks) {
        refuse("more than " + std::to_string(maxBlanks) + " blanks stand in a row", at);
      }
    } else if (c == '\r') {
      blanks_.clear();
      after_ = After::LineCr;
    } else if (c > ' ' && c < '\x7f') {
      out_ += blanks_;
      blanks_.clear();
      if (c == '=') {
        after_ = After::Equals;
      } else {
        out_ += c;
      }
    } else {
      refuse("a byte is neither printable ASCII nor a line end of CR LF", at);
    }
  }

  void decodeSpecial(char c, std::size_t at) {
    const int digit = hexValue(c);
    if ((after_ == After::LineCr || after_ == After::SoftCr) && c == '\n') {
      out_ += after_ == After::LineCr ? "\r\n" : "";
      after_ = After::Text;
    } else if (after_ == After::Equals && digit >= 0) {
      high_ = digit;
      after_ = After::Digit;
    } else if (after_ == After::Digit && digit >= 0) {
      out_ += static_cast<char>(high_ * 16 + digit);
      after_ = After::Text;
    } else if ((after_ == After::Equals || after_ == After::SoftBlank) && (c == ' ' || c == '\t')) {
      after_ = After::SoftBlank;
    } else if ((after_ == After::Equals || after_ == After::SoftBlank) && c == '\r') {
      after_ = After::SoftCr;
    } else {
      refuse(after_ == After::LineCr ? "a CR comes without LF"
                                     : "a '=' is followed by neither two hex digits nor a line end",
             at);
    }
  }

  void finish() override {
    // A soft break's own line end may be the one that belongs to the boundary.
    if (after_ == After::Digit || after_ == After::LineCr || after_ == After::SoftCr) {
      refuse("it ends in the middle of an escape or line end", 0);
    }
  }

  static constexpr std::size_t maxBlanks = 998;
  std::string out_;
  std::string blanks_;
  After after_ = After::Text;
  int high_ = 0;
};

} // namespace

std::unique_ptr<Source> transferDecoder(std::string_view encoding, Source &encoded) {
  const auto name = lowerCase(trimmed(encoding));
  if (name.empty() || name == "binary" || name == "7bit" || name == "8bit") {
    return nullptr;
  }
  if (name == "base64") {
    return std::make_unique<Base64Source>(encoded);
  }
  if (name == "quoted-printable") {
    return std::make_unique<QuotedPrintableSource>(encoded);
  }
  throw Fault(FaultCode::InvalidMessage,
              "a part has the unknown Content-Transfer-Encoding '" + printable(encoding, 100) +
                  "'; known are binary, 8bit, 7bit, base64 and quoted-printable",
              "Content-Transfer-Encoding");
}

} // namespace waybill::soap
