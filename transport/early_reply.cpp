// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/early_reply.hpp"

#include <curl/curl.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace waybill::transport {

namespace {

// The filter's data pointer is its one bit of state: set once the peer has nothing more to say.
bool peerEnded(BIO *self) { return BIO_get_data(self) != nullptr; }

int readThrough(BIO *self, char *into, std::size_t length, std::size_t *got) {
  auto *next = BIO_next(self);
  BIO_clear_retry_flags(self);
  const int result = BIO_read_ex(next, into, length, got);
  BIO_copy_next_retry(self);
  if (result <= 0 && !BIO_should_retry(self)) {
    BIO_set_data(self, self);
  }
  return result;
}

int writeThrough(BIO *self, const char *bytes, std::size_t length, std::size_t *written) {
  auto *next = BIO_next(self);
  BIO_clear_retry_flags(self);
  const int result = BIO_write_ex(next, bytes, length, written);
  BIO_copy_next_retry(self);
  if (result <= 0 && !BIO_should_retry(self) && !peerEnded(self)) {
    BIO_set_retry_write(self);
  }
  return result;
}

long controlThrough(BIO *self, int command, long number, void *pointer) {
  return command == BIO_CTRL_DUP ? 0 : BIO_ctrl(BIO_next(self), command, number, pointer);
}

int create(BIO *self) {
  BIO_set_init(self, 1);
  return 1;
}

int type() {
  static const int index = BIO_get_new_index() | BIO_TYPE_FILTER;
  return index;
}

/// A filter before the socket's BIO. Never freed: connections may outlive every other object of the program.
const BIO_METHOD *method() {
  static const BIO_METHOD *const made = [] {
    auto *fresh = BIO_meth_new(type(), "waybill early reply");
    if (fresh != nullptr) {
      BIO_meth_set_read_ex(fresh, readThrough);
      BIO_meth_set_write_ex(fresh, writeThrough);
      BIO_meth_set_ctrl(fresh, controlThrough);
      BIO_meth_set_create(fresh, create);
    }
    return fresh;
  }();
  return made;
}

} // namespace

void keepReplyReadable(void *easy) noexcept {
  curl_tlssessioninfo *session = nullptr;
  if (curl_easy_getinfo(static_cast<CURL *>(easy), CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == nullptr ||
      session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr || method() == nullptr) {
    return;
  }
  auto *ssl = static_cast<SSL *>(session->internals);
  auto *socket = SSL_get_wbio(ssl);
  if (socket == nullptr || socket != SSL_get_rbio(ssl) || BIO_method_type(socket) == type()) {
    return;
  }
  auto *filter = BIO_new(method());
  if (filter == nullptr) {
    return; // the upload goes on as libcurl does it
  }
  BIO_up_ref(socket); // for the filter; SSL drops its own two below
  BIO_push(filter, socket);
  BIO_up_ref(filter); // one for each direction
  SSL_set0_rbio(ssl, filter);
  SSL_set0_wbio(ssl, filter);
}

} // namespace waybill::transport
