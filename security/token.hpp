// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/fault.hpp"
#include "domain/token_claims.hpp"
#include "security/certificate.hpp"
#include "security/instance_key.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::security {

/// The claims document (wsdl/token.xsd, namespace urn:waybill:token:1). parse(print(c)) == c. Throws Fault BadParameter
/// for claims that the schema does not allow.
[[nodiscard]] std::string printClaims(const TokenClaims &claims);
/// Strict: UTF-8, elements in order, no others, no attributes, no DTD; at most 1 MiB. Throws Fault BadToken, saying
/// what is wrong: call it for known callers only.
[[nodiscard]] TokenClaims parseClaims(std::string_view xml);

/// SignedData(AuthEnvelopedData(SignedData(claims))) in base64: signed by `signer`, readable by the holder of
/// `recipient`'s key alone (docs/tokens.md). Throws Fault BadParameter for claims that cannot be written, or when the
/// recipient's certificate has no subject key identifier; else Internal.
[[nodiscard]] std::string sealToken(const TokenClaims &claims, const InstanceKey &signer, const Certificate &recipient);

struct TokenPolicy {
  std::chrono::seconds maximumLifetime{3600};
  std::chrono::seconds clockSkew{60};
  std::size_t maximumBytes = 16 * 1024; ///< of base64
};

/// A token that is good but for its end, which has passed (code TokenExpired): what it did before can still be asked
/// for.
class EndedToken final : public Fault {
public:
  EndedToken(const Fault &fault, TokenClaims claims) : Fault(fault), claims_(std::move(claims)) {}
  [[nodiscard]] const TokenClaims &claims() const noexcept { return claims_; }

private:
  TokenClaims claims_;
};

/// Certificates that are trusted (not revoked) and whose subject key identifier is this; more than one may claim it.
using FindKeys = std::function<std::vector<Certificate>(ByteView subjectKeyId)>;

/// Opens tokens meant for `me`. Thread-safe if `find` is. The cheapest refusal comes first: size and base64, outer
/// signer known, outer signature, decryption, inner signature by the same key, issuer, audience, window. Until all
/// three layers have passed, faults say only BadToken or UntrustedKey, all in the same words. Then BadToken (claims
/// malformed, wrong issuer, wrong audience, too long-lived), TokenExpired (not valid yet, or ended: then EndedToken).
class TokenOpener {
public:
  TokenOpener(const InstanceKey &me, FindKeys find, const Clock &clock, TokenPolicy policy);
  [[nodiscard]] TokenClaims open(std::string_view base64) const;

private:
  void check(const TokenClaims &claims, const std::string &signer) const;

  const InstanceKey &me_;
  FindKeys find_;
  const Clock &clock_;
  TokenPolicy policy_;
};

} // namespace waybill::security
