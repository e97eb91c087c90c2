// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/url.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>
#include <optional>

namespace waybill::transport {

namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

constexpr unsigned parsing = CURLU_DISALLOW_USER | CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME;

Handle newHandle() {
  Handle handle(curl_url(), curl_url_cleanup);
  if (!handle) {
    throw std::bad_alloc();
  }
  return handle;
}

Fault malformed(const std::string &url, const std::string &found) {
  return {FaultCode::AddressNotAllowed,
          "'" + printableUrl(url) + "' cannot be called: " + found + "; write https://host:port/path",
          printableUrl(url)};
}

std::string wrongWith(CURLUcode code) {
  return code == CURLUE_USER_NOT_ALLOWED ? "a URL with a user name or password is not taken"
                                         : std::string("it is no URL (") + curl_url_strerror(code) + ")";
}

Handle parse(const std::string &url) {
  auto handle = newHandle();
  if (hasControlCharacters(url)) {
    throw malformed(url, "it has control characters");
  }
  if (const auto code = curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), parsing); code != CURLUE_OK) {
    throw malformed(url, wrongWith(code));
  }
  return handle;
}

/// Nothing when there is no such part.
std::optional<std::string> part(CURLU *handle, CURLUPart which, unsigned flags, const std::string &url) {
  char *text = nullptr;
  const auto code = curl_url_get(handle, which, &text, flags);
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
  switch (code) {
  case CURLUE_OK: return text == nullptr ? std::optional<std::string>() : std::string(text);
  case CURLUE_NO_HOST:
  case CURLUE_NO_PORT:
  case CURLUE_NO_ZONEID: return std::nullopt;
  default: throw malformed(url, wrongWith(code));
  }
}

std::string plainHost(std::string host) {
  host = lowerCase(host);
  if (host.starts_with('[') && host.ends_with(']')) {
    return host.substr(1, host.size() - 2);
  }
  if (host.size() > 1 && host.ends_with('.')) {
    host.pop_back();
  }
  return host;
}

} // namespace

UrlParts partsOf(const std::string &url) {
  const auto handle = parse(url);
  UrlParts parts;
  parts.scheme = lowerCase(part(handle.get(), CURLUPART_SCHEME, 0, url).value_or(""));
  parts.path = part(handle.get(), CURLUPART_PATH, 0, url).value_or("/");
  if (part(handle.get(), CURLUPART_ZONEID, 0, url)) {
    throw malformed(url, "an IPv6 zone id is not taken");
  }
  if (parts.scheme == "file") {
    return parts;
  }
  parts.host = plainHost(part(handle.get(), CURLUPART_HOST, 0, url).value_or(""));
  if (std::any_of(parts.host.begin(), parts.host.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; })) {
    // libcurl turns it into ASCII as the locale of the process says, so it could mean one host here and another there.
    throw malformed(url, "its host is not ASCII; write it in its encoded form (xn--...)");
  }
  const auto port = part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT, url).value_or("0");
  std::from_chars(port.data(), port.data() + port.size(), parts.port);
  if (parts.host.empty() || parts.port == 0) {
    throw malformed(url, parts.host.empty() ? "it names no host" : "it names no port that can be connected to");
  }
  return parts;
}

std::string decodedPath(const std::string &url) {
  const auto handle = parse(url);
  const auto raw = lowerCase(part(handle.get(), CURLUPART_PATH, 0, url).value_or("/"));
  if (raw.find("%00") != std::string::npos) {
    throw malformed(url, "its path has a null byte");
  }
  return part(handle.get(), CURLUPART_PATH, CURLU_URLDECODE, url).value_or("/");
}

std::string resolvedUrl(const std::string &base, const std::string &reference) {
  const auto handle = parse(base);
  if (hasControlCharacters(reference)) {
    throw malformed(reference, "it has control characters");
  }
  if (const auto code = curl_url_set(handle.get(), CURLUPART_URL, reference.c_str(), parsing); code != CURLUE_OK) {
    throw malformed(reference, wrongWith(code));
  }
  return part(handle.get(), CURLUPART_URL, 0, base).value_or("");
}

std::string printableUrl(std::string_view url) {
  static constexpr std::string_view lease = "/lease/";
  static constexpr std::string_view hidden = "...";
  std::string shown(url);
  if (const auto end = shown.find_first_of("?#"); end != std::string::npos) {
    shown.replace(end + 1, std::string::npos, hidden);
  }
  if (const auto begin = shown.find(lease); begin != std::string::npos) {
    shown.replace(begin + lease.size(), std::string::npos, hidden);
  }
  if (const auto scheme = shown.find("://"); scheme != std::string::npos) {
    const auto begin = scheme + 3;
    const auto end = shown.find_first_of("/?#", begin);
    const auto at = shown.rfind('@', end);
    if (at != std::string::npos && at >= begin && (end == std::string::npos || at < end)) {
      shown.erase(begin, at + 1 - begin);
    }
  }
  return printable(shown, 300);
}

} // namespace waybill::transport
