// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/client.hpp"

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// libcurl's own name, so that its header stays out of ours.
struct curl_slist;

namespace waybill::transport {

/// One request and its reply, driven by whoever waits for it.
class Exchange {
public:
  Exchange(std::shared_ptr<void> multi, const ClientRequest &request, const ClientOptions &options);
  ~Exchange();
  Exchange(const Exchange &) = delete;
  Exchange &operator=(const Exchange &) = delete;

  /// Sends and receives until the reply's head is complete.
  void awaitHead();
  /// As Source::read.
  std::size_t read(std::span<std::byte> into);

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] Headers takeHeaders() { return std::move(headers_); }
  [[nodiscard]] std::optional<std::uint64_t> length() const;

private:
  void setUp(const ClientOptions &options);
  void setUpPeer(const PeerIdentity &peer);
  void setUpBody();
  void setUpHeaders(const Headers &headers);
  void step(bool mayWait);
  void finished(int result);
  void throwFailure();
  std::size_t give(std::span<std::byte> into);
  bool take(ByteView bytes);
  void headerLine(std::string_view line);
  std::size_t drainKept(std::span<std::byte> into);

  static std::size_t onRead(char *into, std::size_t size, std::size_t count, void *self) noexcept;
  static std::size_t onWrite(char *bytes, std::size_t size, std::size_t count, void *self) noexcept;
  static std::size_t onHeader(char *bytes, std::size_t size, std::size_t count, void *self) noexcept;

  std::shared_ptr<void> multi_;                  ///< CURLM
  std::unique_ptr<void, void (*)(void *)> easy_; ///< CURL
  std::unique_ptr<curl_slist, void (*)(curl_slist *)> headerList_;
  std::array<char, 256> found_{}; ///< CURL_ERROR_SIZE
  std::string method_;
  std::string url_;
  std::function<void()> whileWaiting_;

  Source *body_;
  std::optional<std::uint64_t> unsent_; ///< what is left of a body of known length

  int status_ = 0;
  Headers headers_;
  bool headDone_ = false;
  std::span<std::byte> wanted_; ///< where the reader wants bytes, while it waits
  Bytes kept_;                  ///< bytes that came unasked
  std::size_t keptBegin_ = 0;
  bool paused_ = false;
  bool moved_ = false; ///< something happened during the last step
  bool done_ = false;
  int result_ = 0;            ///< CURLcode
  std::exception_ptr thrown_; ///< by the request's body
};

} // namespace waybill::transport
