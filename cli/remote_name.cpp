// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/remote_name.hpp"

#include "cli/usage.hpp"
#include "domain/data_path.hpp"
#include "domain/text.hpp"

#include <algorithm>

namespace waybill::cli {

namespace {

constexpr std::string_view https = "https://";

} // namespace

bool looksRemote(std::string_view text) {
  if (text.starts_with(https)) {
    return true;
  }
  const auto colon = text.find(':');
  const auto path = text.substr(std::min(colon, text.size()));
  return colon > 0 && text.find('/') > colon && (path == ":" || path.starts_with(":/"));
}

bool RemoteName::isId() const {
  static constexpr std::string_view folder = "/data/";
  static constexpr std::size_t digits = 32;
  return prefix.starts_with(https) && path.size() == folder.size() + digits && path.starts_with(folder) &&
         path.find_first_not_of("0123456789abcdef", folder.size()) == std::string::npos;
}

Data RemoteName::toData() const {
  Data data;
  if (isId()) {
    data.id = prefix + path;
  } else {
    data.path = DataPath::parse(path).text();
  }
  return data;
}

RemoteName parseRemoteName(const std::string &text) {
  const auto otherScheme = text.find("://") != std::string::npos && !text.starts_with(https);
  if (otherScheme || !looksRemote(text)) {
    throw WrongUsage("'" + printable(text, 200) + "' is no remote name; write ALIAS:/path or https://host:port/path");
  }
  if (text.starts_with(https)) {
    const auto origin = originOf(text);
    const auto slash = text.find('/', https.size());
    return {origin, slash == std::string::npos ? "/" : text.substr(slash), origin};
  }
  const auto colon = text.find(':');
  const auto path = text.substr(colon + 1);
  return {text.substr(0, colon), path.empty() ? "/" : path, text.substr(0, colon + 1)};
}

std::string originOf(const std::string &url) {
  const auto rest = url.starts_with(https) ? std::string_view(url).substr(https.size()) : std::string_view{};
  const auto host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty() || host.find('@') != std::string_view::npos || hasControlCharacters(host)) {
    throw WrongUsage("'" + printable(url, 200) + "' is no URL of an instance; write https://host:port");
  }
  return std::string(https) + lowerCase(host);
}

bool isBelow(std::string_view url, std::string_view origin) {
  return url == origin || (url.starts_with(origin) && url.substr(origin.size()).starts_with('/'));
}

} // namespace waybill::cli
