// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "transport/http.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

/// For this folder's .cpp files, and the fuzz target.
namespace waybill::transport {

/// A peer that is slower than the settings allow.
class SlowPeer : public Fault {
public:
  explicit SlowPeer(std::string reason) : Fault(FaultCode::InvalidMessage, std::move(reason)) {}
};

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

  /// Looks at all that was received so far; when the head is complete, takes it off the front of `received` and says
  /// true. Throws Refusal.
  [[nodiscard]] bool take(std::string &received);
  /// The head, once take() said true. Throws Refusal for what RFC 9112 or we do not allow.
  [[nodiscard]] Head head() const;

  /// Takes framing off `framed`: writes content into `into`, says how many bytes of `framed` were used and how many
  /// written. Throws Fault InvalidMessage.
  struct Unframed {
    std::size_t used = 0;
    std::size_t written = 0;
  };
  [[nodiscard]] Unframed unframe(ByteView framed, std::span<std::byte> into);
  /// True after the last chunk and its trailers.
  [[nodiscard]] bool bodyIsDone() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::transport
