// SPDX-License-Identifier: GPL-3.0-or-later
// Making a token: SignedData(AuthEnvelopedData(SignedData(claims))), as the commands in docs/tokens.md do it.
#include "security/enveloped_layer.hpp"
#include "security/signed_layer.hpp"
#include "security/token.hpp"

namespace waybill::security {

namespace {

std::string base64(ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text.data()),
                      reinterpret_cast<const unsigned char *>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

} // namespace

std::string sealToken(const TokenClaims &claims, const InstanceKey &signer, const Certificate &recipient) {
  const auto inner = signLayer(asBytes(printClaims(claims)), signer);
  return base64(signLayer(encryptLayer(inner, recipient), signer));
}

} // namespace waybill::security
