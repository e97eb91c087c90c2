// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/plain_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace waybill::transport {

LoopbackListener::LoopbackListener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto *generic = reinterpret_cast<sockaddr *>(&address);
  if (bind(socket_, generic, length) != 0 || listen(socket_, 16) != 0 || getsockname(socket_, generic, &length) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
}

LoopbackListener::~LoopbackListener() { close(socket_); }

int LoopbackListener::accept() const { return accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }

void LoopbackListener::stop() const { shutdown(socket_, SHUT_RDWR); }

PlainConversation::~PlainConversation() { close(socket_); }

std::string PlainConversation::readTo(std::string_view end) const {
  std::string text;
  while (!text.ends_with(end)) {
    char byte = 0;
    if (recv(socket_, &byte, 1, 0) != 1) {
      return {};
    }
    text += byte;
  }
  return text;
}

void PlainConversation::write(std::string_view text) const {
  while (!text.empty()) {
    const auto sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

PlainPeer::PlainPeer(Script script) : script_(std::move(script)) {
  thread_ = std::thread([this] {
    for (;;) {
      const int socket = listener_.accept();
      if (socket < 0) {
        return;
      }
      PlainConversation conversation(socket);
      if (ending_) {
        return;
      }
      script_(conversation);
    }
  });
}

PlainPeer::~PlainPeer() {
  ending_ = true;
  listener_.stop();
  thread_.join();
}

std::string PlainPeer::url(std::string_view scheme, std::string_view path) const {
  return std::string(scheme) + "://127.0.0.1:" + std::to_string(listener_.port()) + "/" + std::string(path);
}

} // namespace waybill::transport
