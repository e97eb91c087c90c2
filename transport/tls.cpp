// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/tls.hpp"

#include "domain/fault.hpp"

#include <openssl/err.h>

#include <string_view>

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

} // namespace

std::shared_ptr<SSL_CTX> serverContext(const std::string &certificateFile, const std::string &keyFile) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), [](SSL_CTX *p) { SSL_CTX_free(p); });
  if (!context) {
    throw Fault(FaultCode::Internal, "setting up TLS failed: " + takeErrors());
  }
  auto *raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections keep no record buffers; a partial write says so instead of blocking the caller.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  static constexpr unsigned char name[] = "waybill";
  SSL_CTX_set_session_id_context(raw, name, sizeof name - 1);
  SSL_CTX_set_num_tickets(raw, 1);
  SSL_CTX_set_alpn_select_cb(raw, chooseProtocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(raw, certificateFile.c_str()) != 1) {
    unusable("the TLS certificate cannot be used", certificateFile);
  }
  if (SSL_CTX_use_PrivateKey_file(raw, keyFile.c_str(), SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(raw) != 1) {
    unusable("the TLS key cannot be used with the certificate " + certificateFile, keyFile);
  }
  return context;
}

TlsStream::TlsStream(const std::shared_ptr<SSL_CTX> &context, int socket)
    : ssl_(SSL_new(context.get())), socket_(socket) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket) != 1) {
    throw Fault(FaultCode::Internal, "starting TLS on a connection failed: " + takeErrors());
  }
  SSL_set_accept_state(ssl_.get());
}

Progress TlsStream::outcome(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  switch (error) {
  case SSL_ERROR_NONE: return Progress::Done;
  case SSL_ERROR_WANT_READ: return Progress::WantRead;
  case SSL_ERROR_WANT_WRITE: return Progress::WantWrite;
  default: return Progress::Closed;
  }
}

Progress TlsStream::handshake() { return outcome(SSL_do_handshake(ssl_.get())); }

Progress TlsStream::read(std::span<std::byte> into, std::size_t &count) {
  count = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  return result == 1 ? Progress::Done : outcome(result);
}

Progress TlsStream::write(ByteView bytes, std::size_t &count) {
  count = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  return result == 1 ? Progress::Done : outcome(result);
}

void TlsStream::shutdown() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

} // namespace waybill::transport
