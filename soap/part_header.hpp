// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "soap/multipart_reader.hpp"

#include <string>
#include <string_view>

namespace waybill::soap {

/// What the header lines of a part say, the transfer encoding included. Private to soap/.
struct PartHeader {
  PartInfo info;
  std::string transferEncoding; ///< as it came, empty when there is none
};

/// Reads header lines (RFC 2045 section 3, RFC 822 folding), each ended by CRLF. Names count in any case, with or
/// without a blank behind the colon; fields other than the four that matter are passed over. Throws Fault
/// InvalidMessage for a line that is no field, a control character, one of the four given twice, a Content-ID with one
/// angle bracket.
[[nodiscard]] PartHeader parsePartHeader(std::string_view lines);

} // namespace waybill::soap
