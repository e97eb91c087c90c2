// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>

/// Server-side TLS straight on a socket. For this folder's .cpp files alone.
namespace waybill::transport {

/// TLS 1.2 and up, AEAD ciphers, ALPN http/1.1. Throws Fault Internal naming the file that cannot be used.
[[nodiscard]] std::shared_ptr<SSL_CTX> serverContext(const std::string &certificateFile, const std::string &keyFile);

/// What one non-blocking attempt came to.
enum class Progress : std::uint8_t { Done, WantRead, WantWrite, Closed };

/// A TLS session over a non-blocking socket that somebody else owns. One thread at a time.
class TlsStream {
public:
  TlsStream(const std::shared_ptr<SSL_CTX> &context, int socket);
  [[nodiscard]] Progress handshake();
  /// At least one byte into `into` when Done; `count` says how many.
  [[nodiscard]] Progress read(std::span<std::byte> into, std::size_t &count);
  [[nodiscard]] Progress write(ByteView bytes, std::size_t &count);
  /// Says close_notify, without waiting.
  void shutdown();
  [[nodiscard]] int socket() const noexcept { return socket_; }

private:
  [[nodiscard]] Progress outcome(int result);

  struct Free {
    void operator()(SSL *ssl) const noexcept { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, Free> ssl_;
  int socket_;
};

} // namespace waybill::transport
