// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "transport/http.hpp"

#include <chrono>
#include <cstdint>
#include <string>

/// What an HTTP reply to a SOAP message says, before it is known to be one.
namespace waybill::services {

/// Seconds of Retry-After (RFC 9110 section 10.2.3), from 1 to 30; 1 when it is not there or a date.
[[nodiscard]] std::chrono::seconds retryAfter(const transport::Headers &headers);
/// True when the media type is one that SOAP messages have.
[[nodiscard]] bool isSoap(const transport::Headers &headers);
/// Up to `limit` bytes; what is past them stays unread.
[[nodiscard]] std::string beginning(Source &source, std::uint64_t limit);

} // namespace waybill::services
