// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/client.hpp"

#include <string>

namespace waybill::transport {

// What is needed of libcurl in more than one file; its own types stay out of headers, so results are numbers
// (CURLcode).

/// Starts libcurl, once. Throws Fault Internal.
void startLibcurl();

/// libcurl's way to write a pin: "sha256//" + base64, of 64 hex digits. Throws Fault BadParameter.
[[nodiscard]] std::string pinFor(const std::string &hex);

/// The fault for a call that ended with `result`; `found` is libcurl's own text about it, if any. `sent`: the server
/// may have what was sent, and have done it.
[[nodiscard]] DeliveryFault deliveryFailure(const std::string &method, const std::string &url, int result,
                                            const std::string &found, bool sent = false);

/// Throws Fault Internal unless `result` of curl_easy_setopt is good.
void requireOption(int result, int option);

} // namespace waybill::transport
