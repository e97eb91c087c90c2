// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/courier.hpp"

#include "domain/data_path.hpp"
#include "domain/text.hpp"
#include "services/algorithms/out_folder.hpp"
#include "services/soap_reply.hpp"
#include "services/version.hpp"
#include "soap/codec.hpp"
#include "soap/fault.hpp"
#include "soap/outgoing_message.hpp"
#include "transport/egress.hpp"
#include "transport/url.hpp"

#include <utility>

namespace waybill::services {

namespace {

/// Counts what is read through it; `check` may end it by what it throws.
class Counted final : public Source {
public:
  Counted(std::unique_ptr<Source> source, std::shared_ptr<std::atomic<std::uint64_t>> count,
          const std::function<void()> &check)
      : source_(std::move(source)), count_(std::move(count)), check_(check) {}
  std::size_t read(std::span<std::byte> into) override {
    if (check_) {
      check_();
    }
    const auto got = source_->read(into);
    *count_ += got;
    return got;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return source_->size(); }

private:
  std::unique_ptr<Source> source_;
  std::shared_ptr<std::atomic<std::uint64_t>> count_;
  const std::function<void()> &check_;
};

Delivered again(const Fault &fault, std::chrono::seconds notBefore = {}) {
  return {Delivered::How::Again, fault, notBefore, {}, false};
}
Delivered refused(const Fault &fault) { return {Delivered::How::Refused, fault, {}, {}, false}; }

std::string post(const TransferWork &work) { return "POST " + transport::printableUrl(work.to.address); }

/// RFC 9110 section 15: these are worth another attempt.
bool mayPass(int status) { return status >= 500 || status == 408 || status == 429; }

} // namespace

bool mayPass(FaultCode code) noexcept {
  switch (code) {
  case FaultCode::Busy:
  case FaultCode::NoSpace:
  case FaultCode::Internal:
  case FaultCode::DeliveryFailed:
  case FaultCode::EndpointUnavailable: return true;
  default: return false;
  }
}

/// A message on its way. The client may send on while the reply is read, so it outlives the call.
struct Courier::Message {
  soap::OutgoingMessage message;
  std::unique_ptr<Source> body;
  std::vector<Data> sent; ///< what a receipt has to name
};

Courier::Courier(Tools tools, transport::ClientOptions client)
    : tools_(std::move(tools)), whileWaiting_(client.whileWaiting), guard_(client.guard), client_(std::move(client)) {}

bool Courier::owesReceipt(const TransferWork &work) const {
  return (work.content || !work.parts.empty()) && guard_ && guard_->check(work.to.address).trusted;
}

Delivered Courier::deliver(const TransferWork &work, const Principal &caller,
                           const std::shared_ptr<std::atomic<std::uint64_t>> &done) {
  *done = 0;
  std::unique_ptr<Message> message;
  try {
    message = compose(work, caller, done);
  } catch (const Fault &fault) {
    return mayPass(fault.code()) ? again(fault) : refused(fault);
  }
  return send(work, *message);
}

std::unique_ptr<Courier::Message> Courier::compose(const TransferWork &work, const Principal &caller,
                                                   const std::shared_ptr<std::atomic<std::uint64_t>> &done) {
  auto composed = std::make_unique<Message>();
  auto &message = composed->message;
  message.envelope = work.envelope;
  if (work.content) {
    auto reply = tools_.manager.fill(*work.content, caller, work.baseUrl,
                                     work.lease.empty() ? "" : work.baseUrl + "/lease/" + work.lease);
    message.envelope = envelopeOf(work, soap::encode(reply.response, viewsOf(reply.inlined)));
    composed->sent = std::move(reply.response.data);
    message.packaging = reply.packaging;
    for (auto &part : reply.parts) {
      part.open = [this, open = std::move(part.open), done] {
        return std::make_unique<Counted>(open(), done, whileWaiting_);
      };
      message.parts.push_back(std::move(part));
    }
    if (!work.lease.empty()) {
      tools_.leases.begin(work.lease, std::move(reply.leased), done);
    }
  }
  for (const auto &part : work.parts) {
    addOutput(*composed, work, part, done);
  }
  message.version = work.version;
  message.action = work.action;
  message.boundary = "waybill-" + randomId(tools_.random);
  composed->body = message.source();
  return composed;
}

/// What a program has made, out of the folder of its job.
void Courier::addOutput(Message &composed, const TransferWork &work, const OutputPart &part,
                        const std::shared_ptr<std::atomic<std::uint64_t>> &done) const {
  Data data;
  data.path = part.path.empty() ? std::nullopt : std::optional(part.path);
  data.size = part.size;
  data.digest = Digest{DigestAlgorithm::Sha256, part.sha256};
  composed.sent.push_back(std::move(data));
  if (work.packaging == soap::Packaging::Plain) {
    return;
  }
  composed.message.packaging = work.packaging;
  composed.message.parts.push_back(
      {part.contentId, part.contentType, part.size, [this, folder = tools_.jobs.out(work.job), file = part.file, done] {
         auto output = openOutput(folder, file);
         if (!output) {
           throw Fault(FaultCode::Internal, "what the program has made is no longer there", file);
         }
         return std::make_unique<Counted>(std::move(output), done, whileWaiting_);
       }});
}

Delivered Courier::send(const TransferWork &work, Message &message) {
  transport::ClientRequest request;
  request.method = "POST";
  request.url = work.to.address;
  request.headers = {{"Content-Type", message.message.contentType()},
                     {"User-Agent", std::string("waybill/") + versionText}};
  if (work.version == soap::Version::Soap11) {
    request.headers.add("SOAPAction", "\"" + work.action + "\"");
  }
  request.body = message.body.get();
  request.peer.caFile = tools_.caFile;
  try {
    return judge(work, message, client_.perform(request));
  } catch (const transport::DeliveryFault &fault) {
    return fault.mayPass() ? again(fault) : refused(fault);
  } catch (const Fault &fault) {
    return mayPass(fault.code()) ? again(fault) : refused(fault);
  }
}

Delivered Courier::judge(const TransferWork &work, const Message &message, transport::ClientResponse response) {
  const auto status = std::to_string(response.status);
  if (response.status == 503 && !isSoap(response.headers)) {
    const BusyReply busy(work.to.address, retryAfter(response.headers));
    return again(busy, busy.after());
  }
  if (response.status >= 300 && response.status < 400) {
    return refused(Fault(FaultCode::DeliveryFailed,
                         post(work) + ": the receiver redirects (HTTP status " + status +
                             "), and a message goes where it is addressed to or nowhere; give its own address",
                         transport::printableUrl(response.headers.get("Location").value_or(""))));
  }
  if (isSoap(response.headers)) {
    try {
      return judgeSoap(work, message, response);
    } catch (const transport::DeliveryFault &) {
      throw;
    } catch (const Fault &fault) {
      // It may have taken the message; asking again with the same MessageID tells.
      return again(Fault(FaultCode::DeliveryFailed,
                         post(work) + ": the reply (HTTP status " + status + ") cannot be read: " + fault.reason(),
                         fault.subject()));
    }
  }
  const auto said = quoted(response);
  if (response.status >= 200 && response.status < 300 && said.empty()) {
    if (owesReceipt(work)) {
      return refused(Fault(FaultCode::DeliveryFailed,
                           post(work) + ": the instance there took the message and gave no receipt, as one does whose "
                                        "tokens.replay is \"silence\" for a token that was used before; look there for "
                                        "what it has, and make another token",
                           transport::printableUrl(work.to.address)));
    }
    return {}; // taken, and nothing to say about it
  }
  Fault fault(FaultCode::DeliveryFailed,
              post(work) + ": HTTP status " + status + " and no SOAP message but '" + said +
                  "'; check that this is the URL of a SOAP endpoint",
              transport::printableUrl(work.to.address));
  // What says 2xx may have taken the message; asking again with the same MessageID tells.
  return response.status < 300 || mayPass(response.status) ? again(fault) : refused(fault);
}

namespace {

/// Why `stored` is not what was sent as `sent`: what is missing is not taken for right.
std::optional<std::string> mismatch(const Data &sent, const Data &stored) {
  const auto shown = printable(sent.path.value_or(""), 300);
  if (sent.path && (!stored.path || DataPath::parse(*sent.path).text() != *stored.path)) {
    return "it says the path " + (stored.path ? "'" + printable(*stored.path, 300) + "'" : "of no object") + ", and " +
           shown + " was sent";
  }
  if (!stored.size || stored.size != sent.size) {
    return "it says " + (stored.size ? std::to_string(*stored.size) : "no number of") + " bytes of " + shown +
           ", and " + std::to_string(sent.size.value_or(0)) + " were sent";
  }
  const auto &digest = stored.digest;
  if (!digest || !sent.digest || digest->algorithm != sent.digest->algorithm ||
      lowerCase(digest->hex) != sent.digest->hex) {
    return "it says " +
           (digest ? "the digest " + std::string(name(digest->algorithm)) + " " + printable(digest->hex, 80)
                   : "no digest") +
           " of " + shown + ", and what was sent has " +
           (sent.digest ? std::string(name(sent.digest->algorithm)) + " " + sent.digest->hex : "none");
  }
  return std::nullopt;
}

/// Why `receipt` is not one for what was sent; nothing when it is.
std::optional<std::string> mismatch(const std::vector<Data> &sent, const ReceiveResponse &receipt) {
  if (sent.size() != receipt.data.size()) {
    return "it names " + std::to_string(receipt.data.size()) + " objects, and " + std::to_string(sent.size()) +
           " were sent";
  }
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (auto wrong = mismatch(sent[i], receipt.data[i])) {
      return wrong;
    }
  }
  return std::nullopt;
}

} // namespace

Delivered Courier::judgeSoap(const TransferWork &work, const Message &message, transport::ClientResponse &response) {
  auto [reply, envelope] = readReply(response, tools_.limits, tools_.spool);
  if (envelope.isFault()) {
    const auto fault = soap::decodeFault(envelope);
    // AddressNotAllowed: this instance has become one that the receiver may not call while the content was pulled.
    const auto cannotPull = fault.code() == FaultCode::UnresolvableData || fault.code() == FaultCode::AddressNotAllowed;
    if (cannotPull && !work.lease.empty()) {
      auto plainly = again(fault);
      plainly.withoutLease = true;
      return plainly;
    }
    return mayPass(fault.code()) ? again(fault) : refused(fault);
  }
  if (message.sent.empty()) {
    return {};
  }
  const auto refuse = [&](const std::string &why) {
    return refused(Fault(FaultCode::DeliveryFailed,
                         post(work) + ": the receipt is not one for what was sent: " + why +
                             "; what the receiver has must be looked at there",
                         transport::printableUrl(work.to.address)));
  };
  if (const auto element = envelope.bodyElement(); element != soap::QName{soap::waybillNamespace, "ReceiveResponse"}) {
    return refuse("it is no ReceiveResponse but {" + printable(element.space, 100) + "}" +
                  printable(element.local, 100));
  }
  envelope.requireUnderstood();
  const auto relatesTo = envelope.addressing().relatesTo;
  auto wrong = relatesTo && *relatesTo != work.messageId
                   ? std::optional("it belongs to another message, " + printable(*relatesTo, 200))
                   : std::nullopt;
  envelope.validate(tools_.schema);
  auto bodyXml = envelope.bodyXml();
  if (!wrong) {
    wrong = mismatch(message.sent, soap::decode<ReceiveResponse>(bodyXml));
  }
  if (wrong) {
    return refuse(*wrong);
  }
  return {Delivered::How::Arrived, std::nullopt, {}, std::move(bodyXml), false};
}

} // namespace waybill::services
