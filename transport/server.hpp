// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/http.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace waybill::transport {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8443;              ///< 0: any free one
  std::string certificateFile;            ///< PEM chain
  std::string keyFile;                    ///< PEM
  std::size_t workers = 16;               ///< requests served at the same time
  std::size_t queue = 64;                 ///< requests that may wait for a worker; past that: 503 with Retry-After
  std::size_t connections = 20'000;       ///< open connections, idle ones included
  std::size_t headBytes = 64 * 1024;      ///< request line and header fields
  std::chrono::seconds headDeadline{15};  ///< from the first byte (or the accept) to a complete TLS handshake and head
  std::chrono::seconds idleDeadline{300}; ///< a kept connection without a request
  std::chrono::seconds stallDeadline{30}; ///< one read or write without any progress
  std::uint64_t minimumRate = 1024;       ///< bytes a second, averaged over the time spent waiting for the peer
  std::chrono::seconds rateGrace{20};     ///< time spent waiting before minimumRate is asked for
  /// From the start of serving a request until its handler knows who asks (Request::callerIsKnown), for what it reads.
  std::chrono::seconds envelopeDeadline{30};
  /// Paths whose GET and HEAD do not wait for the workers: two threads of their own answer, to peers that take the
  /// reply at once.
  std::vector<std::string> probes;
  std::chrono::seconds drainDeadline{30}; ///< how long drain() waits for running requests
  std::uint64_t drainBytes =
      256 * 1024; ///< unread request body that is swallowed to keep the connection; past that it is closed
};

/// What happened, for metrics and logs; called from the server's threads, several at once, and must not throw.
struct ServerEvents {
  std::function<void(const std::string &text)> log; ///< problems worth a line
  std::function<void(const char *outcome)> refused; ///< "busy", "bad-request", "timeout", "tls", "connections"
  std::function<void(std::int64_t idle, std::int64_t active)> gauges; ///< connections
};

/// HTTPS/1.1 server: TLS 1.2+, keep-alive; idle connections are parked in one epoll (Asio) thread, where the handshake
/// and the head are read without blocking; a complete request runs to its end on one worker thread with blocking calls
/// under deadlines. Of one address (IPv6: one /64), requests whose caller the handler does not know yet get at most
/// half of the workers; more of them wait in at most half of the queue, and past that are answered 503.
///
/// Refused with a clear status before any handler runs: malformed heads (400), Transfer-Encoding beside Content-Length
/// or other than chunked (400/501), a body method without length (411), heads past headBytes (431), HTTP/2 prefaces and
/// others (505).
class Server {
public:
  /// Loads the certificate and binds. Throws Fault Internal with the file or address concerned.
  Server(ServerOptions options, Handler &handler, ServerEvents events = {});
  ~Server(); ///< drains, then stops
  Server(const Server &) = delete;
  Server &operator=(const Server &) = delete;

  /// Starts the threads and returns.
  void start();
  /// The port that is listened on.
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Stops accepting, closes idle connections, answers running requests with "Connection: close", waits for them up to
  /// drainDeadline, then cuts: their reads and writes fail, and they are waited for. Returns true when nothing had to
  /// be cut. Thread-safe, idempotent.
  bool drain();
  /// Loads the certificate and key files again (for new connections). Throws Fault Internal and keeps the old ones when
  /// they do not fit.
  void reloadCertificate();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::transport
