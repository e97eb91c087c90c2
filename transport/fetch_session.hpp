// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/client_exchange.hpp"
#include "transport/fetch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace waybill::transport {

/// A reply that is neither the bytes nor a redirect.
class StatusFault : public DeliveryFault {
public:
  StatusFault(const std::string &url, const Exchange &reply);
  [[nodiscard]] std::optional<std::chrono::seconds> retryAfter() const noexcept { return retryAfter_; }

private:
  std::optional<std::chrono::seconds> retryAfter_;
};

/// Counts failures since there was progress, and says how long to wait before the next try.
class Persistence {
public:
  enum class Stage : std::uint8_t {
    Opening, ///< nothing has come yet
    GoingOn, ///< what has come would be lost
  };
  Persistence(const FetchOptions &options, Stage stage);
  void progressed(std::uint64_t bytes);
  /// The pause before trying again. Throws `fault`, with what was tried, when it was enough.
  std::chrono::milliseconds afterFailure(const DeliveryFault &fault);

private:
  [[nodiscard]] bool isEnough(std::chrono::milliseconds pause) const;

  const FetchOptions &options_; ///< the fetcher's
  Stage stage_;
  int failures_ = 0;
  std::chrono::steady_clock::time_point failing_; ///< since when, where there are failures
  std::uint64_t sinceReset_ = 0;
  std::uint64_t total_ = 0;
  std::chrono::milliseconds pause_;
  std::chrono::steady_clock::time_point lastByte_ = std::chrono::steady_clock::now();
};

/// What both ways of fetching share: one request after another, redirects, pauses.
class FetchSession {
public:
  explicit FetchSession(FetchOptions options);

  struct Reply {
    FetchRequest where; ///< after redirects: its URL, and the headers and identity that are for it
    std::unique_ptr<Exchange> exchange;
  };

  /// One try: follows redirects, returns at the head of a 200 or 206. Throws StatusFault, DeliveryFault (one that timed
  /// out may pass), AddressNotAllowed.
  [[nodiscard]] Reply ask(FetchRequest where, const Headers &more, std::uint64_t ftpOffset = 0);
  /// The same, tried again as the options say.
  [[nodiscard]] Reply askPatiently(const FetchRequest &where, const Headers &more);
  /// Starts a request and does not wait for it.
  [[nodiscard]] std::unique_ptr<Exchange> start(const FetchRequest &where, const Headers &more,
                                                std::uint64_t ftpOffset = 0);
  /// Sleeps, and calls whileWaiting now and then.
  void pause(std::chrono::milliseconds length) const;

  [[nodiscard]] const FetchOptions &options() const noexcept { return options_; }
  [[nodiscard]] void *multi() const noexcept { return multi_.get(); }

private:
  [[nodiscard]] FetchRequest redirected(const FetchRequest &from, const Exchange &reply) const;

  FetchOptions options_;
  std::shared_ptr<void> multi_; ///< CURLM
};

} // namespace waybill::transport
