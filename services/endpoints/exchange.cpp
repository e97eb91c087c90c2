// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/exchange.hpp"

#include "domain/text.hpp"
#include "services/endpoints/record.hpp"
#include "soap/fault.hpp"

#include <algorithm>
#include <variant>

namespace waybill::services {

namespace {

std::string unquoted(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

/// The path of an absolute URI, without query: "/services/data" of "https://h:1/services/data?x".
std::string_view pathOf(std::string_view uri) {
  const auto authority = uri.find("://");
  if (authority == std::string_view::npos) {
    return {};
  }
  const auto path = uri.find('/', authority + 3);
  return path == std::string_view::npos ? std::string_view("/")
                                        : uri.substr(path, uri.find_first_of("?#", path) - path);
}

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const auto &word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

transport::Headers replyHeaders(soap::Version version, const std::string &contentType, const std::string &action) {
  transport::Headers headers{{"Content-Type", contentType}};
  if (version == soap::Version::Soap11) {
    headers.add("SOAPAction", "\"" + action + "\"");
  }
  return headers;
}

/// Empty for a delivery: it is composed anew for each attempt, with a MessageID that the instance which sends it has
/// made.
std::string askedOf(const soap::Envelope &envelope, const Operation &operation) {
  return operation.element == operation.permit ? envelope.asked() : std::string();
}

} // namespace

Exchange::Exchange(const std::string &service, const std::vector<Operation> &operations, const Toolbox &tools,
                   transport::Request &request, transport::Response &response)
    : service_(service), operations_(operations), tools_(tools), request_(request), response_(response),
      began_(tools.clock.now()) {
  call_.operation = "unknown";
  const auto contentType = lowerCase(request.headers.get("Content-Type").value_or(""));
  if (contentType.find("application/soap+xml") != std::string::npos) {
    version_ = soap::Version::Soap12;
  }
}

void Exchange::run() {
  try {
    answer();
  } catch (const Fault &fault) {
    fail(fault);
  } catch (const std::exception &error) {
    fail(Fault(FaultCode::Internal,
               "this instance failed while it worked on the message; its log, under this message's id, says why", {},
               {}, LogText(error.what())));
  }
}

void Exchange::answer() {
  call_.baseUrl = baseUrl(tools_.config, request_);
  auto message = soap::IncomingMessage::read(request_.headers.get("Content-Type").value_or(""), *request_.body,
                                             tools_.config.limits, tools_.spool);
  call_.attachments = message.attachments.get();
  call_.packaging = message.packaging;
  call_.memory = std::move(message.memory);
  auto envelope = soap::Envelope::parse(message.root, tools_.config.limits, message.charset, &call_.memory);
  message.root = std::string();
  version_ = envelope.version();
  envelope.addressing(addressing_);
  envelope.requireUnderstood();
  const auto &operation = dispatch(envelope);
  if (!call_.fault) {
    checkActions(message, operation.element);
  }
  readHeaders(envelope);
  checkEndpoints(operation);
  envelope.liftContent(*call_.attachments);
  if (!call_.fault) {
    envelope.validate(tools_.schema);
  }
  const auto bodyXml = envelope.bodyXml();
  const auto receipt = authorise(envelope, operation);
  forwarding_->checkClaim(operation);
  if (receipt) {
    receiptGiven_ = true;
    if (forwarding_->ofReply() || operation.reply.empty()) {
      sayAccepted();
    } else {
      send(operation, Reply{receipt->bodyXml, {}, soap::Packaging::Plain});
    }
    finish({"Receipt", {}, {}, {}});
    return;
  }
  if (forwarding_->ofAny()) {
    forwarding_->check(operation, askedOf(envelope, operation));
  }
  if (forwarding_->ofAny()) { // an Onward to none is none
    forwardWithCommit(operation);
  }
  if (operation.reply.empty()) {
    answer_.bodyXml = bodyXml; // what is only taken note of is passed on as it came
  }
  if (forwarding_->ofReply()) {
    acceptElsewhere(operation, bodyXml);
  } else {
    if (forwarding_->ofAny() && operation.order) {
      answer_.content = operation.order(call_, bodyXml);
    }
    send(operation, operation.run(call_, bodyXml));
  }
  finish({"Success", {}, {}, {}});
}

void Exchange::readHeaders(const soap::Envelope &envelope) {
  call_.messageId = addressing_.messageId;
  call_.transfer = addressing_.transfer;
  call_.overwrite = envelope.overwrite();
  if (addressing_.replyEndpoint().isAnonymous()) {
    call_.callerHasGone = request_.callerHasGone;
  }
  forwarding_.emplace(tools_, call_, version_, addressing_, envelope.onward());
}

void Exchange::acceptElsewhere(const Operation &operation, const std::string &bodyXml) {
  if (forwarding_->isKnown()) {
    call_.alsoCommit = {};
  } else if (operation.job) {
    answer_.job = operation.job(call_, bodyXml);
  } else if (operation.order) {
    answer_.content = operation.order(call_, bodyXml);
  } else {
    answer_.bodyXml = operation.run(call_, bodyXml).bodyXml;
  }
  // A receipt, so that this message, should it come again, is known for what it is.
  try {
    spend(std::string());
  } catch (const Fault &fault) {
    if (answer_.job && fault.code() == FaultCode::Internal) {
      answer_.job->folder->keep(); // nobody knows whether the row is there: the next start does
    }
    throw;
  }
  if (answer_.job) {
    answer_.job->folder->keep();
  }
  sayAccepted();
}

void Exchange::forwardWithCommit(const Operation &operation) {
  call_.alsoCommit = [&](storage::Transaction &transaction, const std::optional<std::string> &receipt) {
    if (receipt && !receipt->empty()) {
      answer_.bodyXml = *receipt;
    }
    forwarding_->insert(transaction, operation, answer_);
  };
}

const Operation &Exchange::dispatch(const soap::Envelope &envelope) {
  const auto isFault = envelope.isFault();
  if (!isFault) { // whose actions are many
    checkOwnAction();
  }
  const auto element = isFault ? soap::QName{soap::waybillNamespace, faultElement} : envelope.bodyElement();
  const auto found = std::find_if(operations_.begin(), operations_.end(), [&](const Operation &operation) {
    return element.space == soap::waybillNamespace && element.local == operation.element;
  });
  if (found == operations_.end()) {
    throw Fault(FaultCode::InvalidMessage,
                "the service '" + service_ + "' has no operation for the body's element {" +
                    printable(element.space, 100) + "}" + printable(element.local, 100) + "; in namespace " +
                    soap::waybillNamespace + " it has " + operationNames(),
                printable(element.local, 100));
  }
  call_.operation = found->element;
  if (isFault) {
    call_.fault = soap::decodeFault(envelope);
  }
  return *found;
}

std::string Exchange::operationNames() const {
  std::string names;
  for (const auto &operation : operations_) {
    names += (names.empty() ? "" : ", ") + operation.element;
  }
  return names;
}

void Exchange::checkOwnAction() const {
  const auto &action = addressing_.action;
  if (action && std::none_of(operations_.begin(), operations_.end(), [&](const Operation &operation) {
        return *action == soap::actionPrefix + operation.element;
      })) {
    throw Fault(FaultCode::ActionNotSupported,
                "the service '" + service_ + "' has no action '" + printable(*action, 200) + "'; it has " +
                    soap::actionPrefix + " followed by one of " + operationNames(),
                printable(*action, 300));
  }
}

void Exchange::checkActions(const soap::IncomingMessage &message, const std::string &element) const {
  const auto expected = soap::actionPrefix + element;
  const auto refuse = [&](const char *where, const std::string &value) {
    throw Fault(addressing_.used ? FaultCode::ActionMismatch : FaultCode::InvalidMessage,
                std::string(where) + " says '" + printable(value, 200) + "', but the body's element '" + element +
                    "' belongs to '" + expected + "'; make them agree, or leave it out",
                addressing_.used ? "wsa:Action" : where);
  };
  const auto header = request_.headers.get("SOAPAction");
  for (const auto &[where, value] : {std::pair{"wsa:Action", addressing_.action},
                                     {"SOAPAction", header ? std::optional(unquoted(*header)) : std::nullopt},
                                     {"action parameter", message.action}}) {
    if (value && !value->empty() && *value != expected) {
      refuse(where, *value);
    }
  }
}

void Exchange::checkEndpoints(const Operation &operation) const {
  const auto isAnswered = !operation.reply.empty() && !addressing_.replyEndpoint().isNone();
  if (addressing_.used && !addressing_.messageId && isAnswered) {
    throw Fault(
        FaultCode::MessageAddressingHeaderRequired,
        "the message has WS-Addressing headers but no wsa:MessageID, which its reply has to name (WS-Addressing "
        "Core, section 3.4); add it, or leave all of them out",
        "wsa:MessageID");
  }
  if (addressing_.to && *addressing_.to != EndpointReference::anonymous && pathOf(*addressing_.to) != request_.path) {
    throw Fault(FaultCode::DestinationUnreachable,
                "wsa:To names another place than " + call_.baseUrl + request_.path + ", where the message came to",
                printable(*addressing_.to, 300));
  }
}

/// Opens the token and holds it; the earlier receipt when this very message was answered before.
std::optional<security::EarlierReceipt> Exchange::authorise(const soap::Envelope &envelope,
                                                            const Operation &operation) {
  // Nobody unknown makes an instance send anything anywhere.
  if (operation.openToAll && !forwarding_->ofAny()) {
    return std::nullopt;
  }
  const auto token = envelope.headerText({soap::waybillNamespace, "Token"});
  if (!token) {
    throw Fault(FaultCode::NoToken,
                operation.element +
                    " needs a token in the SOAP header wb:Token; make one with 'waybill token --audience " +
                    call_.baseUrl + " --operation " + operation.permit + "', or as docs/tokens.md shows");
  }
  const auto known = [&](const TokenClaims &claims) {
    request_.callerIsKnown();
    call_.claims = claims;
    call_.principal = {claims.issuer, claims.subject};
    return security::Request{format(call_.principal), operation.element, addressing_.messageId,
                             askedOf(envelope, operation)};
  };
  security::Request request;
  try {
    request = known(tools_.tokens.open(*token));
  } catch (const security::EndedToken &ended) {
    // What took longer than its token lives has a receipt all the same.
    if (auto receipt = tools_.ledger.receipt(ended.claims().id, known(ended.claims()))) {
      return receipt;
    }
    throw;
  }
  const auto &operations = call_.claims.operations;
  const auto named = [&](const std::string &name) {
    return std::find(operations.begin(), operations.end(), name) != operations.end();
  };
  if (!named(operation.element) && !named(operation.permit)) {
    throw Fault(FaultCode::NotAllowed,
                "the token is for " + printable(joined(operations), 200) + ", not for " + operation.permit +
                    "; make one for it",
                "wb:Token");
  }
  auto held = tools_.ledger.reserve(call_.claims, request);
  if (auto *receipt = std::get_if<security::EarlierReceipt>(&held)) {
    return std::move(*receipt);
  }
  call_.reservation.emplace(std::get<security::Reservation>(std::move(held)));
  authorised_ = true;
  return std::nullopt;
}

void Exchange::spend(const std::optional<std::string> &receipt) {
  if (call_.holdsToken()) {
    call_.commit(tools_.catalog, [&](storage::Transaction &) { return receipt; });
  }
}

soap::Addressing Exchange::replyAddressing() const {
  soap::Addressing reply;
  if (addressing_.used) {
    reply.used = true;
    reply.relatesTo = addressing_.messageId;
    reply.messageId = "urn:uuid:" + randomUuid(tools_.random);
    reply.to = EndpointReference::anonymous;
  }
  return reply;
}

/// The header blocks for a reply to `endpoint`; none for an endpoint elsewhere, which the reply does not go to.
std::vector<std::string> Exchange::echoedParameters(const EndpointReference &endpoint) {
  std::vector<std::string> headers;
  if (endpoint.isAnonymous()) {
    for (const auto &parameter : endpoint.referenceParameters) {
      headers.push_back(soap::asReferenceParameterHeader(parameter));
    }
  }
  return headers;
}

void Exchange::send(const Operation &operation, Reply reply) {
  if (answer_.bodyXml.empty()) {
    answer_.bodyXml = reply.bodyXml;
  }
  if (addressing_.replyEndpoint().isNone() || operation.reply.empty()) {
    spend();
    sayAccepted();
    return;
  }
  auto addressing = replyAddressing();
  addressing.action = addressing_.used ? std::optional(soap::actionPrefix + operation.reply) : std::nullopt;
  soap::OutgoingMessage message;
  message.version = version_;
  message.action = soap::actionPrefix + operation.reply;
  message.envelope =
      soap::writeEnvelope(version_, addressing, echoedParameters(addressing_.replyEndpoint()), reply.bodyXml);
  message.parts = std::move(reply.parts);
  message.packaging = reply.packaging;
  message.boundary = "waybill-" + randomId(tools_.random);
  // Content goes out while the token is only held, so that a download that breaks off can be tried again with it, that
  // download and no other; the last boundary, without which no client has the message, goes out once it is spent.
  if (message.parts.empty()) {
    spend();
    message.packaging = soap::Packaging::Plain;
  } else if (call_.holdsToken()) {
    call_.reservation->bind();
  }
  response_.begin(200, replyHeaders(version_, message.contentType(), message.action), message.contentLength());
  message.write(response_, [&] { spend(); });
  response_.end();
}

void Exchange::fail(const Fault &fault) {
  auto ending = isDone() ? Ending{receiptGiven_ ? "Receipt" : "Success", {}, fault.log().forLog(), fault.what()}
                         : Ending{std::string(name(fault.code())),
                                  fault.reason() + (fault.subject().empty() ? "" : " (" + fault.subject() + ")"),
                                  fault.log().forLog(),
                                  {}};
  call_.reservation.reset();
  // The message is gone; others need not wait until the fault has been sent.
  memoryTaken_ = call_.memory.taken();
  call_.memory.giveBack();
  if (response_.started()) {
    finish(ending);
    throw fault;
  }
  try {
    sendFault(fault);
  } catch (const std::exception &error) {
    if (ending.undelivered.empty()) {
      ending.undelivered = error.what();
    }
    finish(ending);
    throw fault;
  }
  finish(ending);
}

void Exchange::sendFault(const Fault &fault) {
  const auto silent = fault.code() == FaultCode::TokenReplayed && tools_.config.replay == ReplayAnswer::Silence;
  // SOAP 1.2 part 1, section 2.6: headers are understood before any is heeded, wsa:FaultTo among them.
  const auto unwanted = addressing_.faultEndpoint().isNone() && fault.code() != FaultCode::MustUnderstand;
  if (silent || unwanted) {
    sayAccepted();
  } else if (forwarding_ && forwarding_->ofFaults()) {
    tools_.catalog.commit(storage::Durability::Durable,
                          [&](storage::Transaction &transaction) { forwarding_->insertFault(transaction, fault); });
    sayAccepted();
  } else {
    const auto reply =
        soap::encodeFault(fault, version_, replyAddressing(), echoedParameters(addressing_.faultEndpoint()));
    const auto type = version_ == soap::Version::Soap12
                          ? "application/soap+xml; charset=utf-8; action=\"" + reply.action + "\""
                          : "text/xml; charset=utf-8";
    auto headers = replyHeaders(version_, type, reply.action);
    // As the server answers when it has no worker: nothing was looked at yet, and the message may come again as it is.
    const auto turnedAway = fault.code() == FaultCode::Busy && call_.principal.instance.empty();
    if (turnedAway) {
      headers.add("Retry-After", "1");
    }
    response_.send(turnedAway ? 503 : reply.httpStatus, headers, reply.envelope);
  }
}

/// One line for the log, one for the audit, counters. What goes elsewhere goes now, however the reply fared.
void Exchange::finish(const Ending &ending) noexcept {
  try {
    if (forwarding_ && forwarding_->ofAny()) {
      tools_.transfers.wake();
    }
    const auto took = tools_.clock.now() - began_;
    const auto known = !call_.principal.instance.empty();
    const auto principal = known ? format(call_.principal) : std::string();
    tools_.metrics.operation(call_.operation, ending.outcome, took, call_.bytesIn, call_.bytesOut);
    writeDown(tools_.log, tools_.audit,
              {began_, call_.operation, principal, call_.claims.id, addressing_.messageId.value_or(""), request_.remote,
               ending.outcome, ending.reason, ending.undelivered, call_.subjects, call_.bytesIn, call_.bytesOut, took},
              ending.cause);
  } catch (const std::exception &error) {
    tools_.log.error("not written down", {{"operation", call_.operation}, {"reason", error.what()}});
  }
}

} // namespace waybill::services
