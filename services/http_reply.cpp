// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/http_reply.hpp"

#include "domain/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace waybill::services {

std::chrono::seconds retryAfter(const transport::Headers &headers) {
  static constexpr std::chrono::seconds longestRetryAfter{30};
  const auto text = headers.get("Retry-After").value_or("1");
  return std::clamp(std::chrono::seconds(std::strtol(text.c_str(), nullptr, 10)), std::chrono::seconds(1),
                    longestRetryAfter);
}

std::string beginning(Source &source, std::uint64_t limit) {
  std::string text;
  Bytes block(static_cast<std::size_t>(limit));
  while (text.size() < limit) {
    const auto count = source.read(std::span(block).first(static_cast<std::size_t>(limit - text.size())));
    if (count == 0) {
      break;
    }
    text.append(asText(ByteView(block).first(count)));
  }
  return text;
}

bool isSoap(const transport::Headers &headers) {
  const auto type = lowerCase(headers.get("Content-Type").value_or(""));
  return type.starts_with("multipart/related") || type.starts_with("text/xml") ||
         type.starts_with("application/soap+xml") || type.starts_with("application/xml");
}

} // namespace waybill::services
