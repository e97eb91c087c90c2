// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/url_source.hpp"

#include "cli/token_resources.hpp"
#include "cli/usage.hpp"
#include "domain/data_path.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace waybill::cli {

namespace {

/// RFC 3986, section 2.1.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const auto *digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      result += static_cast<char>(byte);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

} // namespace

bool isUrl(const std::string &source) {
  static constexpr std::array schemes{"https://", "http://", "ftp://", "file://"};
  return std::any_of(schemes.begin(), schemes.end(), [&](const char *scheme) { return source.starts_with(scheme); });
}

std::string pathFor(const std::string &url, const std::string &target) {
  if (!target.ends_with('/')) {
    return DataPath::parse(target).text();
  }
  const auto begin = url.find("://") + 3;
  const auto path = std::string_view(url).substr(begin, url.find_first_of("?#", begin) - begin);
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? std::string() : unescaped(path.substr(slash + 1));
  if (name.empty() || name.find('/') != std::string::npos) {
    throw WrongUsage("'" + printable(url, 200) + "' ends in no name; give a TARGET that names a file");
  }
  return DataPath::parse(target + name).text();
}

Data fetchInto(services::RemoteInstance &remote, const std::string &url, Data data, Overwrite overwrite) {
  const auto path = data.path.value_or("");
  data.href = url;
  services::CallExtras extras;
  extras.resources = {path};
  extras.lifetime = longestTokenLife; // until it begins to fetch
  const auto receipts = remote.call(ReceiveRequest{{std::move(data)}, overwrite}, extras).message.data;
  if (receipts.size() != 1 || receipts.front().path != path) {
    throw Fault(FaultCode::InvalidMessage, "the receipt is not for what was asked for; look at what is there", path);
  }
  return receipts.front();
}

} // namespace waybill::cli
