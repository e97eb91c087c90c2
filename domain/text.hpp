// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace waybill {

/// True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing past U+10FFFF).
[[nodiscard]] bool isUtf8(std::string_view text) noexcept;

/// True when a C0 control character or DEL is in `text`.
[[nodiscard]] bool hasControlCharacters(std::string_view text) noexcept;

/// `text` fit for a message or a log line: at most `limit` bytes, control characters and bytes that are not ASCII as
/// \xNN.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

/// ASCII comparison and trimming, the same in every locale (header names, media types).
[[nodiscard]] bool equalIgnoringCase(std::string_view a, std::string_view b) noexcept;
[[nodiscard]] std::string lowerCase(std::string_view text);
/// Without spaces, tabs, CR and LF at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

} // namespace waybill
