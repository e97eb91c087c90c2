// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// For this folder's .cpp files alone.
namespace waybill::transport {

struct RequestTarget {
  std::string path;  ///< percent-decoded
  std::string query; ///< raw
};

/// Takes a request target apart (RFC 9112 section 3.2): origin form, absolute form with http(s), or "*". Nothing for
/// others and for a bad percent escape or an escaped NUL (RFC 3986 section 2.1).
[[nodiscard]] std::optional<RequestTarget> parseTarget(std::string_view target);

} // namespace waybill::transport
