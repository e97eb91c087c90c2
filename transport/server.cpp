// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server.hpp"

#include "transport/reactor.hpp"

namespace waybill::transport {

namespace {

/// Events that nobody listens to go nowhere, so that nothing else has to ask.
ServerEvents complete(ServerEvents events) {
  if (!events.log) {
    events.log = [](const std::string &) {};
  }
  if (!events.refused) {
    events.refused = [](const char *) {};
  }
  if (!events.gauges) {
    events.gauges = [](std::int64_t, std::int64_t) {};
  }
  return events;
}

} // namespace

struct Server::State {
  State(ServerOptions options, Handler &handler, ServerEvents events)
      : reactor(std::move(options), handler, std::move(events)) {}
  Reactor reactor;
};

Server::Server(ServerOptions options, Handler &handler, ServerEvents events)
    : state_(std::make_unique<State>(std::move(options), handler, complete(std::move(events)))) {}

Server::~Server() = default;

void Server::start() { state_->reactor.start(); }
std::uint16_t Server::port() const noexcept { return state_->reactor.port(); }
bool Server::drain() { return state_->reactor.drain(); }
void Server::reloadCertificate() { state_->reactor.reloadCertificate(); }

} // namespace waybill::transport
