// SPDX-License-Identifier: GPL-3.0-or-later
// Opening a token: the cheapest refusal first.
#include "security/token.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "security/enveloped_layer.hpp"
#include "security/signed_layer.hpp"

#include <algorithm>

namespace waybill::security {

namespace {

// One text for each code, whatever the check: what a stranger may learn is the code alone.
[[noreturn]] void badToken(const std::string &why) {
  throw Fault(FaultCode::BadToken, "the token was refused; make a new one for this instance, as docs/tokens.md shows",
              "wb:Token", {}, LogText(why));
}

[[noreturn]] void untrusted(const std::string &why) {
  throw Fault(FaultCode::UntrustedKey,
              "the token was refused: this instance does not trust the key that signed it; ask its administrator to "
              "trust it ('waybill --home HOME trust')",
              "wb:Token", {}, LogText(why));
}

/// Strict base64 (RFC 4648 section 4): full groups, padding at the end alone, no bits left over. Blanks are allowed
/// around it and line ends within.
Bytes decodeBase64(std::string_view text) {
  std::string packed;
  for (const char c : trimmed(text)) {
    if (c != '\n' && c != '\r') {
      packed += c;
    }
  }
  Bytes bytes(packed.size() / 4 * 3);
  const auto length =
      packed.empty() || packed.size() % 4 != 0
          ? -1
          : EVP_DecodeBlock(reinterpret_cast<unsigned char *>(bytes.data()),
                            reinterpret_cast<const unsigned char *>(packed.data()), static_cast<int>(packed.size()));
  if (length < 0) {
    (void)takeOpensslErrors();
    badToken("it is not base64");
  }
  const auto padding = static_cast<std::size_t>(std::count(packed.end() - 2, packed.end(), '='));
  bytes.resize(static_cast<std::size_t>(length) - padding);
  std::string again(packed.size() + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char *>(again.data()),
                  reinterpret_cast<const unsigned char *>(bytes.data()), static_cast<int>(bytes.size()));
  again.resize(packed.size());
  if (again != packed) {
    badToken("its base64 is not canonical");
  }
  return bytes;
}

struct Outer {
  Certificate signer;
  Bytes content;
};

/// The outer layer, by whichever trusted key of that identifier made the signature.
Outer openOuter(ByteView der, const FindKeys &find) {
  const SignedLayer layer(der);
  const auto candidates = find(layer.signerKeyId());
  if (candidates.empty()) {
    untrusted("no trusted key has the identifier " + toHex(layer.signerKeyId()));
  }
  std::string why;
  for (const auto &candidate : candidates) {
    try {
      return {candidate, layer.verified(candidate)};
    } catch (const LayerRefused &refused) {
      why += (why.empty() ? "" : "; ") + candidate.instanceId() + ": " + refused.why;
    }
  }
  throw LayerRefused{"by none of the trusted keys of its identifier: " + why};
}

} // namespace

TokenOpener::TokenOpener(const InstanceKey &me, FindKeys find, const Clock &clock, TokenPolicy policy)
    : me_(me), find_(std::move(find)), clock_(clock), policy_(policy) {}

TokenClaims TokenOpener::open(std::string_view base64) const {
  if (base64.size() > policy_.maximumBytes) {
    badToken("it has " + std::to_string(base64.size()) + " bytes");
  }
  const auto der = decodeBase64(base64);
  const char *at = "outer";
  try {
    const auto outer = openOuter(der, find_);
    at = "middle";
    const auto middle = decryptLayer(outer.content, me_.certificate(), *me_.native());
    at = "inner";
    const auto text = SignedLayer(middle).verified(outer.signer);
    auto claims = parseClaims(asText(text));
    check(claims, outer.signer.instanceId());
    return claims;
  } catch (const LayerRefused &refused) {
    badToken(std::string(at) + " layer: " + refused.why);
  }
}

/// From here on the caller is known, so the exact reason may be told.
void TokenOpener::check(const TokenClaims &claims, const std::string &signer) const {
  if (claims.issuer != signer) {
    throw Fault(FaultCode::BadToken,
                "the token's Issuer is not the key that signed it; name your own instance id (waybill identity) there",
                "Issuer");
  }
  if (claims.audience != me_.id()) {
    throw Fault(FaultCode::BadToken, "the token's Audience is another instance; make one for " + me_.id(), "Audience");
  }
  const auto now = clock_.now();
  if (claims.notAfter <= claims.notBefore || claims.notAfter - claims.notBefore > policy_.maximumLifetime) {
    throw Fault(FaultCode::BadToken,
                "the token lives from NotBefore to NotAfter, which needs to be more than nothing and at most " +
                    std::to_string(policy_.maximumLifetime.count()) + " seconds here; make one with a shorter life",
                "NotAfter");
  }
  if (now > claims.notAfter + policy_.clockSkew) {
    throw EndedToken({FaultCode::TokenExpired,
                      "the token ended at " + formatUtc(claims.notAfter) + ", and here it is " + formatUtc(now) +
                          "; make a new one, and look at the clocks",
                      "NotAfter"},
                     claims);
  }
  if (now < claims.notBefore - policy_.clockSkew) {
    throw Fault(FaultCode::TokenExpired,
                "the token begins at " + formatUtc(claims.notBefore) + ", and here it is " + formatUtc(now) +
                    "; wait, or look at the clocks",
                "NotBefore");
  }
}

} // namespace waybill::security
