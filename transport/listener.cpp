// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/listener.hpp"

#include "domain/fault.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace waybill::transport {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr int backlog = 4096;
/// Accepted in one go, before others get their turn.
constexpr int batch = 64;
constexpr std::chrono::milliseconds restTime{100};

std::string nameOf(const tcp::endpoint &peer) {
  const auto address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(peer.port());
}

bool isExhausted(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

} // namespace

Listener::Listener(boost::asio::io_context &io, const std::string &host, std::uint16_t port)
    : acceptor_(io), retry_(io) {
  try {
    const auto found =
        tcp::resolver(io).resolve(host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    if (::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC) != 0) {
      throw boost::system::system_error(errno, boost::system::generic_category());
    }
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.non_blocking(true);
    acceptor_.bind(endpoint);
    acceptor_.listen(backlog);
    port_ = acceptor_.local_endpoint().port();
  } catch (const boost::system::system_error &error) {
    throw Fault(FaultCode::Internal,
                "listening failed: " + error.code().message() +
                    "; choose another address by --listen, or stop what uses it",
                host + ":" + std::to_string(port));
  }
}

void Listener::start(Accepted accepted, Log log) {
  accepted_ = std::move(accepted);
  log_ = std::move(log);
  wait();
}

void Listener::wait() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const error_code &error) {
    if (error || !acceptor_.is_open()) {
      return;
    }
    if (acceptSome()) {
      wait();
    } else {
      rest();
    }
  });
}

bool Listener::acceptSome() {
  for (int i = 0; i < batch && acceptor_.is_open(); ++i) {
    tcp::endpoint peer;
    auto length = static_cast<socklen_t>(peer.capacity());
    Socket socket(::accept4(acceptor_.native_handle(), peer.data(), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.isOpen()) {
      full_ = false;
      peer.resize(length);
      accepted_(std::move(socket), nameOf(peer));
    } else if (isExhausted(errno)) {
      // Said once each time it begins.
      if (!full_) {
        log_("accepting a connection failed: " + std::generic_category().message(errno) +
             "; raise the limit of open files, or lower the limit of connections");
      }
      full_ = true;
      return false;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return true;
    }
    // Any other error is that of one connection, which went while it waited.
  }
  return true;
}

/// Trying again at once would spin.
void Listener::rest() {
  retry_.expires_after(restTime);
  retry_.async_wait([this](const error_code &cancelled) {
    if (!cancelled && acceptor_.is_open()) {
      wait();
    }
  });
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
}

} // namespace waybill::transport
