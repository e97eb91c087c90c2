// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/range_fetch.hpp"

#include "transport/url.hpp"

#include <algorithm>
#include <utility>

namespace waybill::transport {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds longestWait{500};

} // namespace

void requireSensible(std::uint64_t size, const std::vector<ByteRange> &wanted, const RangesOptions &options) {
  std::uint64_t last = 0;
  for (const auto &range : wanted) {
    if (range.begin < last || range.end <= range.begin || range.end > size) {
      throw Fault(FaultCode::BadParameter, "the range from " + std::to_string(range.begin) + " to " +
                                               std::to_string(range.end) +
                                               " is empty, out of order, or past the size " + std::to_string(size));
    }
    last = range.end;
  }
  if (options.connections == 0 || options.stripe == 0) {
    throw Fault(FaultCode::BadParameter, "ranges cannot be fetched by no connection, or in stripes of no bytes");
  }
}

RangeFetch::RangeFetch(FetchSession &session, std::uint64_t size, const std::vector<ByteRange> &wanted,
                       const RangeSink &sink, const RangesOptions &options)
    : session_(session), size_(size), sink_(sink), connections_(options.connections), share_(options.share),
      lastCall_(Clock::now()) {
  for (const auto &range : wanted) {
    for (auto at = range.begin; at < range.end;) {
      const auto end = at + std::min(options.stripe, range.end - at);
      queue_.push_back({at, end});
      at = end;
    }
  }
}

Headers RangeFetch::firstAsking() const {
  const auto &range = queue_.front();
  Headers headers;
  headers.add("Range", "bytes=" + std::to_string(range.begin) + "-" + std::to_string(range.end - 1));
  return headers;
}

void RangeFetch::run(FetchSession::Reply first) {
  where_ = std::move(first.where);
  representation_.emplace(*first.exchange);
  if (representation_->size() != std::optional(size_)) {
    throw fault("its Content-Range says '" + first.exchange->headers().get("Content-Range").value_or("") + "', not " +
                    std::to_string(size_) + " bytes; it is not what was announced",
                false);
  }
  active_.push_back(std::make_unique<Stripe>(queue_.front(), session_.options()));
  queue_.pop_front();
  try {
    attach(*active_.back(), std::move(first.exchange));
    while (!active_.empty() || !queue_.empty()) {
      takeStripes();
      startWhatIsDue();
      moved_ = false;
      Exchange::advance(session_.multi());
      // A record of each connection comes in: while there are more, nothing is to be waited for.
      if (!harvest() && !moved_) {
        waitAWhile();
      }
      callWhileWaiting();
    }
  } catch (...) {
    if (sinkThrew_) {
      std::rethrow_exception(sinkThrew_);
    }
    throw;
  }
}

std::size_t RangeFetch::allowed() const { return std::clamp(share_ ? share_() : connections_, 1U, connections_); }

void RangeFetch::takeStripes() {
  while (!queue_.empty() && active_.size() < allowed()) {
    active_.push_back(std::make_unique<Stripe>(queue_.front(), session_.options()));
    queue_.pop_front();
  }
}

void RangeFetch::startWhatIsDue() {
  const auto now = Clock::now();
  for (const auto &stripe : active_) {
    if (!stripe->exchange && stripe->notBefore <= now) {
      attach(*stripe, session_.start(where_, representation_->asking(stripe->at, stripe->end)));
    }
  }
}

void RangeFetch::attach(Stripe &stripe, std::unique_ptr<Exchange> exchange) {
  stripe.exchange = std::move(exchange);
  stripe.headChecked = false;
  stripe.exchange->pushTo([this, &stripe](ByteView bytes) { take(stripe, bytes); });
}

void RangeFetch::take(Stripe &stripe, ByteView bytes) {
  moved_ = true;
  checkHead(stripe);
  if (bytes.size() > stripe.end - stripe.at) {
    throw fault("more bytes came than were asked for", false);
  }
  try {
    sink_(stripe.at, bytes);
  } catch (...) {
    sinkThrew_ = std::current_exception();
    throw;
  }
  stripe.at += bytes.size();
  stripe.persistence.progressed(bytes.size());
}

void RangeFetch::checkHead(Stripe &stripe) {
  if (std::exchange(stripe.headChecked, true)) {
    return;
  }
  const auto status = stripe.exchange->status();
  if (status != 200 && status != 206) {
    throw StatusFault(where_.url, *stripe.exchange);
  }
  if (const auto wrong = representation_->mismatch(*stripe.exchange, stripe.at, stripe.end)) {
    throw fault(*wrong + "; begin anew", false);
  }
}

bool RangeFetch::harvest() {
  const auto before = active_.size();
  bool failed = false;
  active_.erase(std::remove_if(active_.begin(), active_.end(),
                               [&](const auto &stripe) {
                                 const bool ended = stripe->exchange && stripe->exchange->done();
                                 const bool done = ended && conclude(*stripe);
                                 failed = failed || (ended && !done);
                                 return done;
                               }),
                active_.end());
  return failed || active_.size() != before;
}

bool RangeFetch::conclude(Stripe &stripe) {
  try {
    stripe.exchange->throwIfFailed();
    checkHead(stripe);
    if (stripe.at == stripe.end) {
      return true;
    }
    throw fault("a reply ended at byte " + std::to_string(stripe.at) + ", before " + std::to_string(stripe.end), true);
  } catch (const DeliveryFault &failure) {
    const bool slow = stripe.exchange->timedOut();
    stripe.exchange.reset();
    if (sinkThrew_ || (!failure.mayPass() && !slow)) {
      throw;
    }
    if (stripe.at == stripe.end) {
      return true; // only the end of the connection was not as it should be
    }
    stripe.notBefore = Clock::now() + stripe.persistence.afterFailure(failure);
    return false;
  }
}

void RangeFetch::waitAWhile() {
  const auto now = Clock::now();
  auto wait = longestWait;
  for (const auto &stripe : active_) {
    if (!stripe->exchange) {
      const auto due = std::chrono::ceil<milliseconds>(stripe->notBefore - now);
      wait = std::clamp(due, milliseconds(0), wait);
    }
  }
  Exchange::await(session_.multi(), wait);
}

void RangeFetch::callWhileWaiting() {
  const auto &call = session_.options().client.whileWaiting;
  if (!call) {
    return;
  }
  if (const auto now = Clock::now(); now - lastCall_ >= longestWait) {
    lastCall_ = now;
    call();
  }
}

DeliveryFault RangeFetch::fault(const std::string &found, bool mayPass) const {
  const auto shown = printableUrl(where_.url);
  return {"GET " + shown + ": " + found, shown, mayPass};
}

} // namespace waybill::transport
