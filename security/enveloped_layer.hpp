// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "security/certificate.hpp"
#include "security/openssl.hpp"

/// The AuthEnvelopedData (RFC 5083) of a token: AES-256-GCM for one recipient, its key by P-256 ECDH (SHA-256, AES-256
/// key wrap) or RSA-OAEP (SHA-256). It has one shape, and nothing that is optional in CMS; what has another shape is
/// refused, although OpenSSL would read it. For this folder's .cpp files alone.
namespace waybill::security {

/// Throws Fault BadParameter when the recipient's certificate has no subject key identifier, else Internal.
[[nodiscard]] Bytes encryptLayer(ByteView content, const Certificate &recipient);

/// The content, for the holder of `key`, which is `recipient`'s, when `layer` has exactly a token's shape. Throws
/// LayerRefused (layer.hpp).
[[nodiscard]] Bytes decryptLayer(ByteView layer, const Certificate &recipient, EVP_PKEY &key);

} // namespace waybill::security
