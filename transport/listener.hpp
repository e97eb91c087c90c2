// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <string>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// A listening TCP socket. Belongs to the thread that runs `io`.
class Listener {
public:
  /// Gets non-blocking sockets that no child process inherits, with the peer's "address:port".
  using Accepted = std::function<void(Socket socket, std::string remote)>;
  using Log = std::function<void(const std::string &text)>;

  /// Binds. Throws Fault Internal naming the address. Port 0: any free one.
  Listener(boost::asio::io_context &io, const std::string &host, std::uint16_t port);

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Calls `accepted` for each connection from now on; it must not throw.
  void start(Accepted accepted, Log log);
  void close();

private:
  void wait();
  /// False when the system has no more room for connections.
  [[nodiscard]] bool acceptSome();
  void rest();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  std::uint16_t port_ = 0;
  Accepted accepted_;
  Log log_;
  bool full_ = false;
};

} // namespace waybill::transport
