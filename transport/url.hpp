// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::transport {

/// What a URL asks to be connected to, taken apart by libcurl's own parser, so that what is checked is what is called.
struct UrlParts {
  std::string scheme; ///< lower case
  /// Lower case, ASCII (a host that is not is refused), without the brackets of IPv6 and without the dot at the end.
  /// All spellings of an IPv4 address that libcurl knows ("127.1", "0x7f000001", "017700000001") come out as four
  /// decimal numbers. Empty for `file`.
  std::string host;
  std::uint16_t port = 0; ///< the scheme's own when none is given; 0 for `file`
  std::string path;       ///< begins with a slash; not decoded
};

/// Takes `url` apart. It needs a scheme; user names and passwords and IPv6 zone ids are refused. Throws Fault
/// AddressNotAllowed saying what is wrong with it. Any thread.
[[nodiscard]] UrlParts partsOf(const std::string &url);

/// The path of `url`, percent-decoded. Throws as partsOf does; also when it holds a null byte.
[[nodiscard]] std::string decodedPath(const std::string &url);

/// `reference` (RFC 3986 section 4.2: absolute or relative, as in a Location field) as seen from `base`. Throws Fault
/// AddressNotAllowed when that is no URL.
[[nodiscard]] std::string resolvedUrl(const std::string &base, const std::string &reference);

/// `url` fit for messages and logs: without user name and password, with "..." in place of its query and fragment and
/// of all that follows "/lease/" (who knows that part may read), printable, 300 bytes at most. Never throws for what is
/// no URL.
[[nodiscard]] std::string printableUrl(std::string_view url);

} // namespace waybill::transport
