// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/connection.hpp"

#include "domain/fault.hpp"
#include "transport/head_reader.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace waybill::transport {

namespace {

[[noreturn]] void giveUp(Connection &connection, const std::string &found) {
  connection.tooSlow = true;
  throw Fault(FaultCode::InvalidMessage,
              "the peer is too slow and was given up: " + found + "; send the message again, faster",
              connection.remote);
}

std::string seconds(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

/// False when `limit` passed first.
bool waitFor(int socket, bool writable, std::chrono::milliseconds limit) {
  using Clock = Connection::Clock;
  pollfd entry{socket, static_cast<short>(writable ? POLLOUT : POLLIN), 0};
  const auto until = Clock::now() + limit;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const int ready = left > 0 ? ::poll(&entry, 1, static_cast<int>(left)) : 0;
    if (ready >= 0) {
      return ready > 0;
    }
    if (errno != EINTR) {
      throw Fault(FaultCode::Internal, "waiting for a connection failed: " + std::generic_category().message(errno));
    }
  }
}

/// All that is there and fits. Done when there was anything.
Progress fill(TlsStream &tls, std::span<std::byte> into, std::size_t &count) {
  auto progress = Progress::Done;
  count = 0;
  while (count < into.size() && progress == Progress::Done) {
    std::size_t got = 0;
    progress = tls.read(into.subspan(count), got);
    count += got;
  }
  return count != 0 ? Progress::Done : progress;
}

/// Tries again whenever the socket is ready. False at the end of the connection.
template <typename Attempt> bool untilDone(Connection &connection, Pace &pace, Attempt attempt) {
  while (true) {
    switch (attempt()) {
    case Progress::Done: return true;
    case Progress::Closed:
    case Progress::Broken: return false;
    case Progress::WantRead: pace.wait(connection, false); break;
    case Progress::WantWrite: pace.wait(connection, true); break;
    }
  }
}

} // namespace

Connection::Connection(boost::asio::io_context &io, Socket accepted, const std::shared_ptr<SSL_CTX> &context,
                       std::string peer)
    : socket(std::move(accepted)), watcher(io), tls(context, socket.get()), remote(std::move(peer)) {}

Connection::~Connection() { unwatch(); }

void Connection::watch() {
  if (!watcher.is_open()) {
    watcher.assign(socket.get());
  }
}

void Connection::unwatch() {
  if (watcher.is_open()) {
    watcher.release();
  }
}

void Pace::requireTime(Connection &connection) const {
  if (end_ && Connection::Clock::now() >= *end_) {
    giveUp(connection,
           "who sends the message was not known within " + seconds(patience_.unknown) + " (server.envelope_deadline)");
  }
}

void Pace::wait(Connection &connection, bool writable) {
  using std::chrono::milliseconds;
  const auto began = Connection::Clock::now();
  const auto limit = end_ ? std::min(patience_.stall, std::chrono::ceil<milliseconds>(*end_ - began)) : patience_.stall;
  const auto ready = waitFor(connection.tls.socket(), writable, limit);
  waited_ += Connection::Clock::now() - began;
  requireTime(connection);
  if (!ready) {
    giveUp(connection, "nothing moved for " + seconds(patience_.stall));
  }
  const auto asked = static_cast<double>(patience_.minimumRate) * std::chrono::duration<double>(waited_).count();
  if (waited_ > patience_.grace && static_cast<double>(bytes_) < asked) {
    giveUp(connection, "it moved " + std::to_string(bytes_) + " bytes in " + seconds(waited_) + ", and " +
                           std::to_string(patience_.minimumRate) + " bytes a second are asked for");
  }
}

bool hasHungUp(const Connection &connection) {
  pollfd entry{connection.tls.socket(), POLLRDHUP, 0}; // POLLHUP and POLLERR are always told
  return ::poll(&entry, 1, 0) > 0;
}

Progress receiveNow(Connection &connection) {
  constexpr std::size_t block = 64 * 1024;
  std::size_t count = 0;
  const auto progress = fill(connection.tls, connection.received.room(block), count);
  connection.received.added(count);
  return progress;
}

bool receive(Connection &connection, Pace &pace) {
  const auto before = connection.received.size();
  const auto open = untilDone(connection, pace, [&] { return receiveNow(connection); });
  pace.moved(connection.received.size() - before);
  return open;
}

std::size_t readSome(Connection &connection, Pace &pace, std::span<std::byte> into) {
  auto count = connection.received.take(into);
  std::size_t more = 0;
  const auto attempt = [&] { return fill(connection.tls, into.subspan(count), more); };
  if (count == 0) {
    (void)untilDone(connection, pace, attempt);
  } else if (count < into.size()) {
    // An end that comes after bytes is met again by the next read.
    (void)attempt();
  }
  count += more;
  pace.moved(count);
  return count;
}

void writeAll(Connection &connection, Pace &pace, ByteView bytes, bool more) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    if (!untilDone(connection, pace, [&] { return connection.tls.write(bytes, more, count); })) {
      throw Fault(FaultCode::InvalidMessage, "the peer closed the connection before the whole reply was sent",
                  connection.remote);
    }
    pace.moved(count);
    bytes = bytes.subspan(count);
  }
}

} // namespace waybill::transport
