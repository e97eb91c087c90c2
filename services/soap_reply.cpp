// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/soap_reply.hpp"

#include "domain/text.hpp"
#include "soap/fault.hpp"
#include "transport/url.hpp"

#include <algorithm>
#include <cstdlib>

namespace waybill::services {

namespace {

/// Up to `limit` bytes; what is past them stays unread.
std::string beginning(Source &source, std::size_t limit) {
  std::string text;
  Bytes block(limit);
  while (text.size() < limit) {
    const auto count = source.read(std::span(block).first(limit - text.size()));
    if (count == 0) {
      break;
    }
    text.append(asText(ByteView(block).first(count)));
  }
  return text;
}

} // namespace

BusyReply::BusyReply(const std::string &url, std::chrono::seconds after)
    : Fault(FaultCode::Busy,
            "POST " + transport::printableUrl(url) + ": the instance has more requests than it takes; try again later",
            url),
      after_(after) {}

std::string tokenHeader(std::string_view base64) {
  return std::string("<wb:Token xmlns:wb=\"") + soap::waybillNamespace + "\">" + soap::escapeXml(base64) +
         "</wb:Token>";
}

bool isSoap(const transport::Headers &headers) {
  const auto type = lowerCase(headers.get("Content-Type").value_or(""));
  return type.starts_with("multipart/related") || type.starts_with("text/xml") ||
         type.starts_with("application/soap+xml") || type.starts_with("application/xml");
}

std::chrono::seconds retryAfter(const transport::Headers &headers) {
  static constexpr std::chrono::seconds longest{30};
  const auto text = headers.get("Retry-After").value_or("1");
  return std::clamp(std::chrono::seconds(std::strtol(text.c_str(), nullptr, 10)), std::chrono::seconds(1), longest);
}

std::string quoted(transport::ClientResponse &response) {
  static constexpr std::size_t read = 4096;
  static constexpr std::size_t shown = 200;
  return printable(trimmed(beginning(*response.body, read)), shown);
}

OpenedReply readReply(transport::ClientResponse &response, const soap::Limits &limits, const soap::Spool &spool) {
  auto message =
      soap::IncomingMessage::read(response.headers.get("Content-Type").value_or(""), *response.body, limits, spool);
  auto envelope = soap::Envelope::parse(message.root, limits, message.charset);
  return {std::move(message), std::move(envelope)};
}

OpenedReply openReply(transport::ClientResponse &response, const std::string &url, const soap::Limits &limits,
                      const soap::Spool &spool) {
  if (response.status == 503) {
    throw BusyReply(url, retryAfter(response.headers));
  }
  if (!isSoap(response.headers)) {
    throw Fault(FaultCode::DeliveryFailed,
                "POST " + transport::printableUrl(url) + ": HTTP status " + std::to_string(response.status) +
                    " and no SOAP message but '" + quoted(response) + "'; check that this is the URL of an instance",
                url);
  }
  auto opened = readReply(response, limits, spool);
  if (opened.envelope.isFault()) {
    throw soap::decodeFault(opened.envelope);
  }
  opened.envelope.requireUnderstood();
  return opened;
}

} // namespace waybill::services
