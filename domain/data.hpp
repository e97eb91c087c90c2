// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

enum class DigestAlgorithm : std::uint8_t { Sha256, Adler32 };

/// "sha-256" or "adler32", as in the `algorithm` attribute and in RFC 3230's registry.
[[nodiscard]] std::string_view name(DigestAlgorithm algorithm) noexcept;
[[nodiscard]] std::optional<DigestAlgorithm> digestAlgorithmNamed(std::string_view name) noexcept;

/// A checksum of content, lower-case hex: 64 digits for SHA-256, 8 for adler32 (RFC 1950).
struct Digest {
  DigestAlgorithm algorithm = DigestAlgorithm::Sha256;
  std::string hex;
  friend bool operator==(const Digest &, const Digest &) = default;
};

/// What the sender says about the data, kept and given back as it came.
struct Metadata {
  std::string name;
  std::string value;
  friend bool operator==(const Metadata &, const Metadata &) = default;
};

/// `wb:Data`: how a message speaks of a data object, field for field (wsdl/data.xsd). Every field is optional.
///
/// The bytes themselves are never in here. `content` and `attachment` are references ("cid:...") to parts of the
/// message; on the way in, soap/ has turned inline base64 and xop:Include into such a reference, on the way out it does
/// the reverse.
struct Data {
  std::optional<std::string> id;          ///< URL: https://host:port/data/<id>
  std::optional<std::string> path;        ///< as the sender wrote it; see DataPath
  std::optional<std::string> contentType; ///< media type
  std::optional<std::uint64_t> size;      ///< bytes
  std::optional<Digest> digest;
  std::optional<bool> secure; ///< true unless said otherwise
  std::optional<Time> created;
  std::optional<Time> expires;
  std::optional<std::string> owner;
  std::vector<Metadata> metadata;
  std::optional<std::string> href;
  std::optional<std::string> attachment; ///< wsi:swaRef
  std::optional<std::string> content;    ///< "cid:..." of the part that holds the bytes of wb:Content
  std::optional<std::string> token;      ///< base64 CMS, for the instance that `href` names
  friend bool operator==(const Data &, const Data &) = default;
};

} // namespace waybill
