// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/reactor.hpp"

#include "domain/fault.hpp"
#include "transport/request_body.hpp"
#include "transport/response_writer.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace waybill::transport {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using State = Connection::State;

constexpr std::chrono::seconds lingerDeadline{10};
constexpr std::chrono::milliseconds sweepEvery{250};

std::string nameOf(const tcp::endpoint &peer) {
  const auto address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(peer.port());
}

} // namespace

Reactor::Reactor(ServerOptions options, Handler &handler, ServerEvents events)
    : options_(std::move(options)), handler_(handler),
      events_(std::move(events)), patience_{options_.stallDeadline, options_.minimumRate, options_.rateGrace},
      context_(serverContext(options_.certificateFile, options_.keyFile)), workers_(options_.workers, options_.queue) {
  bind();
}

Reactor::~Reactor() {
  drain();
  io_.stop();
}

void Reactor::bind() {
  const auto where = options_.host + ":" + std::to_string(options_.port);
  try {
    const auto found = tcp::resolver(io_).resolve(options_.host, std::to_string(options_.port),
                                                  tcp::resolver::passive | tcp::resolver::numeric_service);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(4096);
    port_ = acceptor_.local_endpoint().port();
  } catch (const boost::system::system_error &error) {
    throw Fault(FaultCode::Internal,
                "listening failed: " + error.code().message() +
                    "; choose another address by --listen, or stop what uses it",
                where);
  }
}

void Reactor::start() {
  workers_.start();
  boost::asio::post(io_, [this] {
    accept();
    sweep();
  });
  thread_ = std::jthread([this] { io_.run(); });
}

void Reactor::accept() {
  acceptor_.async_accept([this](const error_code &error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted || !acceptor_.is_open()) {
      return;
    }
    if (error) {
      // Out of descriptors, mostly: trying again at once would spin.
      events_.log("accepting a connection failed: " + error.message());
      retry_.expires_after(std::chrono::milliseconds(100));
      retry_.async_wait([this](const error_code &cancelled) {
        if (!cancelled) {
          accept();
        }
      });
      return;
    }
    accepted(std::move(socket));
    accept();
  });
}

void Reactor::accepted(tcp::socket socket) {
  if (connections_.size() >= options_.connections) {
    events_.refused("connections");
    return;
  }
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  socket.non_blocking(true, error);
  socket.set_option(tcp::no_delay(true), error);
  if (error) {
    return;
  }
  std::shared_ptr<SSL_CTX> context;
  {
    const std::lock_guard lock(contextMutex_);
    context = context_;
  }
  auto connection = std::make_shared<Connection>(std::move(socket), context, nameOf(peer));
  connection->deadline = Connection::Clock::now() + options_.headDeadline;
  connections_.insert(connection);
  report();
  drive(connection);
}

void Reactor::drive(const ConnectionPtr &connection) {
  switch (connection->state) {
  case State::Handshake: shakeHands(connection); break;
  case State::Idle:
  case State::Head: readHead(connection); break;
  case State::Lingering: discard(connection); break;
  case State::Busy: break;
  }
}

void Reactor::wait(const ConnectionPtr &connection, bool writable) {
  const auto what = writable ? tcp::socket::wait_write : tcp::socket::wait_read;
  connection->socket.async_wait(what, [this, connection](const error_code &error) {
    if (!error && connection->socket.is_open()) {
      drive(connection);
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
    events_.refused("tls");
    close(connection);
    break;
  }
}

void Reactor::readHead(const ConnectionPtr &connection) {
  std::array<std::byte, 16 * 1024> block{};
  while (connection->state == State::Idle || connection->state == State::Head) {
    std::size_t got = 0;
    switch (connection->tls.read(block, got)) {
    case Progress::Done:
      if (connection->state == State::Idle) {
        connection->state = State::Head;
        connection->deadline = Connection::Clock::now() + options_.headDeadline;
      }
      connection->received.append(asText(ByteView(block).first(got)));
      parse(connection);
      break;
    case Progress::WantRead: wait(connection, false); return;
    case Progress::WantWrite: wait(connection, true); return;
    case Progress::Closed: close(connection); return;
    }
  }
}

void Reactor::parse(const ConnectionPtr &connection) {
  if (!connection->head) {
    connection->head = std::make_unique<HeadReader>(options_.headBytes);
  }
  try {
    if (connection->head->take(connection->received)) {
      dispatch(connection, connection->head->head());
    } else if (connection->received.size() > options_.headBytes) {
      throw Refusal{431, "The request's header fields are too large."};
    }
  } catch (const Refusal &refusal) {
    refuse(connection, "bad-request", refusalText(refusal.status, refusal.text));
  }
}

void Reactor::dispatch(const ConnectionPtr &connection, Head head) {
  connection->state = State::Busy;
  ++busy_;
  report();
  head.request.remote = connection->remote;
  auto reader = std::shared_ptr<HeadReader>(std::move(connection->head));
  auto shared = std::make_shared<Head>(std::move(head));
  const auto running = workers_.tryRun([this, connection, reader, shared] { serve(connection, *shared, *reader); });
  if (!running) {
    --busy_;
    connection->state = State::Head;
    refuse(connection, "busy",
           refusalText(503, "This instance is busy; try again in a moment.", {{"Retry-After", "1"}}));
  }
}

/// Answers without waiting: what does not fit into the socket's buffer is not sent.
void Reactor::refuse(const ConnectionPtr &connection, const char *outcome, const std::string &reply) {
  events_.refused(outcome);
  std::size_t sent = 0;
  (void)connection->tls.write(asBytes(reply), sent);
  linger(connection);
}

/// Closes our side and reads on for a while: closing at once would make the kernel throw away the reply that the client
/// has not read yet.
void Reactor::linger(const ConnectionPtr &connection) {
  connection->state = State::Lingering;
  connection->deadline = Connection::Clock::now() + lingerDeadline;
  connection->received.clear();
  connection->head.reset();
  connection->tls.shutdown();
  error_code ignored;
  connection->socket.shutdown(tcp::socket::shutdown_send, ignored);
  report();
  discard(connection);
}

void Reactor::discard(const ConnectionPtr &connection) {
  std::array<char, 64 * 1024> block;
  // Not to its end: one endless sender must not keep the reactor.
  for (int i = 0; i < 16; ++i) {
    const auto got = ::recv(connection->socket.native_handle(), block.data(), block.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
      close(connection);
      return;
    }
    if (got < 0) {
      break;
    }
  }
  wait(connection, false);
}

void Reactor::close(const ConnectionPtr &connection) {
  error_code ignored;
  connection->socket.close(ignored);
  connections_.erase(connection);
  report();
}

/// A worker is done with the connection.
void Reactor::returned(const ConnectionPtr &connection, bool keep, bool lingering) {
  --busy_;
  if (keep && !draining_) {
    connection->state = State::Idle;
    connection->deadline = Connection::Clock::now() + options_.idleDeadline;
    report();
    if (!connection->received.empty()) {
      // The next request came along with the last one (pipelining).
      connection->state = State::Head;
      connection->deadline = Connection::Clock::now() + options_.headDeadline;
      parse(connection);
    }
    drive(connection);
  } else if (lingering) {
    linger(connection);
  } else {
    close(connection);
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
    if (connection->state == State::Head) {
      refuse(connection, "timeout", refusalText(408, "The request did not come in time."));
    } else {
      if (connection->state == State::Handshake) {
        events_.refused("timeout");
      }
      close(connection);
    }
  }
  sweeper_.expires_after(sweepEvery);
  sweeper_.async_wait([this](const error_code &cancelled) {
    if (!cancelled) {
      sweep();
    }
  });
}

void Reactor::report() { events_.gauges(static_cast<std::int64_t>(connections_.size()) - busy_, busy_); }

void Reactor::serve(const ConnectionPtr &connection, Head &head, HeadReader &reader) {
  RequestBody body(*connection, reader, head, patience_);
  head.request.body = &body;
  ResponseWriter response(
      *connection, {head.request.method == "HEAD", head.request.http10, head.keepAlive && !draining_}, patience_);
  bool cut = false;
  try {
    handler_.handle(head.request, response);
    if (!response.ended()) {
      throw Fault(FaultCode::Internal,
                  response.started() ? "the handler left its reply unfinished" : "the handler gave no reply",
                  head.request.path);
    }
  } catch (const std::exception &error) {
    if (dynamic_cast<const SlowPeer *>(&error) != nullptr) {
      events_.refused("timeout");
    }
    events_.log(head.request.method + " " + head.request.path + " from " + connection->remote + ": " + error.what());
    cut = response.started();
  }
  bool keep = false;
  try {
    if (!cut && !response.started()) {
      response.closeAfterwards();
      response.send(500, {{"Content-Type", "text/plain; charset=utf-8"}},
                    "This instance failed while it worked on the request.\n");
    }
    keep = !cut && response.keepsAlive() && !body.isHeldBack() && body.drain(options_.drainBytes);
  } catch (const std::exception &error) {
    events_.log("finishing " + head.request.path + " for " + connection->remote + ": " + error.what());
  }
  boost::asio::post(io_, [this, connection, keep, cut] { returned(connection, keep, !cut); });
}

void Reactor::stopAccepting() {
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  std::vector<ConnectionPtr> waiting;
  for (const auto &connection : connections_) {
    if (connection->state != State::Busy && connection->state != State::Lingering) {
      waiting.push_back(connection);
    }
  }
  for (const auto &connection : waiting) {
    close(connection);
  }
}

bool Reactor::drain() {
  const std::lock_guard lock(drainMutex_);
  if (draining_ || !thread_.joinable()) {
    draining_ = true;
    workers_.stop();
    return true;
  }
  draining_ = true;
  boost::asio::post(io_, [this] { stopAccepting(); });
  const auto until = Connection::Clock::now() + options_.drainDeadline;
  const auto busyNow = [this] {
    std::promise<std::int64_t> answer;
    boost::asio::post(io_, [&] { answer.set_value(busy_); });
    return answer.get_future().get();
  };
  bool whole = true;
  while (busyNow() > 0) {
    if (whole && Connection::Clock::now() >= until) {
      whole = false;
      // Their blocking reads and writes end at once.
      boost::asio::post(io_, [this] {
        for (const auto &connection : connections_) {
          if (connection->state == State::Busy) {
            ::shutdown(connection->socket.native_handle(), SHUT_RDWR);
          }
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  workers_.stop();
  io_.stop();
  thread_.join();
  return whole;
}

void Reactor::reloadCertificate() {
  auto fresh = serverContext(options_.certificateFile, options_.keyFile);
  const std::lock_guard lock(contextMutex_);
  context_ = std::move(fresh);
}

} // namespace waybill::transport
