// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::services {

/// What a Range header asks of a representation of known size.
struct ByteRange {
  enum class Kind : std::uint8_t { Whole, Part, Unsatisfiable };
  Kind kind = Kind::Whole;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// RFC 9110 section 14.2, one range of bytes. Several ranges, other units and malformed values mean the whole, as that
/// section allows.
[[nodiscard]] ByteRange parseRange(std::string_view value, std::uint64_t size);

/// If-None-Match (RFC 9110 section 13.1.2, weak comparison) holds `etag` or "*".
[[nodiscard]] bool matchesEtag(std::string_view ifNoneMatch, std::string_view etag);

/// Want-Digest (RFC 3230 section 4.3.1) names `algorithm` with a q-value that is not zero.
[[nodiscard]] bool wantsDigest(std::string_view wantDigest, std::string_view algorithm);

/// Base64 of the bytes that `hex` stands for.
[[nodiscard]] std::string base64OfHex(std::string_view hex);

} // namespace waybill::services
