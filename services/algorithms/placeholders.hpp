// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// A piece of a text with placeholders: text as it is, or what a name stands for.
struct TextPiece {
  enum class Kind : std::uint8_t { Text, Input, Output, Parameter };
  Kind kind = Kind::Text;
  std::string text; ///< or the name
  friend bool operator==(const TextPiece &, const TextPiece &) = default;
};

/// The pieces of `text`: "{input.NAME}", "{output.NAME}", "{parameter.NAME}", and "{{", "}}" for braces. Throws Fault
/// BadParameter for anything else in braces.
[[nodiscard]] std::vector<TextPiece> pieces(std::string_view text);

/// `text` with what `meaning` gives for each name in it.
[[nodiscard]] std::string filledIn(std::string_view text, const std::function<std::string(const TextPiece &)> &meaning);

} // namespace waybill::services
