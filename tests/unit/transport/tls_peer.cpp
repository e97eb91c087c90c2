// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/tls_peer.hpp"

#include "domain/bytes.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <vector>

namespace waybill::transport {

namespace {

void need(bool happened, const char *what) {
  if (!happened) {
    throw std::runtime_error(what);
  }
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

Certificate certify(EVP_PKEY *key) {
  Certificate certificate(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  auto *name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>("peer"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  need(X509_sign(certificate.get(), key, EVP_sha256()) != 0, "no certificate");
  return certificate;
}

std::string pemOf(X509 *certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(memory.get(), certificate);
  char *text = nullptr;
  const auto length = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::string pinOf(EVP_PKEY *key) {
  unsigned char *der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  std::array<std::byte, 32> digest{};
  EVP_Digest(der, static_cast<std::size_t>(length), reinterpret_cast<unsigned char *>(digest.data()), nullptr,
             EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return toHex(digest);
}

class TlsConversation final : public Conversation {
public:
  TlsConversation(SSL *ssl, int socket) : ssl_(ssl), socket_(socket) {}

  std::string readHead() override {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const auto more = readBytes(1);
      if (more.empty()) {
        return {};
      }
      head += more;
    }
    return head;
  }
  std::string readBytes(std::size_t count) override {
    std::string text(count, '\0');
    std::size_t have = 0;
    while (have < count) {
      const int got =
          SSL_read(ssl_, text.data() + have, static_cast<int>(std::min<std::size_t>(count - have, 1U << 20U)));
      if (got <= 0) {
        break;
      }
      have += static_cast<std::size_t>(got);
    }
    text.resize(have);
    return text;
  }
  void write(std::string_view text) override {
    if (!text.empty()) {
      SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
    }
  }
  void cut() override {
    cut_ = true;
    const linger atOnce{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
  }
  [[nodiscard]] bool wasCut() const noexcept { return cut_; }

private:
  SSL *ssl_;
  int socket_;
  bool cut_ = false;
};

} // namespace

struct TlsPeer::State {
  Script script;
  Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  Certificate certificate{nullptr, X509_free};
  Context context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  std::string pin;
  std::string pem;
  int listener = -1;
  std::uint16_t port = 0;
  std::atomic<int> connections{0};
  std::atomic<bool> ending{false};
  std::thread thread;

  void listenOnLoopback() {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    need(bind(listener, generic, length) == 0 && listen(listener, 16) == 0, "cannot listen");
    need(getsockname(listener, generic, &length) == 0, "no port");
    port = ntohs(address.sin_port);
  }

  void serve() {
    for (;;) {
      const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0 || ending) {
        close(socket);
        return;
      }
      converse(socket);
      close(socket);
    }
  }

  void converse(int socket) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), socket);
    if (SSL_accept(ssl.get()) != 1) {
      return;
    }
    ++connections;
    TlsConversation conversation(ssl.get(), socket);
    script(conversation);
    if (!conversation.wasCut()) {
      SSL_shutdown(ssl.get());
    }
  }
};

TlsPeer::TlsPeer(Script script) : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  auto &state = *state_;
  state.script = std::move(script);
  state.certificate = certify(state.key.get());
  state.pin = pinOf(state.key.get());
  state.pem = pemOf(state.certificate.get());
  SSL_CTX_use_certificate(state.context.get(), state.certificate.get());
  SSL_CTX_use_PrivateKey(state.context.get(), state.key.get());
  state.listenOnLoopback();
  state.thread = std::thread([&state] { state.serve(); });
}

TlsPeer::~TlsPeer() {
  state_->ending = true;
  shutdown(state_->listener, SHUT_RDWR);
  state_->thread.join();
  close(state_->listener);
}

std::string TlsPeer::url(std::string_view path) const {
  return "https://127.0.0.1:" + std::to_string(state_->port) + "/" + std::string(path);
}
const std::string &TlsPeer::pin() const { return state_->pin; }
const std::string &TlsPeer::certificatePem() const { return state_->pem; }
int TlsPeer::connections() const { return state_->connections; }

} // namespace waybill::transport
