// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/connection.hpp"
#include "transport/head_reader.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// The body of the request that a worker is serving, framing taken off.
class RequestBody final : public Source {
public:
  /// All must outlive this. `reader` is the one that read the head.
  RequestBody(Connection &connection, HeadReader &reader, const Head &head, Patience patience);

  std::size_t read(std::span<std::byte> into) override;
  [[nodiscard]] std::optional<std::uint64_t> size() const override;

  /// Request::callerIsKnown: the rest may take its time.
  void callerIsKnown() noexcept { pace_.endAt({}); }

  /// True once read() has thrown: what comes on the connection has no meaning any more.
  [[nodiscard]] bool hasFailed() const noexcept { return failed_; }
  /// The reply's head goes out: who waits for "100 Continue" will not be told any more.
  void replyBegins() noexcept { replyBegan_ = true; }
  /// Whether what was not read yet comes to at most `limit` bytes, as far as can be seen without waiting.
  [[nodiscard]] bool mayBeFinished(std::uint64_t limit);
  /// Swallows what was not read: up to `limit` bytes and for as long as `time`; true when that was all.
  [[nodiscard]] bool finish(std::uint64_t limit, std::chrono::milliseconds time);

private:
  [[nodiscard]] std::size_t readFramed(std::span<std::byte> into);
  [[nodiscard]] std::size_t readLength(std::span<std::byte> into);
  [[nodiscard]] std::size_t readChunked(std::span<std::byte> into);
  [[nodiscard]] std::size_t readUntilClose(std::span<std::byte> into);
  [[nodiscard]] std::size_t unframe(std::span<std::byte> into);

  Connection &connection_;
  HeadReader &reader_;
  Framing framing_;
  std::uint64_t length_;
  std::uint64_t left_;
  std::uint64_t given_ = 0;
  bool heldBack_; ///< the client waits for "100 Continue"
  bool done_;
  bool failed_ = false;
  bool replyBegan_ = false;
  Patience patience_;
  Pace pace_;
};

} // namespace waybill::transport
