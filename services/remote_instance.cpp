// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/remote_instance.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "security/token.hpp"
#include "services/soap_reply.hpp"
#include "services/version.hpp"
#include "soap/fault.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <thread>

namespace waybill::services {

namespace {

using Kind = RemoteOperation::Kind;

std::string serviceUrl(const RemoteAddress &address, const char *service) {
  return address.url + "/services/" + service;
}

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

/// What came back, and what it answers.
struct RemoteInstance::Answer {
  transport::ClientResponse response;
  std::shared_ptr<Sent> sent;
};

std::string RemoteInstance::sealed(TokenClaims claims, std::chrono::seconds lifetime) const {
  claims.id = randomId(random_);
  claims.issuer = own_.id();
  claims.audience = address_.certificate.instanceId();
  claims.notBefore = std::chrono::floor<std::chrono::seconds>(clock_.now());
  claims.notAfter = claims.notBefore + lifetime;
  return security::sealToken(claims, own_, address_.certificate);
}

std::string RemoteInstance::token(const std::string &operation, const std::vector<std::string> &resources,
                                  std::chrono::seconds lifetime) const {
  TokenClaims claims;
  claims.operations = {operation};
  claims.resources = resources;
  return sealed(std::move(claims), lifetime);
}

EndpointReference RemoteInstance::dataEndpoint(std::vector<std::string> referenceParameters) const {
  return {serviceUrl(address_, "data"), std::move(referenceParameters)};
}

RemoteInstance::Sealed RemoteInstance::seal(const RemoteOperation &operation, const std::string &bodyXml,
                                            const CallExtras &extras,
                                            const std::optional<EndpointReference> &replyTo) const {
  Sealed result;
  result.messageId = "urn:uuid:" + randomUuid(random_);
  std::vector<std::string> headers;
  if (operation.kind != Kind::OpenToAll) {
    TokenClaims claims;
    claims.subject = extras.subject;
    claims.operations = {operation.name};
    claims.resources = extras.resources;
    claims.replyTo = replyTo ? std::optional(replyTo->address) : std::nullopt;
    headers.push_back(tokenHeader(sealed(std::move(claims), extras.lifetime)));
  }
  soap::Addressing addressing;
  addressing.used = true;
  addressing.messageId = result.messageId;
  addressing.action = std::string(soap::actionPrefix) + operation.name;
  addressing.to = serviceUrl(address_, operation.service);
  addressing.replyTo = replyTo;
  auto &message = result.message;
  message.version = soap::Version::Soap12;
  message.action = *addressing.action;
  message.envelope = soap::writeEnvelope(message.version, addressing, headers, bodyXml);
  message.parts = extras.parts;
  message.packaging = extras.parts.empty() ? soap::Packaging::Plain : soap::Packaging::Mtom;
  message.boundary = "waybill-" + randomId(random_);
  return result;
}

RemoteInstance::Answer RemoteInstance::attempt(const RemoteOperation &operation, const Sealed &sealed,
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
  request.url = serviceUrl(address_, operation.service);
  request.headers = {{"Content-Type", sent->message.contentType()},
                     {"User-Agent", std::string("waybill/") + versionText}};
  request.body = sent->body.get();
  request.peer = address_.tls;
  return {client_.perform(request), std::move(sent)};
}

PendingReply RemoteInstance::read(Answer answer, const RemoteOperation &operation, const Sealed &sealed) {
  const auto url = serviceUrl(address_, operation.service);
  auto [message, envelope] = openReply(answer.response, url, soap::Limits(), spool_);
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
  envelope.liftContent(*message.attachments);
  envelope.validate(schema_);
  auto bodyXml = envelope.bodyXml();
  PendingReply reply(std::move(answer.response), std::move(message), std::move(bodyXml));
  reply.keep(std::move(answer.sent));
  return reply;
}

/// Throws unless the instance has taken the message and will reply elsewhere.
void RemoteInstance::requireAccepted(Answer answer, const RemoteOperation &operation) const {
  static constexpr int accepted = 202;
  auto &response = answer.response;
  if (response.status == accepted && !isSoap(response.headers)) {
    static_cast<void>(quoted(response)); // so that the connection can be used again
    return;
  }
  const auto url = serviceUrl(address_, operation.service);
  const auto opened = openReply(response, url, soap::Limits(), spool_);
  throw Fault(FaultCode::InvalidMessage, printable(url, 300) + " was asked to reply to " + operation.name +
                                             " elsewhere, and replied on the connection with an element '" +
                                             printable(opened.envelope.bodyElement().local, 100) +
                                             "'; check that both sides run versions that fit");
}

/// Calls `once` until it brings something or there is to be no other attempt; `again` before each that follows.
template <class Once, class Again>
auto RemoteInstance::repeated(bool repeatable, const bool &opened, const Once &once, const Again &again) {
  Retries retries(retry_);
  while (true) {
    const auto mayRepeat = [&] { return repeatable || !opened; };
    std::chrono::milliseconds pause{};
    try {
      return once();
    } catch (const transport::DeliveryFault &fault) {
      pause = retries.afterLoss(fault.mayPass() && mayRepeat());
    } catch (const BusyReply &busy) {
      pause = retries.whileFull(busy.after(), mayRepeat());
    } catch (const Fault &fault) {
      const auto maybeAtWork = fault.code() == FaultCode::TokenReplayed || fault.code() == FaultCode::Busy;
      pause = retries.whileAtWork(maybeAtWork, mayRepeat());
    }
    retry_.pause(pause);
    again();
  }
}

PendingReply RemoteInstance::exchange(const RemoteOperation &operation, const std::string &bodyXml,
                                      const CallExtras &extras) {
  auto sealed = seal(operation, bodyXml, extras);
  const auto opened = std::make_shared<bool>(false);
  return repeated(
      extras.repeatable, *opened, [&] { return read(attempt(operation, sealed, opened), operation, sealed); },
      [&] {
        if (operation.kind == Kind::Reads) {
          // Nothing is changed, so a new call is as good and needs no memory of the old one.
          sealed = seal(operation, bodyXml, extras);
        }
      });
}

std::string RemoteInstance::exchangeElsewhere(const RemoteOperation &operation, const std::string &bodyXml,
                                              const EndpointReference &replyTo, const CallExtras &extras) {
  const auto sealed = seal(operation, bodyXml, extras, replyTo);
  const auto opened = std::make_shared<bool>(false);
  return repeated(
      extras.repeatable, *opened,
      [&] {
        requireAccepted(attempt(operation, sealed, opened), operation);
        return sealed.messageId;
      },
      [] {});
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
