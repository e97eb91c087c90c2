// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/der.hpp"

#include "security/layer.hpp"

#include <openssl/objects.h>

#include <algorithm>
#include <optional>

namespace waybill::security::der {

namespace {

void append(Bytes &to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

/// The length octets that DER has for `size`, X.690 section 10.1.
Bytes lengthOctets(std::size_t size) {
  if (size < 0x80) {
    return {static_cast<std::byte>(size)};
  }
  Bytes octets;
  for (auto rest = size; rest != 0; rest >>= 8U) {
    octets.insert(octets.begin(), static_cast<std::byte>(rest & 0xFFU));
  }
  octets.insert(octets.begin(), static_cast<std::byte>(0x80U | octets.size()));
  return octets;
}

/// The length that begins `bytes`, whatever its form; nothing when it is cut off, indefinite or of more than 3 bytes.
std::optional<std::size_t> lengthAt(ByteView bytes) {
  const auto first = bytes.empty() ? 0x80U : std::to_integer<unsigned>(bytes.front());
  if (first < 0x80) {
    return first;
  }
  const auto count = first & 0x7FU;
  if (count == 0 || count > 3 || bytes.size() < 1 + count) {
    return std::nullopt;
  }
  std::size_t length = 0;
  for (const auto octet : bytes.subspan(1, count)) {
    length = (length << 8U) | std::to_integer<std::size_t>(octet);
  }
  return length;
}

} // namespace

Bytes element(Tag tag, ByteView content) {
  const auto length = lengthOctets(content.size());
  Bytes result;
  result.reserve(1 + length.size() + content.size());
  result.push_back(std::byte{tag});
  append(result, length);
  append(result, content);
  return result;
}

Bytes joined(std::initializer_list<ByteView> pieces) {
  Bytes all;
  for (const auto &piece : pieces) {
    append(all, piece);
  }
  return all;
}

Bytes objectId(int nid) {
  const auto *object = OBJ_nid2obj(nid);
  return element(ObjectId, {reinterpret_cast<const std::byte *>(OBJ_get0_data(object)), OBJ_length(object)});
}

Bytes smallInteger(unsigned char value) { return element(Integer, Bytes{std::byte{value}}); }

Bytes algorithm(int nid) { return element(Sequence, objectId(nid)); }

Bytes algorithm(int nid, ByteView parameters) { return element(Sequence, joined({objectId(nid), parameters})); }

ByteView Reader::take(Tag tag) {
  if (!startsWith(tag)) {
    throw LayerRefused{"another element than the one that has to be there"};
  }
  const auto length = lengthAt(rest_.subspan(1));
  const auto octets = length ? lengthOctets(*length) : Bytes{};
  if (!length || !takeIf(joined({rest_.first(1), octets})) || *length > rest_.size()) {
    throw LayerRefused{"an element's length that DER does not have"};
  }
  const auto content = rest_.first(*length);
  rest_ = rest_.subspan(*length);
  return content;
}

ByteView Reader::take(Tag tag, std::size_t size) {
  const auto content = take(tag);
  if (content.size() != size) {
    throw LayerRefused{"an element of another size"};
  }
  return content;
}

void Reader::expect(ByteView bytes, const char *why) {
  if (!takeIf(bytes)) {
    throw LayerRefused{why};
  }
}

bool Reader::takeIf(ByteView bytes) noexcept {
  if (rest_.size() < bytes.size() || !std::equal(bytes.begin(), bytes.end(), rest_.begin())) {
    return false;
  }
  rest_ = rest_.subspan(bytes.size());
  return true;
}

bool Reader::startsWith(Tag tag) const noexcept { return !rest_.empty() && rest_.front() == std::byte{tag}; }

void Reader::end() const {
  if (!rest_.empty()) {
    throw LayerRefused{"more fields than a token's layer has"};
  }
}

} // namespace waybill::security::der
