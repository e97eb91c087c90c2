// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/connection.hpp"
#include "transport/head_reader.hpp"
#include "transport/server.hpp"
#include "transport/worker_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

/// For server.cpp alone.
namespace waybill::transport {

/// The one thread that accepts, parks idle connections, does handshakes and reads heads, all without blocking; complete
/// requests go to the workers. All functions but those marked otherwise run in that thread.
class Reactor {
public:
  Reactor(ServerOptions options, Handler &handler, ServerEvents events);
  ~Reactor();
  Reactor(const Reactor &) = delete;
  Reactor &operator=(const Reactor &) = delete;

  // from any thread
  void start();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  bool drain();
  void reloadCertificate();

private:
  using ConnectionPtr = std::shared_ptr<Connection>;

  void bind();
  void accept();
  void accepted(boost::asio::ip::tcp::socket socket);
  void drive(const ConnectionPtr &connection); ///< goes on as far as it can without waiting
  void shakeHands(const ConnectionPtr &connection);
  void readHead(const ConnectionPtr &connection);
  void parse(const ConnectionPtr &connection);
  void discard(const ConnectionPtr &connection);
  void wait(const ConnectionPtr &connection, bool writable);
  void dispatch(const ConnectionPtr &connection, Head head);
  void refuse(const ConnectionPtr &connection, const char *outcome, const std::string &reply);
  void linger(const ConnectionPtr &connection);
  void close(const ConnectionPtr &connection);
  void returned(const ConnectionPtr &connection, bool keep, bool lingering);
  void sweep();
  void stopAccepting();
  void report();

  // in a worker
  void serve(const ConnectionPtr &connection, Head &head, HeadReader &reader);

  ServerOptions options_;
  Handler &handler_;
  ServerEvents events_;
  Patience patience_;
  std::mutex contextMutex_;
  std::shared_ptr<SSL_CTX> context_;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_{io_};
  boost::asio::steady_timer sweeper_{io_};
  boost::asio::steady_timer retry_{io_};
  std::uint16_t port_ = 0;
  WorkerPool workers_;
  std::set<ConnectionPtr> connections_;
  std::int64_t busy_ = 0;
  std::atomic<bool> draining_{false};
  std::mutex drainMutex_;
  std::jthread thread_;
};

} // namespace waybill::transport
