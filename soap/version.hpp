// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace waybill::soap {

enum class Version : std::uint8_t { Soap11, Soap12 };

inline constexpr const char *soap11Namespace = "http://schemas.xmlsoap.org/soap/envelope/";
inline constexpr const char *soap12Namespace = "http://www.w3.org/2003/05/soap-envelope";
inline constexpr const char *addressingNamespace = "http://www.w3.org/2005/08/addressing";
inline constexpr const char *xopNamespace = "http://www.w3.org/2004/08/xop/include";
inline constexpr const char *waybillNamespace = "urn:waybill:1";
/// Prefix of wsa:Action URIs: this + the name of the body's element.
inline constexpr const char *actionPrefix = "urn:waybill:1/";

} // namespace waybill::soap
