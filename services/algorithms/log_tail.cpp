// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/log_tail.hpp"

#include "domain/text.hpp"

namespace waybill::services {

namespace {

/// How many bytes a UTF-8 sequence has that begins with `lead`; 1 for what cannot begin one.
std::size_t sequenceLength(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte >= 0xF0) {
    return 4;
  }
  if (byte >= 0xE0) {
    return 3;
  }
  return byte >= 0xC0 ? 2 : 1;
}

/// True for one well-formed character that a terminal or a page shows as it is.
bool isShown(std::string_view character) {
  if (character.size() == 1) {
    const auto c = character.front();
    return c == '\n' || c == '\t' || (c >= ' ' && c <= '~');
  }
  // U+0080 to U+009F are control characters too.
  const bool c1 = character.size() == 2 && character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
  return !c1 && isUtf8(character);
}

/// `raw` with one U+FFFD for each run of what cannot be shown; lines end with a line feed alone.
std::string shown(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  bool replacing = false;
  for (std::size_t at = 0; at < raw.size();) {
    auto character = raw.substr(at, sequenceLength(raw[at]));
    if (character == "\r") {
      out += raw.substr(at + 1, 1) == "\n" ? "" : "\n"; // progress bars
      replacing = false;
      ++at;
      continue;
    }
    if (isShown(character)) {
      out += character;
      replacing = false;
    } else {
      out += replacing ? "" : "\xEF\xBF\xBD";
      replacing = true;
      character = character.substr(0, 1);
    }
    at += character.size();
  }
  return out;
}

} // namespace

void LogTail::append(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (text.size() > mostBytes) {
    cut_ = true;
    text.remove_prefix(text.size() - mostBytes);
  }
  kept_ += text;
  // Twice as much may pile up, so that the front is not moved for each line.
  if (kept_.size() > 2 * mostBytes) {
    cut_ = true;
    kept_.erase(0, kept_.size() - mostBytes);
  }
}

std::string LogTail::text() const {
  const std::lock_guard lock(mutex_);
  std::string_view end = kept_;
  bool cut = cut_;
  if (end.size() > mostBytes) {
    cut = true;
    end.remove_prefix(end.size() - mostBytes);
  }
  // The cut may have gone through a character.
  while (cut && !end.empty() && (static_cast<unsigned char>(end.front()) & 0xC0U) == 0x80U) {
    end.remove_prefix(1);
  }
  return (cut ? "[...]" : "") + shown(end);
}

} // namespace waybill::services
