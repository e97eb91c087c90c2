// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/request_target.hpp"

#include "domain/bytes.hpp"
#include "domain/text.hpp"

#include <algorithm>

namespace waybill::transport {

namespace {

std::optional<std::string> percentDecoded(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      text += raw[i];
      continue;
    }
    const auto octet = i + 2 < raw.size() ? fromHex(raw.substr(i + 1, 2)) : std::nullopt;
    if (!octet || octet->front() == std::byte{0}) {
      return std::nullopt;
    }
    text += static_cast<char>(octet->front());
    i += 2;
  }
  return text;
}

/// What follows the authority of an absolute form with http or https; nothing for other texts.
std::optional<std::string> afterAuthority(std::string_view target) {
  const auto scheme = target.find("://");
  const auto name = lowerCase(target.substr(0, scheme));
  if (scheme == std::string_view::npos || (name != "http" && name != "https")) {
    return std::nullopt;
  }
  const auto authority = target.substr(scheme + 3);
  const auto length = std::min(authority.find_first_of("/?"), authority.size());
  const auto rest = std::string(authority.substr(length));
  return rest.starts_with('/') ? rest : "/" + rest;
}

} // namespace

std::optional<RequestTarget> parseTarget(std::string_view target) {
  if (target == "*") {
    return RequestTarget{"*", ""};
  }
  const auto origin = target.starts_with('/') ? std::string(target) : afterAuthority(target);
  if (!origin || origin->find('#') != std::string::npos) {
    return std::nullopt;
  }
  const auto question = origin->find('?');
  auto path = percentDecoded(std::string_view(*origin).substr(0, question));
  if (!path) {
    return std::nullopt;
  }
  return RequestTarget{*std::move(path), question == std::string::npos ? std::string() : origin->substr(question + 1)};
}

} // namespace waybill::transport
