// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/curl_support.hpp"

#include "domain/text.hpp"
#include "transport/url.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <array>

namespace waybill::transport {

namespace {

std::string adviceFor(CURLcode result) {
  switch (result) {
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_URL_MALFORMAT: return "use a URL of the form https://host:port/path; nothing but https is spoken";
  case CURLE_COULDNT_RESOLVE_HOST: return "check the host name";
  case CURLE_COULDNT_CONNECT: return "check that the instance is running there, and the port";
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    return "the server shows another key than the trusted one: either it was given a new key, then trust that, or "
           "somebody is in between, then do not";
  case CURLE_PEER_FAILED_VERIFICATION:
    return "its certificate is of no known authority, or for another name; trust its key, or give the CA file";
  case CURLE_SSL_CONNECT_ERROR: return "check that this port speaks TLS 1.2 or later";
  case CURLE_REMOTE_FILE_NOT_FOUND:
  case CURLE_FTP_COULDNT_RETR_FILE: return "there is no such file, or it may not be read; check the URL";
  case CURLE_LOGIN_DENIED:
  case CURLE_REMOTE_ACCESS_DENIED: return "the server lets nobody in without a name; ask whoever runs it";
  case CURLE_OPERATION_TIMEDOUT:
    return "the other side did not answer or move data in time; try again, or check the network";
  default: return "try again; if it fails again, look at the log of the instance";
  }
}

/// Whether a connection was lost: that of the call, or, as libcurl tries again by itself, the next.
bool isLoss(CURLcode result) {
  switch (result) {
  case CURLE_COULDNT_CONNECT:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_FAIL_REWIND:
  case CURLE_GOT_NOTHING: return true;
  default: return false;
  }
}

constexpr const char *inMidCall =
    "the connection was lost in the middle of the call, so that it may have been done: look before you call again";

/// Whether the connection was lost in the handshake, as when the server is just being stopped; what is no TLS says
/// something else.
bool lostInHandshake(const std::string &found) {
  return found.find("SSL_ERROR_SYSCALL") != std::string::npos || found.find("unexpected eof") != std::string::npos ||
         found.find("Connection reset") != std::string::npos;
}

/// Whether the same request may succeed a moment later.
bool mayPass(CURLcode result, const std::string &found) {
  switch (result) {
  case CURLE_SSL_CONNECT_ERROR: return lostInHandshake(found);
  case CURLE_COULDNT_CONNECT:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
  case CURLE_OPERATION_TIMEDOUT:
  case CURLE_SEND_FAIL_REWIND: return true;
  default: return false;
  }
}

} // namespace

void startLibcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) {
    throw Fault(FaultCode::Internal, std::string("libcurl cannot be started: ") + curl_easy_strerror(started));
  }
}

/// libcurl's way to write a pin: "sha256//" + base64.
std::string pinFor(const std::string &hex) {
  const auto bytes = fromHex(hex);
  if (!bytes || bytes->size() != 32) {
    throw Fault(FaultCode::BadParameter, "a pinned key is the hex SHA-256 of a public key (64 digits)",
                printable(hex, 80));
  }
  std::array<unsigned char, 48> text{};
  const int length = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char *>(bytes->data()), 32);
  return "sha256//" + std::string(text.begin(), text.begin() + length);
}

DeliveryFault deliveryFailure(const std::string &method, const std::string &url, int result, const std::string &found,
                              bool sent) {
  const auto code = static_cast<CURLcode>(result);
  const std::string cause = found.empty() ? curl_easy_strerror(code) : found;
  return {method + " " + printableUrl(url) + ": " + cause + "; " + (sent && isLoss(code) ? inMidCall : adviceFor(code)),
          printableUrl(url), mayPass(code, found)};
}

void requireOption(int result, int option) {
  if (result != CURLE_OK) {
    throw Fault(FaultCode::Internal, "libcurl refuses option " + std::to_string(option) + ": " +
                                         curl_easy_strerror(static_cast<CURLcode>(result)));
  }
}

} // namespace waybill::transport
