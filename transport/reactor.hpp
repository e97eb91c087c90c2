// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/connection.hpp"
#include "transport/head_reader.hpp"
#include "transport/listener.hpp"
#include "transport/mutex.hpp"
#include "transport/occupancy.hpp"
#include "transport/server.hpp"
#include "transport/serving.hpp"
#include "transport/worker_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <thread>

/// For server.cpp alone.
namespace waybill::transport {

/// The one thread that accepts, parks idle connections, does handshakes and reads heads, all without blocking; complete
/// requests go to the workers. All functions but those marked otherwise run in that thread, and the fields without a
/// mark belong to it.
class Reactor {
public:
  Reactor(ServerOptions options, Handler &handler, ServerEvents events);
  ~Reactor();
  Reactor(const Reactor &) = delete;
  Reactor &operator=(const Reactor &) = delete;

  // From any thread.
  void start();
  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  bool drain();
  void reloadCertificate();

private:
  using ConnectionPtr = std::shared_ptr<Connection>;
  using Millis = std::chrono::milliseconds;

  void run();
  void accepted(Socket socket, std::string remote);

  using Step = void (Reactor::*)(const ConnectionPtr &);
  /// Takes a step, and closes the connection when it throws.
  void guard(const ConnectionPtr &connection, Step step);
  /// Goes on with a connection as far as it can without waiting.
  void drive(const ConnectionPtr &connection);
  void shakeHands(const ConnectionPtr &connection);
  void readHead(const ConnectionPtr &connection);
  void takeHead(const ConnectionPtr &connection, ByteView fresh);
  void discard(const ConnectionPtr &connection);
  void wait(const ConnectionPtr &connection, bool writable);

  void enter(const ConnectionPtr &connection, Connection::State state, Millis time);
  [[nodiscard]] bool isProbe(const Head &head) const;
  void dispatch(const ConnectionPtr &connection);
  void returned(const ConnectionPtr &connection);
  void refuse(const ConnectionPtr &connection, const char *outcome, const std::string &reply);
  void linger(const ConnectionPtr &connection);
  void close(const ConnectionPtr &connection);

  void sweep();
  void expire(const ConnectionPtr &connection);
  void report();

  void stopAccepting();
  void cutBusy();
  bool drainOnce() WAYBILL_THREAD_SAFETY(requires_capability(drainMutex_)); ///< in the thread that drains

  const ServerOptions options_;
  const ServerEvents events_; ///< any thread
  Mutex contextMutex_;
  std::shared_ptr<SSL_CTX> context_ WAYBILL_GUARDED_BY(contextMutex_);
  boost::asio::io_context io_{1}; ///< any thread may post
  Listener listener_;
  boost::asio::steady_timer sweeper_{io_};
  std::atomic<bool> draining_{false}; ///< any thread
  std::atomic<bool> cutting_{false};  ///< any thread
  Serving serving_;                   ///< workers
  WorkerPool workers_;
  Serving probing_; ///< its own workers
  WorkerPool probes_;
  std::set<ConnectionPtr> connections_;
  std::size_t busy_ = 0;
  std::array<std::byte, 16 * 1024> scratch_{};
  Occupancy occupancy_; ///< any thread
  Mutex drainMutex_;
  std::optional<bool> drained_ WAYBILL_GUARDED_BY(drainMutex_);
  std::jthread thread_;
};

} // namespace waybill::transport
