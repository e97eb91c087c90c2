// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/data_path.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>

namespace waybill {

namespace {

[[noreturn]] void refuse(std::string_view text, const std::string &found) {
  throw Fault(
      FaultCode::BadParameter,
      "a data path needs to be UTF-8 text of segments parted by single slashes, without '.' and '..', of at most " +
          std::to_string(DataPath::maxBytes) + " bytes; this one " + found,
      printable(text, 120));
}

void checkSegment(std::string_view whole, std::string_view segment) {
  if (segment.empty()) {
    refuse(whole, "has an empty segment ('//' or a slash at the end)");
  }
  if (segment == "." || segment == "..") {
    refuse(whole, "has a segment '" + std::string(segment) + "'");
  }
  if (segment.size() > DataPath::maxSegmentBytes) {
    refuse(whole, "has a segment of " + std::to_string(segment.size()) + " bytes (at most " +
                      std::to_string(DataPath::maxSegmentBytes) + ")");
  }
}

std::string checked(std::string_view text) {
  std::string path = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  if (path.size() > DataPath::maxBytes) {
    refuse(text, "has " + std::to_string(path.size()) + " bytes");
  }
  if (!isUtf8(path)) {
    refuse(text, "is not UTF-8");
  }
  if (hasControlCharacters(path)) {
    refuse(text, "has a control character");
  }
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    checkSegment(path, std::string_view(path).substr(begin, end - begin));
    begin = end + 1;
  }
  return path;
}

} // namespace

DataPath DataPath::parse(std::string_view text) {
  if (text.empty() || text == "/") {
    refuse(text, text.empty() ? "is empty" : "names the root, which is no object");
  }
  return DataPath(checked(text));
}

std::string parsePathPrefix(std::string_view text) {
  if (text.empty() || text == "/") {
    return "/";
  }
  return checked(text.ends_with('/') ? text.substr(0, text.size() - 1) : text);
}

bool isUnder(std::string_view path, std::string_view prefix) noexcept {
  return prefix == "/" || path == prefix ||
         (path.starts_with(prefix) && path.size() > prefix.size() && path[prefix.size()] == '/');
}

} // namespace waybill
