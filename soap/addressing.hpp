// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/endpoint_reference.hpp"

#include <optional>
#include <string>

namespace waybill::soap {

/// RelationshipType of a wsa:RelatesTo that has none (WS-Addressing 1.0 Core, section 3.1).
inline constexpr const char *replyRelationship = "http://www.w3.org/2005/08/addressing/reply";
/// RelationshipType of the wsa:RelatesTo by which each message of a chain names the call that began it.
inline constexpr const char *transferRelationship = "urn:waybill:1/Transfer";

/// The message addressing properties of one message (WS-Addressing 1.0 Core, section 3).
struct Addressing {
  std::optional<std::string> messageId;
  std::optional<std::string> relatesTo; ///< the one with the reply relationship
  std::optional<std::string> transfer;  ///< the one with the relationship transferRelationship
  std::optional<std::string> to;
  std::optional<std::string> action;
  std::optional<EndpointReference> from;
  std::optional<EndpointReference> replyTo;
  std::optional<EndpointReference> faultTo;
  bool used = false; ///< any header of the namespace was there

  /// Where the reply goes: ReplyTo, anonymous unless said otherwise (Core, section 3.4).
  [[nodiscard]] EndpointReference replyEndpoint() const;
  /// Where a fault goes: FaultTo, else ReplyTo.
  [[nodiscard]] EndpointReference faultEndpoint() const;
};

} // namespace waybill::soap
