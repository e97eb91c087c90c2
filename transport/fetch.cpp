// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/fetch.hpp"

#include "transport/allowed_file.hpp"
#include "transport/egress.hpp"
#include "transport/fetch_session.hpp"
#include "transport/range_fetch.hpp"
#include "transport/representation.hpp"

#include <algorithm>
#include <utility>

namespace waybill::transport {

namespace {

/// Reads on over cuts.
class FetchedBody final : public Source {
public:
  FetchedBody(FetchSession &session, FetchSession::Reply reply)
      : session_(session), reply_(std::move(reply)), representation_(*reply_.exchange),
        persistence_(session.options(), Persistence::Stage::GoingOn) {}

  std::size_t read(std::span<std::byte> into) override {
    while (!ended_ && !into.empty()) {
      try {
        return readOnce(into);
      } catch (const DeliveryFault &fault) {
        const bool slow = reply_.exchange && reply_.exchange->timedOut();
        reply_.exchange.reset();
        if (isWhole()) {
          break; // only the end of the connection was not as it should be
        }
        if (!fault.mayPass() && !slow) {
          throw;
        }
        cut_ = fault.reason();
        session_.pause(persistence_.afterFailure(fault));
      }
    }
    ended_ = ended_ || !into.empty();
    return 0;
  }

  [[nodiscard]] std::optional<std::uint64_t> size() const override { return representation_.size(); }

private:
  [[nodiscard]] bool isWhole() const { return representation_.size() == std::optional(at_); }

  std::size_t readOnce(std::span<std::byte> into) {
    if (!reply_.exchange) {
      goOn();
    }
    const auto count = reply_.exchange->read(into);
    if (count == 0 && representation_.size() && !isWhole()) {
      throw fault("the reply ended after " + std::to_string(at_) + " of " + std::to_string(*representation_.size()) +
                      " bytes",
                  true);
    }
    ended_ = count == 0;
    at_ += count;
    if (representation_.size() && at_ > *representation_.size()) {
      throw fault("more came than the " + std::to_string(*representation_.size()) + " bytes that were announced",
                  false);
    }
    persistence_.progressed(count);
    return count;
  }

  /// Asks for the rest.
  void goOn() {
    if (!representation_.canContinue()) {
      throw fault("cut after " + std::to_string(at_) + " bytes (" + cut_ +
                      "), and the server cannot continue safely: it does no ranges, or gives neither an ETag nor a "
                      "Last-Modified that tells versions apart; begin anew",
                  false);
    }
    auto reply = session_.ask(reply_.where, representation_.asking(at_, std::nullopt), at_);
    if (const auto wrong = representation_.mismatch(*reply.exchange, at_, std::nullopt)) {
      throw fault("cut after " + std::to_string(at_) + " bytes (" + cut_ + "), and cannot be continued: " + *wrong +
                      "; begin anew",
                  false);
    }
    reply_ = std::move(reply);
  }

  [[nodiscard]] DeliveryFault fault(const std::string &found, bool mayPass) const {
    const auto shown = printableUrl(reply_.where.url);
    return {"GET " + shown + ": " + found, shown, mayPass};
  }

  FetchSession &session_;
  FetchSession::Reply reply_; ///< no exchange: cut
  Representation representation_;
  Persistence persistence_;
  std::uint64_t at_ = 0;
  std::string cut_; ///< why it was cut last
  bool ended_ = false;
};

Fetched fetchedFrom(FetchSession &session, FetchSession::Reply reply) {
  if (reply.exchange->status() != 200) {
    throw StatusFault(reply.where.url, *reply.exchange); // a part, though the whole was asked for
  }
  Fetched fetched;
  fetched.url = reply.where.url;
  fetched.contentType = reply.exchange->headers().get("Content-Type");
  fetched.body = std::make_unique<FetchedBody>(session, std::move(reply));
  fetched.size = fetched.body->size();
  return fetched;
}

/// What of `wanted` is in the bytes as they come, in order.
void writeWanted(const std::string &url, Source &source, std::uint64_t size, const std::vector<ByteRange> &wanted,
                 const RangeSink &sink) {
  if (source.size() && *source.size() != size) {
    throw DeliveryFault("GET " + printableUrl(url) + ": it is " + std::to_string(*source.size()) + " bytes long, not " +
                            std::to_string(size) + "; it is not what was announced",
                        printableUrl(url), false);
  }
  Bytes block(copyBlock);
  std::uint64_t at = 0;
  for (const auto &range : wanted) {
    while (at < range.end) {
      const auto target = at < range.begin ? range.begin : range.end;
      const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), target - at));
      const auto count = source.read(std::span(block).first(room));
      if (count == 0) {
        throw DeliveryFault("GET " + printableUrl(url) + ": it ended after " + std::to_string(at) + " of " +
                                std::to_string(size) + " bytes; it is not what was announced",
                            printableUrl(url), false);
      }
      if (at >= range.begin) {
        sink(at, ByteView(block).first(count));
      }
      at += count;
    }
  }
}

} // namespace

struct Fetcher::State {
  FetchSession session;
};

Fetcher::Fetcher(FetchOptions options) : state_(new State{FetchSession(std::move(options))}) {}

Fetcher::~Fetcher() = default;

Fetched Fetcher::open(const FetchRequest &request) {
  auto &session = state_->session;
  const auto &guard = session.options().client.guard;
  const auto parts = partsOf(request.url);
  if (guard && parts.scheme == "file") {
    Fetched fetched;
    fetched.url = request.url;
    fetched.body = openAllowedFile(*guard, request.url);
    fetched.size = fetched.body->size();
    return fetched;
  }
  return fetchedFrom(session, session.askPatiently(request, {}));
}

void Fetcher::fetchRanges(const FetchRequest &request, std::uint64_t size, const std::vector<ByteRange> &wanted,
                          const RangeSink &sink, RangesOptions ranges) {
  requireSensible(size, wanted, ranges);
  if (wanted.empty()) {
    return;
  }
  auto &session = state_->session;
  const auto scheme = partsOf(request.url).scheme;
  if (scheme != "https" && scheme != "http") {
    writeWanted(request.url, *open(request).body, size, wanted, sink);
    return;
  }
  RangeFetch fetch(session, size, wanted, sink, ranges);
  auto first = session.askPatiently(request, fetch.firstAsking());
  if (first.exchange->status() == 206 && !Representation(*first.exchange).canContinue()) {
    // Versions cannot be told apart, so all must come in one reply.
    first.exchange.reset();
    first = session.askPatiently(first.where, {});
  }
  if (first.exchange->status() == 206) {
    fetch.run(std::move(first));
  } else {
    const auto whole = fetchedFrom(session, std::move(first));
    writeWanted(whole.url, *whole.body, size, wanted, sink);
  }
}

} // namespace waybill::transport
