// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include "domain/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <stdexcept>

namespace waybill::transport {

namespace {

/// The server must not need SIGPIPE ignored, so the test's own writes keep it from happening one by one.
class NoBrokenPipe {
public:
  NoBrokenPipe() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~NoBrokenPipe() {
    const timespec now{0, 0};
    while (sigtimedwait(&signal_, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipe(const NoBrokenPipe &) = delete;
  NoBrokenPipe &operator=(const NoBrokenPipe &) = delete;

private:
  sigset_t signal_{};
  sigset_t before_{};
};

} // namespace

struct RawClient::State {
  State(std::uint16_t port, const Options &options) {
    connectTo(port, options.address);
    if (options.maximumVersion != 0) {
      SSL_CTX_set_min_proto_version(context.get(), 0);
      SSL_CTX_set_max_proto_version(context.get(), options.maximumVersion);
      SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    }
    ssl.reset(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket);
    if (!options.protocols.empty()) {
      SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char *>(options.protocols.data()),
                          static_cast<unsigned int>(options.protocols.size()));
    }
    if (options.handshake) {
      const NoBrokenPipe quiet;
      connected = SSL_connect(ssl.get()) == 1;
      ERR_clear_error();
    }
  }
  ~State() {
    ssl.reset();
    ::close(socket);
  }
  State(const State &) = delete;
  State &operator=(const State &) = delete;

  void connectTo(std::uint16_t port, std::uint8_t from) {
    socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{20, 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from);
    if (::bind(socket, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
      ::close(socket);
      throw std::runtime_error("cannot take the address to call from");
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
      ::close(socket);
      throw std::runtime_error("cannot connect");
    }
  }

  int socket = -1;
  bool connected = false;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};
};

RawClient::RawClient(std::uint16_t port, Options options) : state_(std::make_unique<State>(port, options)) {}
RawClient::~RawClient() = default;
RawClient::RawClient(RawClient &&) noexcept = default;

bool RawClient::isConnected() const { return state_->connected; }

bool RawClient::send(std::string_view text) {
  const NoBrokenPipe quiet;
  const int sent = SSL_write(state_->ssl.get(), text.data(), static_cast<int>(text.size()));
  ERR_clear_error();
  return sent == static_cast<int>(text.size());
}

void RawClient::sendPlain(std::string_view text) {
  if (::send(state_->socket, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot send");
  }
}

std::string RawClient::readBytes(std::size_t count) {
  std::string text(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const int got = SSL_read(state_->ssl.get(), text.data() + have, static_cast<int>(count - have));
    if (got <= 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  ERR_clear_error();
  text.resize(have);
  return text;
}

std::string RawClient::readHead() {
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

std::string RawClient::readToEnd() {
  std::string text;
  while (true) {
    const auto more = readBytes(16 * 1024);
    text += more;
    if (more.size() < 16 * 1024) {
      return text;
    }
  }
}

Reply RawClient::reply(bool toHead) {
  Reply reply;
  reply.head = readHead();
  if (reply.head.size() < 12) {
    return reply;
  }
  reply.status = std::stoi(reply.head.substr(9, 3));
  if (toHead || reply.status < 200 || reply.status == 204 || reply.status == 304) {
    return reply;
  }
  if (const auto length = reply.field("Content-Length"); !length.empty()) {
    reply.body = readBytes(std::stoul(length));
  } else if (reply.field("Transfer-Encoding") == "chunked") {
    while (true) {
      std::string line;
      while (!line.ends_with("\r\n")) {
        const auto more = readBytes(1);
        if (more.empty()) {
          return reply;
        }
        line += more;
      }
      const auto size = std::stoul(line, nullptr, 16);
      reply.body += readBytes(size);
      (void)readBytes(2);
      if (size == 0) {
        return reply;
      }
    }
  }
  return reply;
}

bool RawClient::isClosedInOrder() {
  char byte = 0;
  const int got = SSL_read(state_->ssl.get(), &byte, 1);
  const auto error = SSL_get_error(state_->ssl.get(), got);
  ERR_clear_error();
  return got <= 0 && error == SSL_ERROR_ZERO_RETURN;
}

void RawClient::closeNotify() {
  const NoBrokenPipe quiet;
  SSL_shutdown(state_->ssl.get());
}

void RawClient::hangUp() { ::shutdown(state_->socket, SHUT_WR); }

void RawClient::cut() {
  const linger atOnce{1, 0};
  setsockopt(state_->socket, SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
  ::close(state_->socket);
  state_->socket = -1;
}

std::string RawClient::protocol() const {
  const unsigned char *name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(state_->ssl.get(), &name, &length);
  return {reinterpret_cast<const char *>(name), length};
}

std::string RawClient::subject() const {
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(state_->ssl.get()), X509_free);
  std::array<char, 64> text{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, text.data(),
                            static_cast<int>(text.size()));
  return text.data();
}

std::string Reply::field(const std::string &name) const {
  const auto lower = lowerCase(head);
  const auto at = lower.find("\r\n" + lowerCase(name) + ":");
  if (at == std::string::npos) {
    return {};
  }
  const auto from = at + name.size() + 3;
  return std::string(trimmed(std::string_view(head).substr(from, head.find("\r\n", from) - from)));
}

} // namespace waybill::transport
