// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/media_type.hpp"

#include "domain/text.hpp"

#include <algorithm>
#include <utility>

namespace waybill::soap {

namespace {

bool isBlank(char c) noexcept { return c == ' ' || c == '\t'; }

/// RFC 2045 section 5.1: any printable ASCII character but blanks and tspecials.
bool isTokenCharacter(char c) noexcept {
  return c > ' ' && c < '\x7f' && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

bool isControl(char c) noexcept { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f'; }

/// What is left of the text, taken from the front.
class Reader {
public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool atEnd() const noexcept { return rest_.empty(); }

  void skipBlanks() noexcept {
    while (!rest_.empty() && isBlank(rest_.front())) {
      rest_.remove_prefix(1);
    }
  }

  bool take(char wanted) noexcept {
    if (rest_.empty() || rest_.front() != wanted) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view token() noexcept { return front(std::find_if_not(rest_.begin(), rest_.end(), isTokenCharacter)); }

  /// A quoted string, or else all up to a blank or ";": senders leave the quotes off boundaries that need them.
  std::optional<std::string> value() {
    if (take('"')) {
      return quoted();
    }
    const auto text = front(std::find_if(rest_.begin(), rest_.end(), [](char c) { return isBlank(c) || c == ';'; }));
    if (text.empty() || std::any_of(text.begin(), text.end(), [](char c) { return isControl(c) || c == '"'; })) {
      return std::nullopt;
    }
    return std::string(text);
  }

private:
  std::string_view front(std::string_view::iterator end) noexcept {
    const auto text = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(text.size());
    return text;
  }

  std::optional<std::string> quoted() {
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        return text;
      }
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (isControl(c)) {
        return std::nullopt;
      }
      text += c;
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

/// One "name = value"; false when it is none, or the name was there before.
bool readParameter(Reader &reader, std::map<std::string, std::string> &parameters) {
  auto name = lowerCase(reader.token());
  reader.skipBlanks();
  if (name.empty() || !reader.take('=')) {
    return false;
  }
  reader.skipBlanks();
  auto value = reader.value();
  return value && parameters.emplace(std::move(name), std::move(*value)).second;
}

} // namespace

std::optional<MediaType> MediaType::parse(std::string_view text) {
  Reader reader(trimmed(text));
  const auto type = reader.token();
  if (type.empty() || !reader.take('/')) {
    return std::nullopt;
  }
  const auto subtype = reader.token();
  if (subtype.empty()) {
    return std::nullopt;
  }
  MediaType result{lowerCase(type) + "/" + lowerCase(subtype), {}};
  for (reader.skipBlanks(); !reader.atEnd(); reader.skipBlanks()) {
    if (!reader.take(';')) {
      return std::nullopt;
    }
    // A ";" with nothing behind it does no harm, and some senders end with one.
    for (reader.skipBlanks(); reader.take(';'); reader.skipBlanks()) {
    }
    if (!reader.atEnd() && !readParameter(reader, result.parameters)) {
      return std::nullopt;
    }
  }
  return result;
}

std::string MediaType::parameter(std::string_view name) const {
  const auto found = parameters.find(std::string(name));
  return found == parameters.end() ? std::string() : found->second;
}

} // namespace waybill::soap
