// SPDX-License-Identifier: GPL-3.0-or-later
// What of an exchange asks the egress guard for addresses; for the URL it is asked when the exchange is made.
#include "transport/client_exchange.hpp"
#include "transport/curl_support.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace waybill::transport {

namespace {

template <class T> void setOption(CURL *easy, CURLoption option, T value) {
  requireOption(curl_easy_setopt(easy, option, value), option);
}

/// As inet_ntop(3) writes it; empty for what is no address of the Internet.
std::string addressText(const sockaddr *address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void *bytes = nullptr;
  if (address->sa_family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in *>(address)->sin_addr;
  } else if (address->sa_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6 *>(address)->sin6_addr;
  }
  return bytes != nullptr && inet_ntop(address->sa_family, bytes, text.data(), text.size()) != nullptr ? text.data()
                                                                                                       : "";
}

} // namespace

void Exchange::setUpGuard() {
  const curl_opensocket_callback onSocketOpen = [](void *self, curlsocktype purpose, curl_sockaddr *address) {
    return onSocket(self, purpose, address);
  };
  const curl_prereq_callback beforeRequest = [](void *self, char *remote, char *, int, int) {
    return onRequest(self, remote);
  };
  auto *easy = easy_.get();
  setOption(easy, CURLOPT_OPENSOCKETFUNCTION, onSocketOpen);
  setOption(easy, CURLOPT_OPENSOCKETDATA, static_cast<void *>(this));
  setOption(easy, CURLOPT_PREREQFUNCTION, beforeRequest);
  setOption(easy, CURLOPT_PREREQDATA, static_cast<void *>(this));
}

bool Exchange::allows(const std::string &address) noexcept {
  try {
    guard_->checkAddress(admission_, address);
    return true;
  } catch (...) {
    refused_ = std::current_exception();
    return false;
  }
}

int Exchange::onSocket(void *self, int purpose, void *address) noexcept {
  const auto &wanted = *static_cast<const curl_sockaddr *>(address);
  if (purpose != CURLSOCKTYPE_IPCXN || !static_cast<Exchange *>(self)->allows(addressText(&wanted.addr))) {
    return CURL_SOCKET_BAD;
  }
  return socket(wanted.family, wanted.socktype | SOCK_CLOEXEC, wanted.protocol);
}

int Exchange::onRequest(void *self, char *remote) noexcept {
  return static_cast<Exchange *>(self)->allows(remote) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

} // namespace waybill::transport
