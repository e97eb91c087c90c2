// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/remote_data.hpp"

#include "domain/fault.hpp"
#include "domain/messages.hpp"
#include "domain/text.hpp"
#include "services/soap_reply.hpp"
#include "services/version.hpp"
#include "soap/codec.hpp"
#include "transport/client.hpp"
#include "transport/fetch.hpp"
#include "transport/url.hpp"

#include <algorithm>
#include <utility>

namespace waybill::services {

namespace {

/// From here on it is worth to have several connections.
constexpr std::uint64_t largeBytes = 32U << 20U;

/// A source that keeps alive what it reads from.
template <class Origin> class Owning final : public Source {
public:
  Owning(std::shared_ptr<Origin> origin, Source &source) : origin_(std::move(origin)), source_(source) {}
  std::size_t read(std::span<std::byte> into) override { return source_.read(into); }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return source_.size(); }

private:
  std::shared_ptr<Origin> origin_;
  Source &source_;
};

} // namespace

transport::ClientOptions RemoteData::clientOptions(const std::function<void()> &check) const {
  transport::ClientOptions options;
  options.guard = tools_.egress;
  options.whileWaiting = [this, check] {
    if (stop_.isPast()) {
      throw Fault(FaultCode::Busy, "the instance stops, and what it fetched from elsewhere had not come whole; nothing "
                                   "was stored; send the message again later");
    }
    if (check) {
      check();
    }
  };
  return options;
}

transport::FetchOptions RemoteData::fetchOptions(transport::ClientOptions client) {
  transport::FetchOptions options;
  options.client = std::move(client);
  // What has come of a transfer is lost with this attempt. The sender, which looks away after a minute without
  // progress, asks again meanwhile, is told Busy, and has its receipt in the end.
  options.patience = std::chrono::minutes(5);
  return options;
}

ResolvedData RemoteData::open(const std::string &url, const std::optional<std::string> &token,
                              const std::optional<std::uint64_t> &size, const std::string &principal,
                              const std::function<void()> &check) const {
  (void)tools_.egress->check(url);
  Place place = places_.take(principal);
  if (!place) {
    throw Fault(FaultCode::Busy,
                "this instance fetches as much from elsewhere as it may at the same time (half of server.workers; half "
                "of that for one principal); try again later",
                transport::printableUrl(url));
  }
  if (token) {
    return copy(url, *token, clientOptions(check), std::move(place));
  }
  const auto several = size && *size >= largeBytes && tools_.connections > 1;
  return several ? fetchScattered(url, *size, clientOptions(check), std::move(place))
                 : fetch(url, clientOptions(check), std::move(place));
}

transport::FetchRequest RemoteData::requestFor(const std::string &url) const {
  return {url, {{"User-Agent", std::string("waybill/") + versionText}}, {{}, tools_.caFile}};
}

ResolvedData RemoteData::fetchScattered(const std::string &url, std::uint64_t size, transport::ClientOptions client,
                                        Place place) const {
  ResolvedData resolved;
  resolved.size = size;
  resolved.scattered = [this, url, size, client = std::move(client),
                        place = std::move(place)](const ScatteredSink &sink) {
    transport::Fetcher fetcher(fetchOptions(client));
    auto begun = false;
    const auto counted = [&](std::uint64_t offset, ByteView bytes) {
      begun = true;
      sink(offset, bytes);
    };
    transport::RangesOptions ranges;
    ranges.connections = tools_.connections;
    // Each holds a worker of the instance that serves it: what one fetch may have alone, many share.
    ranges.share = [this] {
      return tools_.connections / static_cast<unsigned>(std::max<std::size_t>(1, places_.taken()));
    };
    try {
      fetcher.fetchRanges(requestFor(url), size, {{0, size}}, counted, std::move(ranges));
    } catch (const transport::DeliveryFault &fault) {
      if (begun) {
        throw;
      }
      // It could not even be opened: to the sender that is a way that does not work, and there may be others.
      throw Fault(FaultCode::UnresolvableData,
                  "no bytes of this data could be fetched; attach them, or see that they can be fetched",
                  transport::printableUrl(url),
                  {std::string("Href '") + transport::printableUrl(url) + "': " + fault.what()});
    }
  };
  return resolved;
}

ResolvedData RemoteData::fetch(const std::string &url, transport::ClientOptions client, Place place) const {
  struct Origin {
    Origin(Place taken, transport::FetchOptions options) : place(std::move(taken)), fetcher(std::move(options)) {}
    Place place;
    transport::Fetcher fetcher;
    transport::Fetched fetched;
  };
  auto origin = std::make_shared<Origin>(std::move(place), fetchOptions(std::move(client)));
  origin->fetched = origin->fetcher.open(requestFor(url));
  auto &body = *origin->fetched.body;
  auto contentType = origin->fetched.contentType.value_or("");
  const auto size = origin->fetched.size;
  return {std::make_unique<Owning<Origin>>(std::move(origin), body), {}, std::move(contentType), size, std::nullopt};
}

ResolvedData RemoteData::copy(const std::string &url, const std::string &token, transport::ClientOptions client,
                              Place place) const {
  struct Origin {
    Origin(Place taken, transport::ClientOptions options) : place(std::move(taken)), client(std::move(options)) {}
    Place place;
    transport::Client client;
    std::string request;
    std::unique_ptr<Source> body;
    transport::ClientResponse response;
    soap::IncomingMessage message;
    std::unique_ptr<Source> part;
  };
  const auto endpoint = url.substr(0, url.find('/', url.find("://") + 3)) + "/services/data";
  const auto post = "POST " + transport::printableUrl(endpoint);
  CopyRequest wanted;
  wanted.data.emplace_back();
  wanted.data.front().id = url;
  soap::Addressing addressing;
  addressing.used = true;
  addressing.messageId = "urn:uuid:" + randomUuid(tools_.random);
  addressing.action = std::string(soap::actionPrefix) + "Copy";
  addressing.to = endpoint;
  auto origin = std::make_shared<Origin>(std::move(place), std::move(client));
  origin->request = soap::writeEnvelope(soap::Version::Soap12, addressing, {tokenHeader(token)}, soap::encode(wanted));
  origin->body = std::make_unique<ViewSource>(asBytes(origin->request));
  transport::ClientRequest request;
  request.method = "POST";
  request.url = endpoint;
  request.headers = {{"Content-Type", "application/soap+xml; charset=utf-8; action=\"" + *addressing.action + "\""},
                     {"User-Agent", std::string("waybill/") + versionText}};
  request.body = origin->body.get();
  request.peer.caFile = tools_.caFile;
  origin->response = origin->client.perform(request);
  auto [message, envelope] = openReply(origin->response, endpoint, tools_.limits, tools_.spool);
  origin->message = std::move(message);
  auto &attachments = *origin->message.attachments;
  envelope.liftContent(attachments);
  envelope.validate(tools_.schema);
  const auto reply = soap::decode<CopyResponse>(envelope.bodyXml());
  const auto &data = reply.data.front();
  origin->part = data.content || data.attachment ? attachments.open(data.content ? *data.content : *data.attachment)
                                                 : std::unique_ptr<Source>();
  if (!origin->part) {
    throw Fault(FaultCode::InvalidMessage,
                post + ": the reply to Copy has no bytes; check that both sides run versions that fit",
                transport::printableUrl(url));
  }
  auto &part = *origin->part;
  return {std::make_unique<Owning<Origin>>(std::move(origin), part),
          {},
          data.contentType.value_or(""),
          data.size,
          data.digest};
}

} // namespace waybill::services
