// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/fetch_session.hpp"

#include "domain/text.hpp"
#include "transport/curl_support.hpp"
#include "transport/url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

namespace waybill::transport {

namespace {

using std::chrono::milliseconds;

/// So many new bytes make failures be forgotten. More than one, or a server that gives a byte with each connection
/// would be asked for ever.
constexpr std::uint64_t worthForgetting = 1024 * 1024;

bool isPassing(int status) {
  switch (status) {
  case 408:
  case 425:
  case 429:
  case 500:
  case 502:
  case 503:
  case 504: return true;
  default: return false;
  }
}

std::string adviceFor(int status) {
  switch (status) {
  case 401:
  case 403: return "the server does not let this one read it; ask whoever runs it for the permission";
  case 404:
  case 410: return "there is no such thing, or no longer; check the URL";
  case 416: return "the server has fewer bytes than were asked for; it has changed meanwhile, so begin anew";
  default: return isPassing(status) ? "try again later" : "check that the URL can be read with a plain GET";
  }
}

bool isRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::optional<std::chrono::seconds> retryAfterOf(const Headers &headers) {
  const auto text = headers.get("Retry-After").value_or("");
  unsigned seconds = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && stopped == text.data() + text.size() ? std::optional(std::chrono::seconds(seconds))
                                                                      : std::nullopt;
}

} // namespace

StatusFault::StatusFault(const std::string &url, const Exchange &reply)
    : DeliveryFault("GET " + printableUrl(url) + ": the server answers " + std::to_string(reply.status()) + "; " +
                        adviceFor(reply.status()),
                    printableUrl(url), isPassing(reply.status())),
      retryAfter_(retryAfterOf(reply.headers())) {}

Persistence::Persistence(const FetchOptions &options, Stage stage)
    : options_(options), stage_(stage), pause_(options.firstPause) {}

void Persistence::progressed(std::uint64_t bytes) {
  lastByte_ = std::chrono::steady_clock::now();
  total_ += bytes;
  sinceReset_ += bytes;
  if (sinceReset_ >= worthForgetting) {
    sinceReset_ = 0;
    failures_ = 0;
    pause_ = options_.firstPause;
  }
}

bool Persistence::isEnough(milliseconds pause) const {
  const auto then = std::chrono::steady_clock::now() + pause;
  const auto often = failures_ >= options_.attempts;
  if (stage_ == Stage::Opening) {
    return often || then - lastByte_ > options_.openPatience;
  }
  return then - lastByte_ > options_.patience || (often && then - failing_ > options_.patience);
}

milliseconds Persistence::afterFailure(const DeliveryFault &fault) {
  if (++failures_ == 1) {
    failing_ = std::chrono::steady_clock::now();
  }
  const auto *status = dynamic_cast<const StatusFault *>(&fault);
  const auto asked = status != nullptr ? status->retryAfter() : std::nullopt;
  const auto pause =
      std::min(std::max(pause_, milliseconds(asked.value_or(std::chrono::seconds(0)))), options_.longestPause);
  pause_ = std::min(pause_ * 2, options_.longestPause);
  if (isEnough(pause)) {
    throw DeliveryFault(fault.reason() + " (given up after " + std::to_string(failures_) + " tries; " +
                            std::to_string(total_) + " bytes had come)",
                        fault.subject(), true);
  }
  return pause;
}

FetchSession::FetchSession(FetchOptions options) : options_(std::move(options)) {
  startLibcurl();
  multi_ = std::shared_ptr<void>(curl_multi_init(), curl_multi_cleanup);
  if (!multi_) {
    throw std::bad_alloc();
  }
}

std::unique_ptr<Exchange> FetchSession::start(const FetchRequest &where, const Headers &more, std::uint64_t ftpOffset) {
  ClientRequest request;
  request.url = where.url;
  request.headers = where.headers;
  request.headers.add("Accept-Encoding", "identity");
  for (const auto &[name, value] : more.all()) {
    request.headers.add(name, value);
  }
  request.peer = where.peer;
  request.offset = ftpOffset;
  return std::make_unique<Exchange>(multi_, request, options_.client);
}

FetchRequest FetchSession::redirected(const FetchRequest &from, const Exchange &reply) const {
  const auto location = reply.headers().get("Location");
  if (!location) {
    throw DeliveryFault("GET " + printableUrl(from.url) + ": the server answers " + std::to_string(reply.status()) +
                            " and does not say where to; check the URL",
                        printableUrl(from.url), false);
  }
  FetchRequest to;
  to.url = resolvedUrl(from.url, *location);
  const auto before = partsOf(from.url);
  const auto after = partsOf(to.url);
  if (after.scheme != "https" && (after.scheme != "http" || before.scheme == "https")) {
    throw Fault(FaultCode::AddressNotAllowed,
                "from " + before.scheme + " no redirect to " + printable(after.scheme, 20) +
                    " is followed; give the URL that is meant in the first place",
                printableUrl(to.url));
  }
  if (before.scheme == after.scheme && before.host == after.host && before.port == after.port) {
    to.headers = from.headers;
    to.peer = from.peer;
  }
  return to;
}

FetchSession::Reply FetchSession::ask(FetchRequest where, const Headers &more, std::uint64_t ftpOffset) {
  const auto first = printableUrl(where.url);
  for (int hops = 0;; ++hops) {
    Reply reply{where, nullptr};
    try {
      reply.exchange = start(reply.where, more, ftpOffset);
      reply.exchange->awaitHead();
      if (isRedirect(reply.exchange->status())) {
        where = redirected(reply.where, *reply.exchange);
      }
    } catch (const DeliveryFault &fault) {
      if (!fault.mayPass() && reply.exchange && reply.exchange->timedOut()) {
        throw DeliveryFault(fault.reason(), fault.subject(), true);
      }
      throw;
    } catch (const Fault &fault) {
      const bool elsewhere = hops > 0 || (reply.exchange && reply.exchange->headDone());
      if (fault.code() == FaultCode::AddressNotAllowed && elsewhere) {
        throw Fault(fault.code(), first + " redirects to " + fault.subject() + ": " + fault.reason(), first, {},
                    fault.log());
      }
      throw;
    }
    const int status = reply.exchange->status();
    if (status == 200 || status == 206) {
      return reply;
    }
    if (!isRedirect(status)) {
      throw StatusFault(reply.where.url, *reply.exchange);
    }
    if (hops >= options_.redirects) {
      throw DeliveryFault("GET " + first + ": more than " + std::to_string(options_.redirects) +
                              " redirects, the last to " + printableUrl(where.url) + "; check the URL",
                          first, false);
    }
  }
}

FetchSession::Reply FetchSession::askPatiently(const FetchRequest &where, const Headers &more) {
  Persistence persistence(options_, Persistence::Stage::Opening);
  for (;;) {
    try {
      return ask(where, more);
    } catch (const DeliveryFault &fault) {
      if (!fault.mayPass()) {
        throw;
      }
      pause(persistence.afterFailure(fault));
    }
  }
}

void FetchSession::pause(milliseconds length) const {
  static constexpr milliseconds slice{100};
  const auto until = std::chrono::steady_clock::now() + length;
  while (std::chrono::steady_clock::now() < until) {
    if (options_.client.whileWaiting) {
      options_.client.whileWaiting();
    }
    std::this_thread::sleep_for(std::min(slice, length));
  }
}

} // namespace waybill::transport
