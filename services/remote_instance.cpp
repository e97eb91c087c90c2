// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/remote_instance.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "security/token.hpp"
#include "services/http_reply.hpp"
#include "services/version.hpp"
#include "soap/fault.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <thread>

namespace waybill::services {

namespace {

using Kind = RemoteOperation::Kind;

/// The most of a reply that is no SOAP message which is shown to the user.
constexpr std::uint64_t quotedBytes = 4096;

std::string tokenHeader(const std::string &base64) {
  return std::string("<wb:Token xmlns:wb=\"") + soap::waybillNamespace + "\">" + base64 + "</wb:Token>";
}

/// The peer asks to come again later.
class BusyReply : public Fault {
public:
  BusyReply(const std::string &url, std::chrono::seconds after)
      : Fault(FaultCode::Busy,
              "POST " + printable(url, 300) + ": the instance has more requests than it takes; try again later", url),
        after_(after) {}
  [[nodiscard]] std::chrono::seconds after() const noexcept { return after_; }

private:
  std::chrono::seconds after_;
};

/// Decides, within the handler of what an attempt threw, how long to wait before the next one; or throws when there is
/// to be none: the first lost connection, where there was one, because all that came after it has its cause there.
class Retries {
public:
  explicit Retries(const RetryPolicy &policy) : policy_(policy) {}

  std::chrono::milliseconds afterLoss(bool mayRepeat) {
    if (!lost_) {
      lost_ = std::current_exception();
    }
    return countedUnless(!mayRepeat, backoff());
  }

  /// The peer has more requests than it takes.
  std::chrono::milliseconds whileFull(std::chrono::milliseconds asked, bool mayRepeat) {
    return lost_ ? timedUnless(!mayRepeat, asked) : countedUnless(!mayRepeat, asked);
  }

  /// After a loss the peer may still be at work on the first attempt; once it is done, the same message gets its
  /// receipt.
  std::chrono::milliseconds whileAtWork(bool maybeAtWork, bool mayRepeat) {
    if (!lost_ || !maybeAtWork) {
      throw;
    }
    return timedUnless(!mayRepeat, backoff());
  }

private:
  std::chrono::milliseconds backoff() {
    const auto pause = std::min(policy_.firstPause * (1U << std::min(pauses_, 16U)), policy_.longestPause);
    ++pauses_;
    return pause;
  }
  std::chrono::milliseconds countedUnless(bool over, std::chrono::milliseconds pause) {
    if (over || ++failed_ >= policy_.attempts) {
      giveUp();
    }
    return pause;
  }
  std::chrono::milliseconds timedUnless(bool over, std::chrono::milliseconds pause) {
    if (over || waited_ >= policy_.whileAtWork) {
      giveUp();
    }
    waited_ += pause;
    return pause;
  }
  [[noreturn]] void giveUp() const {
    if (lost_) {
      std::rethrow_exception(lost_);
    }
    throw;
  }

  const RetryPolicy &policy_;
  std::exception_ptr lost_;
  int failed_ = 0;
  unsigned pauses_ = 0;
  std::chrono::milliseconds waited_{};
};

} // namespace

/// A message as it goes over the wire: the same for each attempt at something that must happen once.
struct RemoteInstance::Sealed {
  std::string messageId;
  soap::OutgoingMessage message;
};

/// A request on its way; a peer that answers before it has it all is still sent the rest.
struct RemoteInstance::Sent {
  soap::OutgoingMessage message;
  std::unique_ptr<Source> body;
};

PendingReply::PendingReply(transport::ClientResponse response, soap::IncomingMessage message, std::string bodyXml)
    : response_(std::move(response)), message_(std::move(message)), bodyXml_(std::move(bodyXml)) {}

RemoteInstance::RemoteInstance(RemoteAddress address, const security::InstanceKey &own, const soap::Schema &schema,
                               transport::Client &client, Random &random, const Clock &clock, soap::Spool spool,
                               RetryPolicy retry)
    : address_(std::move(address)), own_(own), schema_(schema), client_(client), random_(random), clock_(clock),
      spool_(std::move(spool)), retry_(std::move(retry)) {
  if (!retry_.pause) {
    retry_.pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  }
}

RemoteInstance::Sealed RemoteInstance::seal(const RemoteOperation &operation, const std::string &bodyXml,
                                            const CallExtras &extras) const {
  Sealed sealed;
  sealed.messageId = "urn:uuid:" + randomUuid(random_);
  std::vector<std::string> headers;
  if (operation.kind != Kind::OpenToAll) {
    TokenClaims claims;
    claims.id = randomId(random_);
    claims.issuer = own_.id();
    claims.audience = address_.certificate.instanceId();
    claims.subject = extras.subject;
    claims.operations = {operation.name};
    claims.resources = extras.resources;
    claims.notBefore = std::chrono::floor<std::chrono::seconds>(clock_.now());
    claims.notAfter = claims.notBefore + extras.lifetime;
    headers.push_back(tokenHeader(security::sealToken(claims, own_, address_.certificate)));
  }
  soap::Addressing addressing;
  addressing.used = true;
  addressing.messageId = sealed.messageId;
  addressing.action = std::string(soap::actionPrefix) + operation.name;
  addressing.to = address_.url + "/services/" + operation.service;
  auto &message = sealed.message;
  message.version = soap::Version::Soap12;
  message.action = *addressing.action;
  message.envelope = soap::writeEnvelope(message.version, addressing, headers, bodyXml);
  message.parts = extras.parts;
  message.packaging = extras.parts.empty() ? soap::Packaging::Plain : soap::Packaging::Mtom;
  message.boundary = "waybill-" + randomId(random_);
  return sealed;
}

PendingReply RemoteInstance::attempt(const RemoteOperation &operation, const Sealed &sealed,
                                     const std::shared_ptr<bool> &opened) {
  auto sent = std::make_shared<Sent>();
  sent->message = sealed.message;
  for (auto &part : sent->message.parts) {
    part.open = [open = std::move(part.open), opened] {
      *opened = true;
      return open();
    };
  }
  sent->body = sent->message.source();
  transport::ClientRequest request;
  request.method = "POST";
  request.url = address_.url + "/services/" + operation.service;
  request.headers = {{"Content-Type", sent->message.contentType()},
                     {"User-Agent", std::string("waybill/") + versionText}};
  request.body = sent->body.get();
  request.peer = address_.tls;
  auto reply = read(client_.perform(request), operation, sealed);
  reply.keep(std::move(sent));
  return reply;
}

PendingReply RemoteInstance::read(transport::ClientResponse response, const RemoteOperation &operation,
                                  const Sealed &sealed) {
  const auto url = address_.url + "/services/" + operation.service;
  if (response.status == 503) {
    throw BusyReply(url, retryAfter(response.headers));
  }
  if (!isSoap(response.headers)) {
    throw Fault(FaultCode::DeliveryFailed,
                "POST " + printable(url, 300) + ": HTTP status " + std::to_string(response.status) +
                    " and no SOAP message but '" + printable(trimmed(beginning(*response.body, quotedBytes)), 200) +
                    "'; check that this is the URL of an instance",
                url);
  }
  const soap::Limits limits;
  auto message = soap::IncomingMessage::read(*response.headers.get("Content-Type"), *response.body, limits, spool_);
  auto envelope = soap::Envelope::parse(message.root, limits, message.charset);
  if (envelope.isFault()) {
    throw soap::decodeFault(envelope);
  }
  envelope.requireUnderstood();
  const auto relatesTo = envelope.addressing().relatesTo;
  if (relatesTo && *relatesTo != sealed.messageId) {
    throw Fault(FaultCode::InvalidMessage,
                "the reply of " + printable(url, 300) +
                    " belongs to another message than the one that was sent; try again",
                printable(*relatesTo, 200));
  }
  if (const auto found = envelope.bodyElement();
      found != soap::QName{soap::waybillNamespace, std::string(operation.name) + "Response"}) {
    throw Fault(FaultCode::InvalidMessage,
                "the reply of " + printable(url, 300) + " to " + operation.name + " is an element '" +
                    printable(found.local, 100) + "'; check that both sides run versions that fit",
                printable(found.space, 200));
  }
  message.attachments->want(envelope.liftContent([&](std::string contentId, std::string bytes) {
    message.attachments->addInline(std::move(contentId), std::move(bytes));
  }));
  envelope.validate(schema_);
  auto bodyXml = envelope.bodyXml();
  return {std::move(response), std::move(message), std::move(bodyXml)};
}

PendingReply RemoteInstance::exchange(const RemoteOperation &operation, const std::string &bodyXml,
                                      const CallExtras &extras) {
  auto sealed = seal(operation, bodyXml, extras);
  const auto opened = std::make_shared<bool>(false);
  Retries retries(retry_);
  while (true) {
    const auto repeatable = [&] { return extras.repeatable || !*opened; };
    std::chrono::milliseconds pause{};
    try {
      return attempt(operation, sealed, opened);
    } catch (const transport::DeliveryFault &fault) {
      pause = retries.afterLoss(fault.mayPass() && repeatable());
    } catch (const BusyReply &busy) {
      pause = retries.whileFull(busy.after(), repeatable());
    } catch (const Fault &fault) {
      const auto maybeAtWork = fault.code() == FaultCode::TokenReplayed || fault.code() == FaultCode::Busy;
      pause = retries.whileAtWork(maybeAtWork, repeatable());
    }
    retry_.pause(pause);
    if (operation.kind == Kind::Reads) {
      sealed = seal(operation, bodyXml,
                    extras); // nothing is changed, so a new call is as good and needs no memory of the old one
    }
  }
}

std::string RemoteInstance::fetch(const std::string &path, std::uint64_t limit) {
  transport::ClientRequest request;
  request.url = address_.url + path;
  request.headers = {{"User-Agent", std::string("waybill/") + versionText}};
  request.peer = address_.tls;
  auto response = client_.perform(request);
  if (response.status != 200) {
    throw Fault(FaultCode::DeliveryFailed,
                "GET " + printable(request.url, 300) + ": HTTP status " + std::to_string(response.status) +
                    "; check that this is the URL of an instance",
                request.url);
  }
  return readAll(*response.body, limit, request.url);
}

} // namespace waybill::services
