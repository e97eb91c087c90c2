// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/server.hpp"
#include "transport/tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <string>

/// For this folder's .cpp files alone.
namespace waybill::transport {

class HeadReader;

/// One accepted connection. In the reactor's hands while it waits, in one worker's while a request runs; never in both.
struct Connection {
  enum class State : std::uint8_t { Handshake, Head, Idle, Busy, Lingering };
  using Clock = std::chrono::steady_clock;

  Connection(boost::asio::ip::tcp::socket accepted, const std::shared_ptr<SSL_CTX> &context, std::string peer);
  ~Connection();
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;

  boost::asio::ip::tcp::socket socket;
  TlsStream tls;
  std::string remote;
  State state = State::Handshake;
  Clock::time_point deadline; ///< while waiting
  std::string received;       ///< bytes past what has been used: the start of a head, of a body, of the next request
  std::unique_ptr<HeadReader> head; ///< while a head is being read
};

/// How slow a peer may be (ServerOptions).
struct Patience {
  std::chrono::seconds stall;
  std::uint64_t minimumRate;
  std::chrono::seconds grace;
};

/// Watches one body, in one direction. Throws Fault InvalidMessage when it is too slow.
class Pace {
public:
  explicit Pace(Patience patience) : patience_(patience), began_(Connection::Clock::now()) {}
  [[nodiscard]] Pace fresh() const { return Pace(patience_); }
  void moved(std::size_t bytes);
  /// Waits until `socket` is readable (or writable). Throws after the stall deadline.
  void wait(int socket, bool writable) const;

private:
  Patience patience_;
  Connection::Clock::time_point began_;
  std::uint64_t bytes_ = 0;
};

/// Blocking reads and writes on a connection, under deadlines; for workers. `received` comes first when reading.
[[nodiscard]] std::size_t readSome(Connection &connection, Pace &pace,
                                   std::span<std::byte> into); ///< 0 when the peer has closed
void writeAll(Connection &connection, Pace &pace,
              ByteView bytes); ///< throws Fault InvalidMessage when the peer has closed

} // namespace waybill::transport
