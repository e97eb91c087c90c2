// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/receive_buffer.hpp"
#include "transport/socket.hpp"
#include "transport/tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

/// For this folder's .cpp files alone.
namespace waybill::transport {

class HeadReader;

/// What becomes of a connection after a request: another request may follow; or it is closed such that the reply
/// arrives; or at once, so that the peer sees that the reply is not whole.
enum class Afterwards : std::uint8_t { Keep, Linger, Cut };

/// One accepted connection. In the reactor's hands while it waits, in one worker's while a request runs (Busy); never
/// in both: a worker touches `tls`, `received`, `tooSlow` and `afterwards` alone, and the reactor none of them
/// meanwhile. What hands it over (the pool's lock, the reactor's queue) orders memory.
struct Connection {
  enum class State : std::uint8_t { Handshake, Head, Idle, Busy, Lingering, Closed };
  using Clock = std::chrono::steady_clock;

  Connection(boost::asio::io_context &io, Socket accepted, const std::shared_ptr<SSL_CTX> &context, std::string peer);
  ~Connection();
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;

  /// The reactor is told of what happens on the socket (or no longer: a busy connection's bytes must not wake it).
  void watch();
  void unwatch();

  Socket socket;
  boost::asio::posix::stream_descriptor watcher; ///< never owns the socket
  TlsStream tls;
  std::string remote;
  std::string network; ///< whose share of the workers it takes: the address of remote, or the /64 of an IPv6 one
  State state = State::Handshake;
  bool tooSlow = false; ///< a wait for the peer went past its deadline
  Afterwards afterwards = Afterwards::Keep;
  Clock::time_point deadline;       ///< while waiting
  std::uint64_t discarded = 0;      ///< while lingering
  ReceiveBuffer received;           ///< past what has been used: a head's start, a body's, the next request
  std::unique_ptr<HeadReader> head; ///< while a head is being read
};

/// How slow a peer may be (ServerOptions).
struct Patience {
  std::chrono::milliseconds stall;
  std::uint64_t minimumRate;
  std::chrono::milliseconds grace;
  std::chrono::milliseconds unknown; ///< for what is read before the caller is known
};

/// Watches one body, in one direction. Only the time spent waiting for the peer counts, not what we take ourselves.
class Pace {
public:
  explicit Pace(Patience patience) : patience_(patience) {}
  /// An end for all of it: for what is read of a stranger. Without one, or after {}, only the pace counts.
  void endAt(std::optional<Connection::Clock::time_point> end) noexcept { end_ = end; }
  /// Throws Fault InvalidMessage past that end, as wait() does.
  void requireTime(Connection &connection) const;
  void moved(std::size_t bytes) noexcept { bytes_ += bytes; }
  /// Waits until the socket is readable (or writable). Throws Fault InvalidMessage past the stall deadline, and when
  /// the peer is slower than the minimum rate; says so in connection.tooSlow.
  void wait(Connection &connection, bool writable);

private:
  Patience patience_;
  std::optional<Connection::Clock::time_point> end_;
  std::chrono::nanoseconds waited_{0};
  std::uint64_t bytes_ = 0;
};

/// Request::callerHasGone.
[[nodiscard]] bool hasHungUp(const Connection &connection);
/// Waits for bytes, under `pace`, and takes all that are there and fit, those of `received` first. 0 when the peer has
/// closed or gone (tls.isBroken()).
[[nodiscard]] std::size_t readSome(Connection &connection, Pace &pace, std::span<std::byte> into);
/// Puts what comes behind what `received` holds: without waiting, or waiting under `pace`; then false at the end.
[[nodiscard]] Progress receiveNow(Connection &connection);
[[nodiscard]] bool receive(Connection &connection, Pace &pace);
/// Writes all, under `pace`. `more`: other bytes follow soon. Throws Fault InvalidMessage when the peer has gone.
void writeAll(Connection &connection, Pace &pace, ByteView bytes, bool more);

} // namespace waybill::transport
