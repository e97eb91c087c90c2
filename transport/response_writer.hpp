// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/connection.hpp"
#include "transport/http.hpp"

#include <optional>
#include <string>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// The reply of the request that a worker is serving.
class ResponseWriter final : public Response {
public:
  struct Options {
    bool head = false;     ///< the request was HEAD: no body goes out
    bool http10 = false;   ///< no chunks
    bool keepAlive = true; ///< what the client and the server would like
  };
  ResponseWriter(Connection &connection, Options options, Patience patience);

  void send(int status, const Headers &headers, std::string_view body) override;
  void begin(int status, const Headers &headers, std::optional<std::uint64_t> length) override;
  void write(ByteView bytes) override;
  void end() override;
  [[nodiscard]] bool started() const noexcept override { return started_; }

  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] bool keepsAlive() const noexcept { return options_.keepAlive; }
  /// From now on the reply, unless its head is out, says that the connection closes.
  void closeAfterwards() noexcept { options_.keepAlive = false; }

private:
  void put(ByteView bytes);
  void flush();

  Connection &connection_;
  Options options_;
  Pace pace_;
  bool started_ = false;
  bool ended_ = false;
  bool chunked_ = false;
  std::optional<std::uint64_t> left_;
  std::string pending_; ///< small pieces on their way to one record
};

/// A whole small reply as bytes, for refusals before any worker: "Connection: close" included.
[[nodiscard]] std::string refusalText(int status, std::string_view text, const Headers &more = {});

} // namespace waybill::transport
