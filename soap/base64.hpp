// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace waybill::soap {

/// Decodes xs:base64Binary (XML Schema 1.0 part 2, 3.2.16; RFC 4648 section 4) given in pieces. Blanks are passed over
/// wherever they are; any other character outside the alphabet, misplaced or missing padding, and bits that the padding
/// leaves unused but set are errors.
class Base64Decoder {
public:
  /// Makes room for the bytes of `characters` of text.
  void reserve(std::size_t characters) { bytes_.reserve(characters / 4 * 3 + 3); }
  /// False for malformed text; the decoder must not be used after that.
  [[nodiscard]] bool add(std::string_view text);
  /// True when what was added is whole.
  [[nodiscard]] bool complete() const noexcept { return digits_ == 0; }
  /// The bytes decoded; the decoder must not be used after that.
  [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
  /// Decodes whole groups of four characters as far as there is nothing else, and says how many characters that were.
  [[nodiscard]] std::size_t addGroups(std::string_view text);
  [[nodiscard]] bool addOne(char c);
  [[nodiscard]] bool pad();

  std::string bytes_;
  unsigned bits_ = 0;    ///< of the group of four characters under way
  unsigned digits_ = 0;  ///< characters of it so far, padding included
  unsigned padding_ = 0; ///< "=" signs seen; after the last nothing may follow
};

/// `bytes` in base64, without line breaks.
[[nodiscard]] std::string toBase64(std::string_view bytes);

} // namespace waybill::soap
