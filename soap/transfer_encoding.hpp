// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <memory>
#include <string_view>

namespace waybill::soap {

/// A source that decodes what it pulls from `encoded`, for a Content-Transfer-Encoding (RFC 2045 section 6) in any
/// case: base64 or quoted-printable. Null for binary, 7bit, 8bit and an empty name, whose bytes stand for themselves.
/// Private to soap/.
///
/// Throws Fault InvalidMessage naming an unknown encoding; its read() throws it for bytes that the encoding does not
/// allow: base64 may have blanks and line ends anywhere, but nothing else outside the alphabet, and must be whole and
/// padded; quoted-printable must have CRLF line ends, well-formed escapes and soft breaks, and nothing but printable
/// ASCII and blanks otherwise. `encoded` must outlive the result. Memory is constant.
[[nodiscard]] std::unique_ptr<Source> transferDecoder(std::string_view encoding, Source &encoded);

} // namespace waybill::soap
