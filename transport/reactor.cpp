// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/reactor.hpp"

#include "domain/fault.hpp"
#include "transport/reply_text.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <tuple>

namespace waybill::transport {

namespace {

using boost::system::error_code;
using State = Connection::State;

constexpr std::chrono::milliseconds sweepEvery{250};
/// How long, and for how many bytes, a client that has got its reply may go on sending before it is reset.
constexpr std::chrono::seconds lingerTime{5};
constexpr std::uint64_t lingerBytes = 16ULL * 1024 * 1024;
/// Requests of ServerOptions::probes: two at a time, so that one peer, who gets half, does not keep others out; their
/// replies are small enough to be taken at once.
constexpr std::size_t probeWorkers = 2;
constexpr std::size_t probeQueue = 16;
constexpr std::chrono::seconds probeStall{2};
/// How long drain() waits for clients to take the last replies.
constexpr std::chrono::seconds partingTime{2};

ServerOptions forProbes(ServerOptions options) {
  options.stallDeadline = std::min(options.stallDeadline, probeStall);
  return options;
}

/// Of "address:port" or "[address]:port". A machine with IPv6 has all the addresses of its /64.
std::string networkOf(const std::string &remote) {
  namespace ip = boost::asio::ip;
  auto text = remote.substr(0, remote.rfind(':'));
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  error_code unread;
  const auto address = ip::make_address(text, unread);
  if (unread || address.is_v4()) {
    return text;
  }
  if (address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
  }
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::address_v6(bytes).to_string();
}

} // namespace

Reactor::Reactor(ServerOptions options, Handler &handler, ServerEvents events)
    : options_(std::move(options)), events_(std::move(events)),
      context_(serverContext(options_.certificateFile, options_.keyFile)), listener_(io_, options_.host, options_.port),
      serving_(options_, handler, events_, draining_), workers_(options_.workers, options_.queue),
      probing_(forProbes(options_), handler, events_, draining_), probes_(probeWorkers, probeQueue) {}

Reactor::~Reactor() {
  drain();
  // What waits in the queue of io_ still holds connections: they must not need it when it goes.
  for (const auto &connection : connections_) {
    connection->unwatch();
  }
}

void Reactor::start() {
  workers_.start();
  probes_.start();
  boost::asio::post(io_, [this] {
    listener_.start([this](Socket socket, std::string remote) { accepted(std::move(socket), std::move(remote)); },
                    events_.log);
    sweep();
  });
  thread_ = std::jthread([this] { run(); });
}

void Reactor::run() {
  const auto guard = boost::asio::make_work_guard(io_);
  while (!io_.stopped()) {
    try {
      io_.run();
    } catch (const std::exception &error) {
      events_.log(std::string("the thread that parks connections met with: ") + error.what());
    }
  }
}

void Reactor::accepted(Socket socket, std::string remote) {
  if (connections_.size() >= options_.connections) {
    events_.refused("connections");
    return;
  }
  const int yes = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  try {
    std::shared_ptr<SSL_CTX> context;
    {
      const Lock lock(contextMutex_);
      context = context_;
    }
    const auto connection = std::make_shared<Connection>(io_, std::move(socket), context, std::move(remote));
    connection->network = networkOf(connection->remote);
    connection->watch();
    connections_.insert(connection);
    enter(connection, State::Handshake, options_.headDeadline);
    guard(connection, &Reactor::drive);
  } catch (const std::exception &error) {
    events_.log(std::string("taking a connection failed: ") + error.what());
  }
}

void Reactor::guard(const ConnectionPtr &connection, Step step) {
  try {
    (this->*step)(connection);
  } catch (const std::exception &error) {
    events_.log("a connection from " + connection->remote + " was closed: " + error.what());
    close(connection);
  }
}

void Reactor::drive(const ConnectionPtr &connection) {
  switch (connection->state) {
  case State::Handshake: shakeHands(connection); break;
  case State::Idle:
  case State::Head: readHead(connection); break;
  case State::Lingering: discard(connection); break;
  case State::Busy:
  case State::Closed: break;
  }
}

void Reactor::wait(const ConnectionPtr &connection, bool writable) {
  using boost::asio::posix::descriptor_base;
  const auto what = writable ? descriptor_base::wait_write : descriptor_base::wait_read;
  connection->watcher.async_wait(what, [this, connection](const error_code &cancelled) {
    if (!cancelled) {
      guard(connection, &Reactor::drive);
    }
  });
}

void Reactor::shakeHands(const ConnectionPtr &connection) {
  switch (connection->tls.handshake()) {
  case Progress::Done:
    connection->state = State::Head;
    readHead(connection);
    break;
  case Progress::WantRead: wait(connection, false); break;
  case Progress::WantWrite: wait(connection, true); break;
  case Progress::Closed:
  case Progress::Broken:
    events_.refused("tls");
    close(connection);
    break;
  }
}

void Reactor::readHead(const ConnectionPtr &connection) {
  while (connection->state == State::Idle || connection->state == State::Head) {
    std::size_t got = 0;
    switch (connection->tls.read(scratch_, got)) {
    case Progress::Done: takeHead(connection, ByteView(scratch_).first(got)); break;
    case Progress::WantRead: wait(connection, false); return;
    case Progress::WantWrite: wait(connection, true); return;
    case Progress::Closed:
    case Progress::Broken: close(connection); return;
    }
  }
}

void Reactor::takeHead(const ConnectionPtr &connection, ByteView fresh) {
  if (connection->state == State::Idle) {
    enter(connection, State::Head, options_.headDeadline);
  }
  connection->received.append(fresh);
  if (!connection->head) {
    connection->head = std::make_unique<HeadReader>(options_.headBytes);
  }
  try {
    connection->received.consume(connection->head->put(connection->received.view()));
    if (connection->head->isComplete()) {
      dispatch(connection);
    }
  } catch (const Refusal &refusal) {
    refuse(connection, "bad-request", refusalText(refusal.status, refusal.text));
  }
}

void Reactor::enter(const ConnectionPtr &connection, State state, Millis time) {
  connection->state = state;
  connection->deadline = Connection::Clock::now() + time;
  report();
}

bool Reactor::isProbe(const Head &head) const {
  const auto &[method, path] = std::tie(head.request.method, head.request.path);
  return (method == "GET" || method == "HEAD") && head.framing == Framing::None &&
         std::find(options_.probes.begin(), options_.probes.end(), path) != options_.probes.end();
}

void Reactor::dispatch(const ConnectionPtr &connection) {
  auto head = std::make_shared<Head>(connection->head->head());
  const auto probe = isProbe(*head);
  auto &pool = probe ? probes_ : workers_;
  const auto &serving = probe ? probing_ : serving_;
  if (!pool.hasRoom(connection->network)) {
    refuse(connection, "busy",
           refusalText(503, "This instance is busy; try again in a moment.", {{"Retry-After", "1"}}));
    return;
  }
  std::shared_ptr<HeadReader> reader = std::move(connection->head);
  connection->unwatch();
  ++busy_;
  enter(connection, State::Busy, Millis{0});
  pool.run(connection->network, [this, connection, head, reader, &serving](const WorkerPool::Known &known) {
    const auto afterwards = cutting_ ? Afterwards::Cut : serving.run(*connection, *head, *reader, known);
    connection->afterwards = afterwards;
    boost::asio::post(io_, [this, connection] { guard(connection, &Reactor::returned); });
  });
}

/// A worker is done with the connection.
void Reactor::returned(const ConnectionPtr &connection) {
  --busy_;
  connection->state = State::Idle;
  if (connection->afterwards == Afterwards::Cut || cutting_) {
    close(connection);
    return;
  }
  connection->watch();
  if (connection->afterwards == Afterwards::Linger || draining_) {
    linger(connection);
    return;
  }
  enter(connection, State::Idle, options_.idleDeadline);
  if (connection->received.empty()) {
    connection->received.release();
  } else {
    // The next request came along with the last one (pipelining).
    takeHead(connection, {});
  }
  if (connection->state == State::Idle || connection->state == State::Head) {
    readHead(connection);
  }
}

/// Answers without waiting: what does not fit into the socket's buffer is not sent.
void Reactor::refuse(const ConnectionPtr &connection, const char *outcome, const std::string &reply) {
  events_.refused(outcome);
  std::size_t sent = 0;
  (void)connection->tls.write(asBytes(reply), false, sent);
  linger(connection);
}

/// Closes our side; drive() then reads on for a while: closing at once would make the kernel throw away the reply that
/// the client has not read yet.
void Reactor::linger(const ConnectionPtr &connection) {
  connection->received.release();
  connection->head.reset();
  connection->tls.shutdown();
  ::shutdown(connection->socket.get(), SHUT_WR);
  enter(connection, State::Lingering, lingerTime);
  wait(connection, false);
}

void Reactor::discard(const ConnectionPtr &connection) {
  // Not to its end: one endless sender must not keep this thread.
  for (int turn = 0; turn < 16; ++turn) {
    // tcp(7): with MSG_TRUNC bytes are dropped, not copied.
    const auto got = ::recv(connection->socket.get(), nullptr, 1024 * 1024, MSG_TRUNC | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      break;
    }
    connection->discarded += got > 0 ? static_cast<std::uint64_t>(got) : 0;
    if (got <= 0 || connection->discarded > lingerBytes) {
      close(connection);
      return;
    }
  }
  wait(connection, false);
}

void Reactor::close(const ConnectionPtr &connection) {
  if (connection->state != State::Closed) {
    connection->state = State::Closed;
    connection->unwatch();
    connection->socket.close();
    connections_.erase(connection);
    report();
  }
}

void Reactor::sweep() {
  const auto now = Connection::Clock::now();
  std::vector<ConnectionPtr> late;
  for (const auto &connection : connections_) {
    if (connection->state != State::Busy && connection->deadline < now) {
      late.push_back(connection);
    }
  }
  for (const auto &connection : late) {
    guard(connection, &Reactor::expire);
  }
  sweeper_.expires_after(sweepEvery);
  sweeper_.async_wait([this](const error_code &cancelled) {
    if (!cancelled) {
      sweep();
    }
  });
}

void Reactor::expire(const ConnectionPtr &connection) {
  if (connection->state == State::Head && connection->head) {
    // The wait for the rest of the head ends; linger() begins another.
    connection->unwatch();
    connection->watch();
    refuse(connection, "timeout", refusalText(408, "The request did not come in time."));
    return;
  }
  if (connection->state == State::Handshake) {
    events_.refused("timeout");
  }
  if (connection->state != State::Lingering) {
    connection->tls.shutdown();
  }
  close(connection);
}

void Reactor::report() {
  occupancy_.set(connections_.size(), busy_);
  events_.gauges(static_cast<std::int64_t>(connections_.size() - busy_), static_cast<std::int64_t>(busy_));
}

void Reactor::stopAccepting() {
  listener_.close();
  std::vector<ConnectionPtr> waiting;
  for (const auto &connection : connections_) {
    if (connection->state != State::Busy && connection->state != State::Lingering) {
      waiting.push_back(connection);
    }
  }
  for (const auto &connection : waiting) {
    connection->tls.shutdown();
    close(connection);
  }
}

/// Their blocking reads and writes end at once.
void Reactor::cutBusy() {
  for (const auto &connection : connections_) {
    if (connection->state == State::Busy) {
      ::shutdown(connection->socket.get(), SHUT_RDWR);
    }
  }
}

bool Reactor::drain() {
  const Lock lock(drainMutex_);
  if (!drained_) {
    draining_ = true;
    drained_ = drainOnce();
  }
  return *drained_;
}

bool Reactor::drainOnce() {
  if (!thread_.joinable()) {
    return true;
  }
  std::promise<void> stopped;
  boost::asio::post(io_, [&] {
    stopAccepting();
    stopped.set_value();
  });
  stopped.get_future().wait();
  const auto whole = occupancy_.waitUntilNoneBusy(Connection::Clock::now() + options_.drainDeadline);
  if (!whole) {
    cutting_ = true;
    boost::asio::post(io_, [this] { cutBusy(); });
  }
  // Runs what has been queued, and waits for handlers that do not touch the network.
  workers_.stop();
  probes_.stop();
  occupancy_.waitUntilNoneOpen(Connection::Clock::now() + partingTime);
  io_.stop();
  thread_.join();
  return whole;
}

void Reactor::reloadCertificate() {
  auto fresh = serverContext(options_.certificateFile, options_.keyFile);
  const Lock lock(contextMutex_);
  context_ = std::move(fresh);
}

} // namespace waybill::transport
