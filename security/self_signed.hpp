// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "security/openssl.hpp"

#include <string>
#include <vector>

/// For this folder's .cpp files alone.
namespace waybill::security {

/// The certificate of an instance (RFC 5280), for ten years from now, signed by its own key. It names no authority:
/// others pin it, as trusted key of the instance and as TLS certificate. Throws Fault BadParameter for a name that is
/// empty or longer than 64 bytes, or a host that is neither a DNS name nor an address; else Internal.
[[nodiscard]] X509Ptr selfSigned(EVP_PKEY &key, const std::string &name, const std::vector<std::string> &hosts);

} // namespace waybill::security
