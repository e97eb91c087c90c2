// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/client.hpp"
#include "transport/egress.hpp"

#include <array>
#include <chrono>
#include <cstdint>
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

/// One request and its reply, driven by whoever waits for it; all of one multi handle are driven together. The egress
/// guard is asked before the request is made, for every address that is about to be connected to, and for the address
/// of a connection that is used again. ftp is a GET whose head is there with its first byte (status 200, or 206 when
/// it began at an offset).
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
  /// From here on the body goes to `sink` as it comes, while advance() runs; what it throws ends this exchange. Not to
  /// be mixed with read().
  void pushTo(std::function<void(ByteView)> sink);

  /// Moves what can be moved now, for all exchanges of `multi` (CURLM). True when one of them ended.
  static bool advance(void *multi);
  /// Returns when something can be moved, or after `longest`.
  static void await(void *multi, std::chrono::milliseconds longest);

  [[nodiscard]] bool done() const noexcept { return done_; }
  /// The head has come.
  [[nodiscard]] bool headDone() const noexcept { return headDone_; }
  /// After done(): throws why it failed, if it did.
  void throwIfFailed();
  /// It ended because too little moved for too long, or because no connection came about in time.
  [[nodiscard]] bool timedOut() const noexcept;

  [[nodiscard]] bool isFtp() const noexcept { return ftp_; }
  /// ftp: when the file was changed (seconds since 1970), if the server says so.
  [[nodiscard]] std::optional<std::int64_t> fileTime() const;

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const Headers &headers() const noexcept { return headers_; }
  [[nodiscard]] Headers takeHeaders() { return std::move(headers_); }
  /// Of the body to come; of a GET by ftp that begins at an offset: of the rest.
  [[nodiscard]] std::optional<std::uint64_t> length() const;

private:
  void setUp(const ClientOptions &options);
  void setUpGuard();
  void setUpFtp(std::uint64_t offset);
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

  bool allows(const std::string &address) noexcept;

  static int onSocket(void *self, int purpose, void *address) noexcept;
  static int onRequest(void *self, char *remote) noexcept;
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
  std::shared_ptr<const EgressPolicy> guard_;
  EgressPolicy::Admission admission_; ///< of the guard, when there is one
  bool ftp_ = false;

  Source *body_;
  std::optional<std::uint64_t> unsent_; ///< what is left of a body of known length
  bool sent_ = false;                   ///< some of the body

  std::function<void(ByteView)> sink_; ///< set: bytes go there

  int status_ = 0;
  Headers headers_;
  bool headDone_ = false;
  std::span<std::byte> wanted_; ///< where the reader wants bytes, while it waits
  Bytes kept_;                  ///< bytes that came unasked
  std::size_t keptBegin_ = 0;
  bool paused_ = false;
  bool moved_ = false; ///< something happened during the last step
  bool done_ = false;
  int result_ = 0;             ///< CURLcode
  std::exception_ptr thrown_;  ///< by the request's body, or the sink
  std::exception_ptr refused_; ///< by the guard, for an address; the cause, if no other address could be had
};

} // namespace waybill::transport
