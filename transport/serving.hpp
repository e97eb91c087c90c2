// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/connection.hpp"
#include "transport/head_reader.hpp"
#include "transport/response_writer.hpp"
#include "transport/server.hpp"

#include <atomic>
#include <functional>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// Runs requests, from their head to the end of the reply. Thread-safe: each worker has its own request.
class Serving {
public:
  /// All must outlive this.
  Serving(const ServerOptions &options, Handler &handler, const ServerEvents &events,
          const std::atomic<bool> &draining);

  /// Calls `known` when the handler says that it knows the caller.
  [[nodiscard]] Afterwards run(Connection &connection, Head &head, HeadReader &reader,
                               const std::function<void()> &known) const noexcept;

private:
  [[nodiscard]] Afterwards serve(Connection &connection, Head &head, HeadReader &reader,
                                 const std::function<void()> &known) const;
  /// What went wrong; empty when nothing did.
  [[nodiscard]] std::string callHandler(Request &request, ResponseWriter &response) const;
  void answerFailure(const Connection &connection, const RequestBody &body, ResponseWriter &response) const;

  Handler &handler_;
  const ServerEvents &events_;
  const std::atomic<bool> &draining_;
  Patience patience_;
  std::uint64_t drainBytes_;
};

} // namespace waybill::transport
