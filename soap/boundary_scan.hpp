// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace waybill::soap {

/// True when `boundary` is 1 to 70 characters, none a control character or not ASCII, and does not end in a blank (RFC
/// 2046 section 5.1.1; the characters beyond its bchars are taken too, because senders use them).
[[nodiscard]] bool isBoundary(std::string_view boundary) noexcept;

/// Finds the delimiter lines of a multipart body in blocks of bytes (RFC 2046 section 5.1.1). Private to soap/.
/// Immutable.
///
/// A delimiter is CRLF "--" boundary, and then either "--", which closes the message, or blanks (transport padding) and
/// CRLF. Whatever else follows makes it data.
class BoundaryScan {
public:
  enum class Found { Nothing, Delimiter, CloseDelimiter };
  struct Result {
    Found found = Found::Nothing;
    std::size_t data = 0;   ///< bytes at the front of the block that are data for sure
    std::size_t length = 0; ///< of the delimiter behind them, without the CRLF that ends its line
  };

  /// Blanks allowed behind a boundary; nobody sends any, and without a limit they would have to be held in memory.
  static constexpr std::size_t maxPadding = 256;

  /// `boundary` must satisfy isBoundary().
  explicit BoundaryScan(std::string_view boundary) : delimiter_("\r\n--" + std::string(boundary)) {}

  /// Looks from the front of `block`. With Found::Nothing, the bytes from `data` on may be the beginning of a
  /// delimiter: they have to be shown again together with what follows. Throws Fault InvalidMessage for more than
  /// maxPadding blanks.
  [[nodiscard]] Result scan(ByteView block) const;

  [[nodiscard]] std::string_view boundary() const noexcept { return std::string_view(delimiter_).substr(4); }

private:
  [[nodiscard]] std::size_t find(std::string_view block, std::size_t from) const noexcept;
  [[nodiscard]] Result lineEnd(std::string_view rest) const;

  std::string delimiter_;
};

} // namespace waybill::soap
