// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/connection.hpp"

#include "domain/fault.hpp"
#include "transport/head_reader.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace waybill::transport {

namespace {

[[noreturn]] void tooSlow(const std::string &found) {
  throw SlowPeer("the connection was given up: " + found + "; send the message again, faster");
}

} // namespace

Connection::Connection(boost::asio::ip::tcp::socket accepted, const std::shared_ptr<SSL_CTX> &context, std::string peer)
    : socket(std::move(accepted)), tls(context, socket.native_handle()), remote(std::move(peer)) {}

Connection::~Connection() = default;

void Pace::moved(std::size_t bytes) {
  bytes_ += bytes;
  const auto elapsed = Connection::Clock::now() - began_;
  if (elapsed > patience_.grace) {
    const auto seconds = std::chrono::duration<double>(elapsed).count();
    if (static_cast<double>(bytes_) < static_cast<double>(patience_.minimumRate) * seconds) {
      tooSlow("it moved " + std::to_string(bytes_) + " bytes in " + std::to_string(static_cast<long>(seconds)) +
              " s, and " + std::to_string(patience_.minimumRate) + " bytes a second are asked for");
    }
  }
}

void Pace::wait(int socket, bool writable) const {
  pollfd entry{socket, static_cast<short>(writable ? POLLOUT : POLLIN), 0};
  const auto until = Connection::Clock::now() + patience_.stall;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Connection::Clock::now()).count();
    const int ready = left > 0 ? ::poll(&entry, 1, static_cast<int>(left)) : 0;
    if (ready > 0) {
      return;
    }
    if (ready == 0) {
      tooSlow("nothing moved for " + std::to_string(patience_.stall.count()) + " s");
    }
    if (errno != EINTR) {
      throw Fault(FaultCode::Internal, std::string("waiting for a connection failed: ") + std::strerror(errno));
    }
  }
}

std::size_t readSome(Connection &connection, Pace &pace, std::span<std::byte> into) {
  if (!connection.received.empty()) {
    const auto count = std::min(into.size(), connection.received.size());
    std::memcpy(into.data(), connection.received.data(), count);
    connection.received.erase(0, count);
    pace.moved(count);
    return count;
  }
  while (true) {
    std::size_t count = 0;
    switch (connection.tls.read(into, count)) {
    case Progress::Done: pace.moved(count); return count;
    case Progress::Closed: return 0;
    case Progress::WantRead: pace.wait(connection.tls.socket(), false); break;
    case Progress::WantWrite: pace.wait(connection.tls.socket(), true); break;
    }
  }
}

void writeAll(Connection &connection, Pace &pace, ByteView bytes) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    switch (connection.tls.write(bytes, count)) {
    case Progress::Done:
      pace.moved(count);
      bytes = bytes.subspan(count);
      break;
    case Progress::Closed:
      throw Fault(FaultCode::InvalidMessage, "the peer closed the connection before the whole reply was sent",
                  connection.remote);
    case Progress::WantRead: pace.wait(connection.tls.socket(), false); break;
    case Progress::WantWrite: pace.wait(connection.tls.socket(), true); break;
    }
  }
}

} // namespace waybill::transport
