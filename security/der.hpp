// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <initializer_list>

/// The little of DER (X.690 section 10) that a token's fixed shape needs. For this folder's .cpp files alone.
namespace waybill::security::der {

enum Tag : unsigned char {
  Integer = 0x02,
  BitString = 0x03,
  OctetString = 0x04,
  Null = 0x05,
  ObjectId = 0x06,
  Sequence = 0x30,
  Set = 0x31,
  Primitive0 = 0x80,
  Explicit0 = 0xA0,
  Explicit1 = 0xA1,
  Explicit2 = 0xA2,
};

/// Tag, definite length in the fewest bytes, content.
[[nodiscard]] Bytes element(Tag tag, ByteView content);
[[nodiscard]] Bytes joined(std::initializer_list<ByteView> pieces);
/// OpenSSL's `nid` as an OBJECT IDENTIFIER.
[[nodiscard]] Bytes objectId(int nid);
/// An INTEGER from 0 to 127.
[[nodiscard]] Bytes smallInteger(unsigned char value);
/// An AlgorithmIdentifier without parameters.
[[nodiscard]] Bytes algorithm(int nid);
/// An AlgorithmIdentifier with parameters, which are whole elements.
[[nodiscard]] Bytes algorithm(int nid, ByteView parameters);

/// Takes elements off the front of bytes, one after the other. Whatever is not as expected, or not DER, throws
/// LayerRefused (layer.hpp).
class Reader {
public:
  explicit Reader(ByteView bytes) noexcept : rest_(bytes) {}
  /// The content of the next element, which has this tag.
  ByteView take(Tag tag);
  /// The same, with so many bytes.
  ByteView take(Tag tag, std::size_t size);
  /// The same, to be read on.
  Reader enter(Tag tag) { return Reader(take(tag)); }
  /// Takes these very bytes; otherwise refuses because of `why`.
  void expect(ByteView bytes, const char *why);
  /// Takes these very bytes if they come next.
  bool takeIf(ByteView bytes) noexcept;
  [[nodiscard]] bool startsWith(Tag tag) const noexcept;
  [[nodiscard]] ByteView rest() const noexcept { return rest_; }
  /// There must be nothing more.
  void end() const;

private:
  ByteView rest_;
};

} // namespace waybill::security::der
