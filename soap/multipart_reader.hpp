// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "soap/limits.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::soap {

/// What the header lines of a part say.
struct PartInfo {
  std::string contentId;       ///< without < and >, empty when there is none
  std::string contentLocation; ///< empty when there is none
  std::string contentType;     ///< as it came, empty when there is none
};

/// Reads a MIME multipart body (RFC 2046 section 5.1) part by part, in constant memory, as a stream.
///
/// The boundary is looked for in whole blocks. Bytes of a part come out decoded (binary, 7bit, 8bit, base64,
/// quoted-printable: RFC 2045 section 6). One thread at a time. `body` must outlive the reader. Throws Fault
/// InvalidMessage for malformed input (a missing closing boundary, a part with a broken header or transfer encoding,
/// two parts of one Content-ID) and TooLarge past a limit, and whatever `body` throws; after that every call throws the
/// same again. Nothing is read past the closing boundary: an epilogue is left in `body`, except what came with the last
/// read.
class MultipartReader {
public:
  /// Throws Fault InvalidMessage when `boundary` is empty or longer than 70 characters (RFC 2046 section 5.1.1).
  MultipartReader(Source &body, std::string_view boundary, const Limits &limits);
  ~MultipartReader();
  MultipartReader(const MultipartReader &) = delete;
  MultipartReader &operator=(const MultipartReader &) = delete;

  /// Goes to the next part, skipping what is unread of the current one; nothing after the closing boundary.
  [[nodiscard]] std::optional<PartInfo> next();
  /// The decoded bytes of the current part, as Source::read does; 0 at its end. Memory of `into` beyond the bytes
  /// counted may have been written to: large reads go there straight from `body`.
  std::size_t read(std::span<std::byte> into);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::soap
