// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "message_support.hpp"
#include "soap/multipart_reader.hpp"

#include <string>
#include <vector>

namespace waybill::soap::test {

struct ReadPart {
  PartInfo info;
  std::string bytes;
};

inline std::string readPart(MultipartReader &reader, std::size_t block = 64ULL << 10U) {
  std::string bytes;
  Bytes buffer(block);
  while (const auto count = reader.read(buffer)) {
    bytes.append(asText(ByteView(buffer).first(count)));
  }
  return bytes;
}

/// All parts of `body`, read from `source`; `block` is how much is asked for at once.
inline std::vector<ReadPart> readParts(Source &source, std::string_view boundary, std::size_t block = 64ULL << 10U,
                                       const Limits &limits = {}) {
  MultipartReader reader(source, boundary, limits);
  std::vector<ReadPart> parts;
  while (auto info = reader.next()) {
    auto bytes = readPart(reader, block);
    parts.push_back({std::move(*info), std::move(bytes)});
  }
  return parts;
}

inline std::vector<ReadPart> readParts(const std::string &body, std::string_view boundary = "b",
                                       const Limits &limits = {}) {
  ChunkSource source(body, 1U << 20U);
  return readParts(source, boundary, 64ULL << 10U, limits);
}

} // namespace waybill::soap::test
