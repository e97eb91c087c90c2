// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/xml.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <libxml/encoding.h>

#include <algorithm>

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

struct FreeBuffer {
  void operator()(xmlBuffer *buffer) const noexcept { xmlBufferFree(buffer); }
};
using Buffer = std::unique_ptr<xmlBuffer, FreeBuffer>;

struct CloseHandler {
  void operator()(xmlCharEncodingHandler *handler) const noexcept { xmlCharEncCloseFunc(handler); }
};
using Handler = std::unique_ptr<xmlCharEncodingHandler, CloseHandler>;

std::string converted(std::string_view text, const std::string &charset) {
  const Handler handler(xmlFindCharEncodingHandler(charset.c_str()));
  // No character of the sets taken grows to more than three times its bytes, and libxml2 converts only what there is
  // room for.
  const Buffer from(xmlBufferCreateStatic(const_cast<char *>(text.data()), text.size()));
  const Buffer to(xmlBufferCreateSize(text.size() * 3 + 64));
  if (!handler || !from || !to) {
    refuse("the character set '" + charset + "' cannot be converted here");
  }
  const auto written = xmlCharEncInFunc(handler.get(), to.get(), from.get());
  if (written < 0 || xmlBufferLength(from.get()) != 0) {
    refuse("the message has bytes that are not " + charset +
           ", which is what its media type or XML declaration says it is in");
  }
  return {reinterpret_cast<const char *>(xmlBufferContent(to.get())),
          static_cast<std::size_t>(xmlBufferLength(to.get()))};
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
