// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/endpoint_reference.hpp"
#include "domain/messages.hpp"
#include "domain/random.hpp"
#include "domain/token_claims.hpp"
#include "security/certificate.hpp"
#include "security/instance_key.hpp"
#include "soap/codec.hpp"
#include "soap/envelope.hpp"
#include "soap/incoming_message.hpp"
#include "soap/outgoing_message.hpp"
#include "transport/client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waybill::services {

/// Where an instance is, and how it proves who it is: its key for tokens, and for TLS that same key or another.
struct RemoteAddress {
  std::string url; ///< https://host:port, without a slash at the end
  security::Certificate certificate;
  transport::PeerIdentity tls;
};

/// How often a call is tried whose connection failed, and how long to wait in between (doubled each time).
struct RetryPolicy {
  int attempts = 5;
  std::chrono::milliseconds firstPause{250};
  std::chrono::milliseconds longestPause{5000};
  /// How long a peer is asked again that may still be at work on an attempt whose connection was lost: longer than an
  /// instance takes to notice that its client is gone (30 seconds unless configured).
  std::chrono::milliseconds whileAtWork{45'000};
  std::function<void(std::chrono::milliseconds)> pause; ///< sleeps; for tests another. Empty: sleeps
};

/// What goes with a request besides its message.
struct CallExtras {
  std::vector<soap::OutgoingPart>
      parts;              ///< bytes that Data.content ("cid:...") refers to; `open` is called anew for each attempt
  bool repeatable = true; ///< false: the parts can be opened once only (a pipe), so nothing is tried again after that
  std::vector<std::string> resources; ///< of the token; none: no limit
  std::optional<std::string> subject; ///< of the token
  std::chrono::seconds lifetime{600}; ///< of the token
};

/// How an operation is called: kept beside its request type.
struct RemoteOperation {
  enum class Kind : std::uint8_t { OpenToAll, Reads, Changes };
  const char *name;
  const char *service;
  Kind kind;
};
template <class Request> struct OperationOf;

/// The envelope of a reply that was read, with its attachments still to be pulled.
class PendingReply {
public:
  PendingReply(transport::ClientResponse response, soap::IncomingMessage message, std::string bodyXml);
  [[nodiscard]] const std::string &bodyXml() const noexcept { return bodyXml_; }
  /// The parts of the reply, found by Data.content.
  [[nodiscard]] soap::Attachments &attachments() noexcept { return *message_.attachments; }

  /// Keeps `sent` for as long as the reply is read.
  void keep(std::shared_ptr<const void> sent) noexcept { sent_ = std::move(sent); }

private:
  std::shared_ptr<const void> sent_;
  transport::ClientResponse response_; // before what reads from it
  soap::IncomingMessage message_;
  std::string bodyXml_;
};

/// A reply as a domain value. Must not outlive the transport::Client.
template <class Response> struct RemoteReply {
  Response message;
  PendingReply rest;
};

/// Another instance, spoken to over SOAP 1.2 as its WSDL says: each call on a token of its own. One call at a time;
/// used by one thread.
class RemoteInstance {
public:
  /// All references must outlive this. `own` signs the tokens. `spool` is for replies whose parts come in an odd order.
  RemoteInstance(RemoteAddress address, const security::InstanceKey &own, const soap::Schema &schema,
                 transport::Client &client, Random &random, const Clock &clock, soap::Spool spool,
                 RetryPolicy retry = {});

  /// Does the operation that `request` belongs to. Throws the peer's Fault, DeliveryFault when none of the attempts
  /// brought a reply, and InvalidMessage when the reply is not what the contract says.
  ///
  /// A connection that fails before the reply is there is tried again. What changes something goes under the same
  /// MessageID and token then, so that the peer does it once and gives its first receipt again; while it is still at
  /// work on the first attempt (Busy, TokenReplayed), it is asked again. What is thrown in the end is the first
  /// failure.
  template <class Request> [[nodiscard]] auto call(const Request &request, const CallExtras &extras = {}) {
    using Response = typename OperationOf<Request>::Response;
    auto reply = exchange(OperationOf<Request>::operation, soap::encode(request), extras);
    auto message = soap::decode<Response>(reply.bodyXml());
    return RemoteReply<Response>{std::move(message), std::move(reply)};
  }

  /// Asks for the operation that `request` belongs to, its reply to go to `replyTo` (WS-Addressing 1.0 Core, section
  /// 3.4), which the token allows as the only address. Returns as soon as the instance has promised that (HTTP 202):
  /// the MessageID, by which GetTransfer knows what becomes of it. Throws and tries again as call() does, and always
  /// under one MessageID and token, so that what was promised in an attempt that was cut off begins once. What the
  /// receiver needs, such as a token (token()), is among the reference parameters.
  template <class Request>
  [[nodiscard]] std::string callElsewhere(const Request &request, const EndpointReference &replyTo,
                                          const CallExtras &extras = {}) {
    return exchangeElsewhere(OperationOf<Request>::operation, soap::encode(request), replyTo, extras);
  }

  /// A token of the caller's (base64) that this instance can open: for somebody who is to call it on the caller's
  /// behalf, once. `resources` (none: no limit) and `lifetime` as in CallExtras.
  [[nodiscard]] std::string token(const std::string &operation, const std::vector<std::string> &resources,
                                  std::chrono::seconds lifetime) const;
  /// The endpoint of its service "data", where replies for it go, with these reference parameters.
  [[nodiscard]] EndpointReference dataEndpoint(std::vector<std::string> referenceParameters) const;

  /// The bytes at a plain path of it ("/instance"), without a token; at most `limit`.
  [[nodiscard]] std::string fetch(const std::string &path, std::uint64_t limit);

  [[nodiscard]] const RemoteAddress &address() const noexcept { return address_; }

private:
  struct Sealed;
  struct Sent;
  struct Answer;
  [[nodiscard]] PendingReply exchange(const RemoteOperation &operation, const std::string &bodyXml,
                                      const CallExtras &extras);
  [[nodiscard]] std::string exchangeElsewhere(const RemoteOperation &operation, const std::string &bodyXml,
                                              const EndpointReference &replyTo, const CallExtras &extras);
  [[nodiscard]] Sealed seal(const RemoteOperation &operation, const std::string &bodyXml, const CallExtras &extras,
                            const std::optional<EndpointReference> &replyTo = {}) const;
  [[nodiscard]] std::string sealed(TokenClaims claims, std::chrono::seconds lifetime) const;
  template <class Once, class Again>
  [[nodiscard]] auto repeated(bool repeatable, const bool &opened, const Once &once, const Again &again);
  [[nodiscard]] Answer attempt(const RemoteOperation &operation, const Sealed &sealed,
                               const std::shared_ptr<bool> &opened);
  void requireAccepted(Answer answer, const RemoteOperation &operation) const;
  [[nodiscard]] PendingReply read(Answer answer, const RemoteOperation &operation, const Sealed &sealed);

  RemoteAddress address_;
  const security::InstanceKey &own_;
  const soap::Schema &schema_;
  transport::Client &client_;
  Random &random_;
  const Clock &clock_;
  soap::Spool spool_;
  RetryPolicy retry_;
};

// The operations of wsdl/data.wsdl, wsdl/algorithms.wsdl and wsdl/access.wsdl.
#define WAYBILL_OPERATION(element, service, kind)                                                                      \
  template <> struct OperationOf<element##Request> {                                                                   \
    using Response = element##Response;                                                                                \
    static constexpr RemoteOperation operation{#element, service, RemoteOperation::Kind::kind};                        \
  }
WAYBILL_OPERATION(Copy, "data", Reads);
WAYBILL_OPERATION(Receive, "data", Changes);
WAYBILL_OPERATION(Delete, "data", Changes);
WAYBILL_OPERATION(List, "data", Reads);
WAYBILL_OPERATION(Describe, "data", Reads);
WAYBILL_OPERATION(GetTransfer, "data", Reads);
WAYBILL_OPERATION(ListTransfers, "data", Reads);
WAYBILL_OPERATION(CancelTransfer, "data", Changes);
WAYBILL_OPERATION(ListAlgorithms, "algorithms", Reads);
WAYBILL_OPERATION(DescribeAlgorithm, "algorithms", Reads);
WAYBILL_OPERATION(Invoke, "algorithms", Changes);
WAYBILL_OPERATION(GetJob, "algorithms", Reads);
WAYBILL_OPERATION(ListJobs, "algorithms", Reads);
WAYBILL_OPERATION(CancelJob, "algorithms", Changes);
WAYBILL_OPERATION(GetInstance, "access", OpenToAll);
WAYBILL_OPERATION(TrustKey, "access", Changes);
WAYBILL_OPERATION(ListKeys, "access", Reads);
WAYBILL_OPERATION(RevokeKey, "access", Changes);
WAYBILL_OPERATION(Grant, "access", Changes);
WAYBILL_OPERATION(Revoke, "access", Changes);
WAYBILL_OPERATION(ListGrants, "access", Reads);
#undef WAYBILL_OPERATION

} // namespace waybill::services
