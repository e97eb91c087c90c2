// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace waybill::transport {

/// One accepted connection, for a test to play the server on, byte by byte.
class Conversation {
public:
  virtual ~Conversation() = default;
  /// Up to and with the empty line; empty when the connection ended before.
  virtual std::string readHead() = 0;
  /// Exactly that many bytes, or those until the end.
  virtual std::string readBytes(std::size_t count) = 0;
  virtual void write(std::string_view text) = 0;
  /// Cuts the connection at once, as a crash does (TCP reset when something is unread).
  virtual void cut() = 0;
};

/// A TLS server on loopback that behaves as badly as the test wants. Connections are served one after the other; when
/// the script returns the connection is closed in order.
class TlsPeer {
public:
  using Script = std::function<void(Conversation &)>;
  explicit TlsPeer(Script script);
  ~TlsPeer();
  TlsPeer(const TlsPeer &) = delete;
  TlsPeer &operator=(const TlsPeer &) = delete;

  /// "https://127.0.0.1:port/" + `path`.
  [[nodiscard]] std::string url(std::string_view path = "") const;
  /// Hex SHA-256 of its public key.
  [[nodiscard]] const std::string &pin() const;
  [[nodiscard]] const std::string &certificatePem() const;
  /// Connections whose handshake was completed.
  [[nodiscard]] int connections() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::transport
