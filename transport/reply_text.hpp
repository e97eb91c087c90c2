// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/http.hpp"

#include <string>
#include <string_view>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// Status line and header fields of a reply, Date and Connection among them, without the empty line at their end.
/// Throws Fault Internal for fields that would break the message, and for Content-Length and Transfer-Encoding.
[[nodiscard]] std::string replyHead(int status, const Headers &headers, bool keepAlive);

/// A whole small reply as bytes, for refusals before any worker: "Connection: close" included.
[[nodiscard]] std::string refusalText(int status, std::string_view text, const Headers &more = {});

} // namespace waybill::transport
