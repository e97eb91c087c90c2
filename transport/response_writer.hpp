// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/connection.hpp"
#include "transport/request_body.hpp"

#include <functional>
#include <optional>
#include <string>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// The reply of the request that a worker is serving.
class ResponseWriter final : public Response {
public:
  struct Options {
    bool head = false;   ///< the request was HEAD: no body goes out
    bool http10 = false; ///< no chunks
    /// Asked when the head goes out: whether the connection may be kept.
    std::function<bool()> keepAlive;
  };
  /// `connection` and `body` must outlive this.
  ResponseWriter(Connection &connection, RequestBody &body, Options options, Patience patience);

  void send(int status, const Headers &headers, std::string_view body) override;
  void begin(int status, const Headers &headers, std::optional<std::uint64_t> length) override;
  void write(ByteView bytes) override;
  void end() override;
  [[nodiscard]] bool started() const noexcept override { return started_; }

  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// What the head said.
  [[nodiscard]] bool keepsAlive() const noexcept { return keepAlive_; }
  /// From now on the reply, unless its head is out, says that the connection closes.
  void closeAfterwards() noexcept { mustClose_ = true; }

private:
  void put(ByteView bytes, bool last);
  void flush(bool last);

  Connection &connection_;
  RequestBody &body_;
  Options options_;
  Pace pace_;
  bool mustClose_ = false;
  bool keepAlive_ = false;
  bool started_ = false;
  bool ended_ = false;
  bool bodiless_ = false;
  bool chunked_ = false;
  std::optional<std::uint64_t> left_;
  std::string pending_; ///< small pieces on their way to one record
};

} // namespace waybill::transport
