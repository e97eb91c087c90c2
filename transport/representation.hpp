// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/client_exchange.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::transport {

/// "bytes 5-9/20" (RFC 9110 section 14.4); `end` is one past the last byte; no total: "*".
struct ContentRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::optional<std::uint64_t> total;
};
/// Nothing for what is malformed or makes no sense.
[[nodiscard]] std::optional<ContentRange> parseContentRange(std::string_view text);

/// Which bytes a server is talking about: what must be the same in every reply whose bytes are put together.
class Representation {
public:
  /// As the first good reply (200 or 206) says.
  explicit Representation(const Exchange &reply);

  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept { return size_; }
  /// Two versions can be told apart, so asking for a part is safe.
  [[nodiscard]] bool canContinue() const noexcept;
  /// Range from `begin` up to `end` (without it: to the end), and If-Range (RFC 9110 section 13.1.5). ftp needs none.
  [[nodiscard]] Headers asking(std::uint64_t begin, std::optional<std::uint64_t> end) const;
  /// Why `reply` (200 or 206) is not these bytes from `begin` on, and not past `end`. Nothing when it is. An end before
  /// `end` is allowed (RFC 9110 section 15.3.7).
  [[nodiscard]] std::optional<std::string> mismatch(const Exchange &reply, std::uint64_t begin,
                                                    std::optional<std::uint64_t> end) const;

private:
  [[nodiscard]] std::optional<std::string> versionMismatch(const Exchange &reply) const;

  bool ftp_;
  bool hasRanges_ = true;
  std::string etag_;         ///< empty: none, or a weak one
  std::string lastModified_; ///< empty: none
  bool dateIsStrong_ = false;
  std::optional<std::uint64_t> size_;
};

} // namespace waybill::transport
