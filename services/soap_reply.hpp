// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "soap/envelope.hpp"
#include "soap/incoming_message.hpp"
#include "transport/client.hpp"

#include <chrono>
#include <string>
#include <string_view>

/// Calling SOAP services: what every caller writes and reads.
namespace waybill::services {

/// The peer asks to come again later.
class BusyReply : public Fault {
public:
  BusyReply(const std::string &url, std::chrono::seconds after);
  [[nodiscard]] std::chrono::seconds after() const noexcept { return after_; }

private:
  std::chrono::seconds after_;
};

/// The header block wb:Token.
[[nodiscard]] std::string tokenHeader(std::string_view base64);

/// True when the media type is one that SOAP messages have.
[[nodiscard]] bool isSoap(const transport::Headers &headers);
/// Seconds of Retry-After (RFC 9110 section 10.2.3), from 1 to 30; 1 when it is not there or a date.
[[nodiscard]] std::chrono::seconds retryAfter(const transport::Headers &headers);
/// How the body begins, fit to be shown.
[[nodiscard]] std::string quoted(transport::ClientResponse &response);

/// A SOAP message as it was read, its attachments still to be pulled.
struct OpenedReply {
  soap::IncomingMessage message;
  soap::Envelope envelope;
};

/// Reads the envelope of `response`, a SOAP message. `response` must outlive the result. Throws as reading does.
[[nodiscard]] OpenedReply readReply(transport::ClientResponse &response, const soap::Limits &limits,
                                    const soap::Spool &spool);
/// The reply to a call of the service at `url`: the envelope, understood, and no fault. Throws the fault that the reply
/// is, BusyReply for HTTP status 503, DeliveryFailed for what is no SOAP message.
[[nodiscard]] OpenedReply openReply(transport::ClientResponse &response, const std::string &url,
                                    const soap::Limits &limits, const soap::Spool &spool);

} // namespace waybill::services
