// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace waybill::transport {

/// A socket that listens on a free port of 127.0.0.1.
class LoopbackListener {
public:
  LoopbackListener();
  ~LoopbackListener();
  LoopbackListener(const LoopbackListener &) = delete;
  LoopbackListener &operator=(const LoopbackListener &) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The next connection; negative when there is none any more.
  [[nodiscard]] int accept() const;
  void stop() const;

private:
  int socket_;
  std::uint16_t port_ = 0;
};

/// One accepted connection without TLS. Closed when it goes.
class PlainConversation {
public:
  explicit PlainConversation(int socket) : socket_(socket) {}
  ~PlainConversation();
  PlainConversation(const PlainConversation &) = delete;
  PlainConversation &operator=(const PlainConversation &) = delete;
  /// Up to and with `end`; empty when the connection ended before.
  [[nodiscard]] std::string readTo(std::string_view end) const;
  void write(std::string_view text) const;

private:
  int socket_;
};

/// A server without TLS, for http and ftp. Connections are served one after the other.
class PlainPeer {
public:
  using Script = std::function<void(PlainConversation &)>;
  explicit PlainPeer(Script script);
  ~PlainPeer();
  PlainPeer(const PlainPeer &) = delete;
  PlainPeer &operator=(const PlainPeer &) = delete;
  /// scheme + "://127.0.0.1:port/" + path
  [[nodiscard]] std::string url(std::string_view scheme, std::string_view path) const;

private:
  LoopbackListener listener_;
  Script script_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

} // namespace waybill::transport
