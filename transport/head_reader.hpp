// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/http.hpp"

#include <cstdint>
#include <memory>
#include <string>

/// For this folder's .cpp files, and the fuzz target.
namespace waybill::transport {

/// How the body of a request is framed (RFC 9112 section 6).
enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

/// A request's head, understood.
struct Head {
  Request request;
  Framing framing = Framing::None;
  std::uint64_t length = 0;
  bool keepAlive = true;
  bool expectsContinue = false;
};

/// Why a head was refused.
struct Refusal {
  int status;
  std::string text;
};

/// Reads a request's head from bytes as they come (Boost.Beast parses it), and then takes chunked framing off its body.
class HeadReader {
public:
  explicit HeadReader(std::size_t headBytes);
  ~HeadReader();
  HeadReader(const HeadReader &) = delete;
  HeadReader &operator=(const HeadReader &) = delete;

  /// Given what was received and not used yet, says how much of it is used now; the rest has to be given again with
  /// what comes next. Uses nothing past the head. Throws Refusal.
  [[nodiscard]] std::size_t put(ByteView received);
  [[nodiscard]] bool isComplete() const;
  /// The head, once isComplete(). Throws Refusal for what RFC 9112 or we do not allow.
  [[nodiscard]] Head head() const;

  /// How many bytes of the framed body were used, and how many of its content written.
  struct Unframed {
    std::size_t used = 0;
    std::size_t written = 0;
  };
  /// Takes chunked framing off, after the head. What was not used has to be given again with what comes next; when
  /// nothing is used or written, more is needed. Throws Fault InvalidMessage.
  [[nodiscard]] Unframed unframe(ByteView framed, std::span<std::byte> into);
  /// True after the last chunk and its trailers.
  [[nodiscard]] bool bodyIsDone() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::transport
