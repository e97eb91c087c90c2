// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/part_header.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <map>

namespace waybill::soap {

namespace {

[[noreturn]] void refuse(const std::string &what, std::string_view where) {
  throw Fault(FaultCode::InvalidMessage, "the header of a part of the multipart message " + what, printable(where));
}

bool isNameCharacter(char c) noexcept { return c > ' ' && c < '\x7f' && c != ':'; }

bool isForbidden(char c) noexcept { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f'; }

/// The next field with its folded lines put together; `lines` moves on behind it.
std::string takeField(std::string_view &lines) {
  std::string field;
  do {
    const auto end = std::min(lines.find("\r\n"), lines.size());
    field.append(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 2, lines.size()));
  } while (!lines.empty() && (lines.front() == ' ' || lines.front() == '\t'));
  return field;
}

std::string withoutBrackets(const std::string &value) {
  const bool opened = value.starts_with('<');
  if (opened != (value.size() > 1 && value.ends_with('>'))) {
    refuse("has a Content-ID with only one of '<' and '>'", value);
  }
  return opened ? value.substr(1, value.size() - 2) : value;
}

} // namespace

PartHeader parsePartHeader(std::string_view lines) {
  PartHeader header;
  std::string contentId;
  const std::map<std::string, std::string *> wanted{{"content-id", &contentId},
                                                    {"content-location", &header.info.contentLocation},
                                                    {"content-type", &header.info.contentType},
                                                    {"content-transfer-encoding", &header.transferEncoding}};
  while (!lines.empty()) {
    const auto field = takeField(lines);
    const auto colon = field.find(':');
    if (colon == 0 || colon == std::string::npos ||
        !std::all_of(field.begin(), field.begin() + static_cast<std::ptrdiff_t>(colon), isNameCharacter)) {
      refuse("has a line that is no 'Name: value'; lines end in CR LF, and an empty one ends the header", field);
    }
    if (std::any_of(field.begin(), field.end(), isForbidden)) {
      refuse("has a control character, or a line that does not end in CR LF", field);
    }
    const auto target = wanted.find(lowerCase(std::string_view(field).substr(0, colon)));
    if (target == wanted.end()) {
      continue;
    }
    if (!target->second->empty()) {
      refuse("gives the same field twice", field);
    }
    *target->second = trimmed(std::string_view(field).substr(colon + 1));
  }
  header.info.contentId = withoutBrackets(contentId);
  return header;
}

} // namespace waybill::soap
