// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/xml.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <iconv.h>

#include <algorithm>
#include <cstdint>

namespace waybill::soap::xml {

namespace {

constexpr std::string_view utf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view bigEndianMark = "\xFE\xFF";
constexpr std::string_view littleEndianMark = "\xFF\xFE";

[[noreturn]] void refuse(const std::string &why) {
  throw Fault(FaultCode::InvalidMessage, why + "; send the message in UTF-8");
}

/// The value of `encoding` in the XML declaration, in lower case; empty when there is none.
std::string declared(std::string_view text) {
  if (!text.starts_with("<?xml")) {
    return {};
  }
  auto declaration = text.substr(0, std::min<std::size_t>(text.find("?>"), 256));
  const auto name = declaration.find("encoding");
  if (name == std::string_view::npos) {
    return {};
  }
  declaration.remove_prefix(name);
  const auto begin = declaration.find_first_of("\"'");
  if (begin == std::string_view::npos) {
    return {};
  }
  const auto end = declaration.find(declaration[begin], begin + 1);
  return end == std::string_view::npos ? std::string() : lowerCase(declaration.substr(begin + 1, end - begin - 1));
}

/// XML 1.0 appendix F, as far as it is needed to tell UTF-16 from what looks like ASCII.
std::string detected(std::string_view text) {
  if (text.starts_with(utf8Mark)) {
    return "utf-8";
  }
  if (text.starts_with(littleEndianMark) || text.starts_with(std::string_view("<\0", 2))) {
    return "utf-16le";
  }
  if (text.starts_with(bigEndianMark) || text.starts_with(std::string_view("\0<", 2))) {
    return "utf-16be";
  }
  const auto said = declared(text);
  if (said.starts_with("utf-16")) {
    refuse("the XML declaration says " + printable(said, 20) + ", but the bytes are not");
  }
  return said.empty() ? "utf-8" : said;
}

std::string byteOrder(std::string_view text) {
  return text.starts_with(bigEndianMark) || text.starts_with('\0') ? "utf-16be" : "utf-16le";
}

/// iconv with an owner. (libxml2's own conversion writes to stderr what it finds wrong.)
class Converter {
public:
  explicit Converter(const std::string &charset) : handle_(iconv_open("UTF-8", charset.c_str())) {}
  ~Converter() {
    if (ready()) {
      iconv_close(handle_);
    }
  }
  Converter(const Converter &) = delete;
  Converter &operator=(const Converter &) = delete;

  [[nodiscard]] bool ready() const noexcept { return reinterpret_cast<std::intptr_t>(handle_) != -1; }

  /// False when `text` has something that the character set does not.
  [[nodiscard]] bool convert(std::string_view text, std::string &into) {
    auto *from = const_cast<char *>(text.data()); // iconv only reads it, but does not say so
    auto left = text.size();
    // No character of the sets taken grows to more than three times its bytes.
    into.resize(text.size() * 3 + 8);
    auto *to = into.data();
    auto room = into.size();
    const auto result = iconv(handle_, &from, &left, &to, &room);
    into.resize(into.size() - room);
    return result != static_cast<std::size_t>(-1) && left == 0;
  }

private:
  iconv_t handle_;
};

std::string converted(std::string_view text, const std::string &charset) {
  Converter converter(charset);
  if (!converter.ready()) {
    refuse("the character set '" + charset + "' cannot be converted here");
  }
  std::string result;
  if (!converter.convert(text, result)) {
    refuse("the message has bytes that are not " + charset +
           ", which is what its media type or XML declaration says it is in");
  }
  return result;
}

} // namespace

std::string_view toUtf8(std::string_view text, std::string_view charset, std::string &store) {
  auto name = charset.empty() ? detected(text) : lowerCase(trimmed(charset));
  if (name == "utf-16") {
    name = byteOrder(text);
  }
  if (name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii") {
    return text.starts_with(utf8Mark) ? text.substr(utf8Mark.size()) : text;
  }
  if (name == "utf-16le" || name == "utf-16be") {
    const bool marked = text.starts_with(littleEndianMark) || text.starts_with(bigEndianMark);
    store = converted(marked ? text.substr(2) : text, name);
  } else if (name == "iso-8859-1" || name == "iso-8859-15" || name == "windows-1252") {
    store = converted(text, name);
  } else {
    refuse("the character set '" + printable(name, 40) + "' is not taken here");
  }
  return store;
}

} // namespace waybill::soap::xml
