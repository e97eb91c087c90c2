// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/tls.hpp"

#include "domain/fault.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <sys/socket.h>

#include <cerrno>

namespace waybill::transport {

namespace {

std::string takeErrors() {
  std::string text;
  while (const auto code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof line);
    text += (text.empty() ? "" : "; ") + std::string(line);
  }
  return text;
}

[[noreturn]] void unusable(const std::string &what, const std::string &file) {
  throw Fault(FaultCode::Internal, what + ": " + takeErrors() + "; give a PEM file that this user may read", file);
}

/// RFC 7301: http/1.1 when it is offered; otherwise the extension is left unanswered.
int chooseProtocol(SSL *, const unsigned char **chosen, unsigned char *length, const unsigned char *offered,
                   unsigned int size, void *) {
  static constexpr unsigned char wanted[] = "\x08http/1.1";
  unsigned char *found = nullptr;
  if (SSL_select_next_proto(&found, length, wanted, sizeof wanted - 1, offered, size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

void chooseAlgorithms(SSL_CTX *context) {
  // AES-128-GCM first, as the fastest; ChaCha20 for who puts it first, having no AES in hardware.
  const auto chosen = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
                      SSL_CTX_set_ciphersuites(
                          context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1;
  if (!chosen) {
    throw Fault(FaultCode::Internal,
                "setting up TLS failed: " + takeErrors() + "; this OpenSSL lacks TLS 1.2, AES-GCM or ChaCha20");
  }
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
}

void saveMemory(SSL_CTX *context) {
  // Idle connections keep no record buffers; a partial write says so instead of blocking the caller.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Sessions are resumed by tickets, which the clients keep.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
}

} // namespace

std::shared_ptr<SSL_CTX> serverContext(const std::string &certificateFile, const std::string &keyFile) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), [](SSL_CTX *p) { SSL_CTX_free(p); });
  if (!context) {
    throw Fault(FaultCode::Internal, "setting up TLS failed: " + takeErrors());
  }
  auto *raw = context.get();
  chooseAlgorithms(raw);
  saveMemory(raw);
  // One system call for eight whole records (RFC 8446 section 5.2): less means more calls, and a record cut at the end
  // of the buffer is moved to its start.
  static constexpr std::size_t recordBytes = 5 + 16 * 1024 + 256;
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_default_read_buffer_len(raw, 8 * recordBytes);
  static constexpr unsigned char name[] = "waybill";
  SSL_CTX_set_session_id_context(raw, name, sizeof name - 1);
  SSL_CTX_set_alpn_select_cb(raw, chooseProtocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(raw, certificateFile.c_str()) != 1) {
    unusable("the TLS certificate cannot be used", certificateFile);
  }
  if (SSL_CTX_use_PrivateKey_file(raw, keyFile.c_str(), SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(raw) != 1) {
    unusable("the TLS key cannot be used with the certificate " + certificateFile, keyFile);
  }
  return context;
}

/// OpenSSL's own socket BIO calls write(), which raises SIGPIPE when the peer has gone: a library has no business with
/// the signals of the program.
int TlsStream::send(BIO *bio, const char *data, int size) {
  const auto &wire = *static_cast<const Wire *>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto sent =
      ::send(wire.socket, data, static_cast<std::size_t>(size), MSG_NOSIGNAL | (wire.more ? MSG_MORE : 0));
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(sent);
}

int TlsStream::receive(BIO *bio, char *into, int size) {
  const auto &wire = *static_cast<const Wire *>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto got = ::recv(wire.socket, into, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(got);
}

long TlsStream::control(BIO *, int command, long, void *) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD *TlsStream::method() {
  struct FreeMethod {
    void operator()(BIO_METHOD *made) const noexcept { BIO_meth_free(made); }
  };
  static const auto method = [] {
    std::unique_ptr<BIO_METHOD, FreeMethod> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "waybill socket"));
    if (made) {
      BIO_meth_set_write(made.get(), send);
      BIO_meth_set_read(made.get(), receive);
      BIO_meth_set_ctrl(made.get(), control);
    }
    return made;
  }();
  return method.get();
}

TlsStream::TlsStream(const std::shared_ptr<SSL_CTX> &context, int socket)
    : wire_{socket}, ssl_(SSL_new(context.get())) {
  auto *bio = method() != nullptr ? BIO_new(method()) : nullptr;
  if (!ssl_ || bio == nullptr) {
    BIO_free(bio);
    throw Fault(FaultCode::Internal, "starting TLS on a connection failed: " + takeErrors());
  }
  BIO_set_data(bio, &wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

Progress TlsStream::outcome(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_NONE: return Progress::Done;
  case SSL_ERROR_WANT_READ: return Progress::WantRead;
  case SSL_ERROR_WANT_WRITE: return Progress::WantWrite;
  case SSL_ERROR_ZERO_RETURN: return Progress::Closed;
  default: broken_ = true; return Progress::Broken;
  }
}

// SSL_get_error() looks at the thread's error queue, in which the work of a handler may have left something.

Progress TlsStream::handshake() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_.get()));
}

Progress TlsStream::read(std::span<std::byte> into, std::size_t &count) {
  count = 0;
  if (broken_) {
    return Progress::Broken;
  }
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  return result == 1 ? Progress::Done : outcome(result);
}

Progress TlsStream::write(ByteView bytes, bool more, std::size_t &count) {
  count = 0;
  if (broken_) {
    return Progress::Broken;
  }
  ERR_clear_error();
  wire_.more = more;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  return result == 1 ? Progress::Done : outcome(result);
}

void TlsStream::shutdown() {
  if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    wire_.more = false;
    SSL_shutdown(ssl_.get());
  }
  ERR_clear_error();
}

} // namespace waybill::transport
