// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/fetch_session.hpp"
#include "transport/representation.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace waybill::transport {

/// Throws Fault BadParameter for ranges that are empty, overlap, or reach past `size`, and options that are zero.
void requireSensible(std::uint64_t size, const std::vector<ByteRange> &wanted, const RangesOptions &options);

/// Several connections at once to a server that does ranges, all driven by the thread that calls run(). References must
/// outlive it.
class RangeFetch {
public:
  RangeFetch(FetchSession &session, std::uint64_t size, const std::vector<ByteRange> &wanted, const RangeSink &sink,
             const RangesOptions &options);

  /// What the first request asks for: its reply shows what the server can do.
  [[nodiscard]] Headers firstAsking() const;
  /// `first`: the reply to that, a 206 whose version can be told. Returns when all is written.
  void run(FetchSession::Reply first);

private:
  struct Stripe {
    Stripe(ByteRange range, const FetchOptions &options)
        : at(range.begin), end(range.end), persistence(options, Persistence::Stage::GoingOn) {}
    std::uint64_t at;
    std::uint64_t end;
    Persistence persistence;
    std::unique_ptr<Exchange> exchange; ///< none: waits until `notBefore`
    bool headChecked = false;
    std::chrono::steady_clock::time_point notBefore;
  };

  void takeStripes();
  [[nodiscard]] std::size_t allowed() const;
  void startWhatIsDue();
  bool harvest();
  /// True when the stripe is done.
  bool conclude(Stripe &stripe);
  void attach(Stripe &stripe, std::unique_ptr<Exchange> exchange);
  void take(Stripe &stripe, ByteView bytes);
  void checkHead(Stripe &stripe);
  void waitAWhile();
  void callWhileWaiting();
  [[nodiscard]] DeliveryFault fault(const std::string &found, bool mayPass) const;

  FetchSession &session_;
  std::uint64_t size_;
  const RangeSink &sink_;
  unsigned connections_;
  std::function<unsigned()> share_;
  std::deque<ByteRange> queue_;
  FetchRequest where_;
  std::optional<Representation> representation_;
  std::vector<std::unique_ptr<Stripe>> active_;
  std::exception_ptr sinkThrew_;
  bool moved_ = false; ///< bytes have come
  std::chrono::steady_clock::time_point lastCall_;
};

} // namespace waybill::transport
