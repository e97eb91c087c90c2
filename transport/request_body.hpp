// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/connection.hpp"
#include "transport/head_reader.hpp"

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

  [[nodiscard]] bool isDone() const noexcept { return done_; }
  /// True while the client waits for "100 Continue" and will send nothing.
  [[nodiscard]] bool isHeldBack() const noexcept { return heldBack_; }
  /// Swallows up to `limit` bytes of what is left; true when it came to the end.
  [[nodiscard]] bool drain(std::uint64_t limit);

private:
  [[nodiscard]] std::size_t readLength(std::span<std::byte> into);
  [[nodiscard]] std::size_t readChunked(std::span<std::byte> into);

  Connection &connection_;
  HeadReader &reader_;
  Framing framing_;
  std::uint64_t length_;
  std::uint64_t left_;
  bool heldBack_;
  bool done_;
  std::optional<Pace> pace_;
  Patience patience_;
};

} // namespace waybill::transport
