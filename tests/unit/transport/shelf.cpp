// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/shelf.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

namespace waybill::transport {

namespace {

std::string pinOf(const std::string &certificateFile) {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(certificateFile.c_str(), "re"), std::fclose);
  const std::unique_ptr<X509, decltype(&X509_free)> read(PEM_read_X509(file.get(), nullptr, nullptr, nullptr),
                                                         X509_free);
  unsigned char *der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(read.get()), &der);
  std::array<std::byte, 32> digest{};
  EVP_Digest(der, static_cast<std::size_t>(length), reinterpret_cast<unsigned char *>(digest.data()), nullptr,
             EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return toHex(digest);
}

std::string lettersOf(std::uint64_t size) {
  std::string text(size, '\0');
  for (std::uint64_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 26);
  }
  return text;
}

} // namespace

Shelf::Shelf(std::uint64_t size)
    : content_(lettersOf(size)), lab_([this](Request &request, Response &response) { handle(request, response); },
                                      [](ServerOptions &options) { options.workers = 8; }) {}

FetchRequest Shelf::request() const {
  FetchRequest request;
  request.url = lab_.url("/thing");
  request.peer.pinnedKey = pinOf(lab_.folder().certificate());
  return request;
}

std::vector<Shelf::Asked> Shelf::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t Shelf::connections() const {
  const std::lock_guard lock(mutex_);
  return remotes_.size();
}

void Shelf::handle(Request &request, Response &response) {
  const Asked asked{request.headers.get("Range").value_or(""), request.headers.get("If-Range").value_or(""),
                    request.headers.get("X-Asked").value_or("")};
  std::size_t number = 0;
  bool busy = false;
  {
    const std::lock_guard lock(mutex_);
    number = requests_.size();
    requests_.push_back(asked);
    busy = ++now_ > busyOver_;
    remotes_.insert(request.remote);
  }
  const auto leave = [this](void *) {
    const std::lock_guard lock(mutex_);
    --now_;
  };
  const std::unique_ptr<void, decltype(leave)> leaving(this, leave);
  if (busy) {
    response.send(503, {{"Retry-After", "0"}}, "busy");
    return;
  }
  answer(asked, number, response);
}

void Shelf::answer(const Asked &asked, std::size_t number, Response &response) {
  const std::string etag = number >= changeAt_ ? "\"two\"" : "\"one\"";
  std::uint64_t begin = 0;
  std::uint64_t end = content_.size();
  const bool part = ranges_ && !asked.range.empty() && (asked.ifRange.empty() || asked.ifRange == etag);
  if (part) {
    const auto dash = asked.range.find('-');
    begin = std::stoull(asked.range.substr(6));
    if (dash + 1 < asked.range.size()) {
      end = std::min<std::uint64_t>(end, std::stoull(asked.range.substr(dash + 1)) + 1);
    }
  }
  Headers headers{{"Content-Type", "application/x-shelf"}};
  if (version_) {
    headers.add("ETag", etag);
  }
  if (part) {
    headers.add("Content-Range", "bytes " + std::to_string(begin) + "-" + std::to_string(end - 1) + "/" +
                                     std::to_string(content_.size()));
  }
  response.begin(part ? 206 : 200, headers, end - begin);
  const auto whole = end - begin;
  const auto sent = std::min(whole, cutAfter_.value_or(whole));
  response.write(asBytes(content_).subspan(begin, sent));
  if (sent < whole) {
    throw std::runtime_error("cut as the test wants");
  }
  response.end();
}

} // namespace waybill::transport
