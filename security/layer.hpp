// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "security/openssl.hpp"

#include <string>

/// What the CMS layers of a token have in common. For this folder's .cpp files alone.
namespace waybill::security {

/// Why a layer was refused: for the log only. The peer learns nothing of it.
struct LayerRefused {
  std::string why;
};

/// `why`, and what OpenSSL has to say about it.
[[nodiscard]] std::string withOpensslErrors(const std::string &why);

/// `der` as exactly one CMS structure of that type. Throws LayerRefused.
[[nodiscard]] CmsPtr parseLayer(ByteView der, int type);

[[nodiscard]] inline ByteView viewOf(const ASN1_OCTET_STRING &text) {
  return {reinterpret_cast<const std::byte *>(ASN1_STRING_get0_data(&text)),
          static_cast<std::size_t>(ASN1_STRING_length(&text))};
}
[[nodiscard]] inline const unsigned char *octets(ByteView bytes) {
  return reinterpret_cast<const unsigned char *>(bytes.data());
}

} // namespace waybill::security
