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

/// What one non-blocking attempt came to. Closed: the peer said that it sends no more (close_notify). Broken: the
/// connection ended without that, or what came is not TLS.
enum class Progress : std::uint8_t { Done, WantRead, WantWrite, Closed, Broken };

/// A TLS session over a non-blocking socket that somebody else owns. One thread at a time.
class TlsStream {
public:
  TlsStream(const std::shared_ptr<SSL_CTX> &context, int socket);
  TlsStream(const TlsStream &) = delete;
  TlsStream &operator=(const TlsStream &) = delete;

  [[nodiscard]] Progress handshake();
  /// At least one byte into `into` when Done; `count` says how many.
  [[nodiscard]] Progress read(std::span<std::byte> into, std::size_t &count);
  /// Some of `bytes` when Done; `count` says how many. What was not taken has to be given again. `more`: other bytes
  /// follow soon, so the kernel may wait for them to fill a packet.
  [[nodiscard]] Progress write(ByteView bytes, bool more, std::size_t &count);
  /// Says close_notify, without waiting; nothing when the session is broken.
  void shutdown();
  [[nodiscard]] int socket() const noexcept { return wire_.socket; }
  /// The peer went without a word.
  [[nodiscard]] bool isBroken() const noexcept { return broken_; }

private:
  [[nodiscard]] Progress outcome(int result);

  struct Free {
    void operator()(SSL *ssl) const noexcept { SSL_free(ssl); }
  };
  struct Wire {
    int socket;
    bool more = false;
  };
  static int send(BIO *bio, const char *data, int size);
  static int receive(BIO *bio, char *into, int size);
  static long control(BIO *bio, int command, long number, void *pointer);
  static const BIO_METHOD *method();

  Wire wire_;
  bool broken_ = false;
  std::unique_ptr<SSL, Free> ssl_;
};

} // namespace waybill::transport
