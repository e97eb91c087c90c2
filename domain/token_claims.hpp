// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"

#include <optional>
#include <string>
#include <vector>

namespace waybill {

/// What a token says (wsdl/token.xsd). The fields in this order are the elements of the claims document.
struct TokenClaims {
  std::string id;       ///< 32 lower-case hex digits; good for one use
  std::string issuer;   ///< instance id of the signer
  std::string audience; ///< instance id of the one instance that may open it
  std::optional<std::string> subject;
  std::vector<std::string> operations; ///< element names: "Copy", "Receive", ...; at least one
  std::vector<std::string> resources;  ///< data ids or path prefixes; none means whatever the issuer may do
  std::optional<std::string> replyTo;  ///< the only address that a reply may go to
  Time notBefore;
  Time notAfter;
  friend bool operator==(const TokenClaims &, const TokenClaims &) = default;
};

} // namespace waybill
