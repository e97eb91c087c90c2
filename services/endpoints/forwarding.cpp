// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/forwarding.hpp"

#include "domain/text.hpp"
#include "services/job_runner.hpp"
#include "soap/codec.hpp"
#include "storage/digests.hpp"
#include "transport/url.hpp"

namespace waybill::services {

namespace {

constexpr std::size_t idDigits = 32;

/// What was stored, to be sent on as it is.
CopyOrder orderOf(const ReceiveResponse &receipt) {
  CopyOrder order;
  for (const auto &data : receipt.data) {
    const auto id = data.id.value_or("");
    order.items.push_back({id.substr(id.size() - std::min(idDigits, id.size())), data.path.value_or("")});
    order.bytes += data.size.value_or(0);
  }
  return order;
}

} // namespace

Forwarding::Forwarding(const Toolbox &tools, const Call &call, soap::Version version,
                       const soap::Addressing &addressing, std::optional<Onward> onward)
    : tools_(tools), call_(call), version_(version), addressing_(addressing), onward_(std::move(onward)) {}

void Forwarding::checkClaim(const Operation &operation) const {
  if (call_.claims.replyTo && !operation.reply.empty() && addressing_.replyEndpoint().isAnonymous()) {
    throw Fault(FaultCode::AddressNotAllowed,
                "the token's ReplyTo says where the reply to " + operation.element +
                    " goes, and the message has it sent back on its connection; give that address as wsa:ReplyTo, or "
                    "make a token without ReplyTo",
                "wsa:ReplyTo");
  }
}

void Forwarding::check(const Operation &operation, const std::string &asked) {
  const auto allowed = [&](const char *what, const EndpointReference &endpoint) {
    if (!isElsewhere(endpoint)) {
      return;
    }
    if (call_.claims.replyTo && *call_.claims.replyTo != endpoint.address) {
      throw Fault(FaultCode::AddressNotAllowed,
                  std::string(what) +
                      " is not the address that the token's ReplyTo allows; send the reply there, or make "
                      "a token for this address",
                  transport::printableUrl(endpoint.address));
    }
    (void)tools_.egress.check(endpoint.address);
  };
  allowed("wsa:ReplyTo", addressing_.replyEndpoint());
  allowed("wsa:FaultTo", addressing_.faultEndpoint());
  if (onward_ && onward_->to.isAnonymous()) {
    throw Fault(FaultCode::OnlyNonAnonymousAddressSupported,
                "wb:Onward sends something elsewhere; give it an address, or leave it out", "wb:Onward");
  }
  if (onward_ && onward_->to.isNone()) {
    onward_.reset();
  }
  if (onward_) {
    allowed("wb:Onward", onward_->to);
    if (operation.job) {
      throw Fault(FaultCode::BadParameter,
                  operation.element +
                      " sends its response to wsa:ReplyTo; put wb:Onward among the reference parameters of "
                      "that, for the receiver of the response",
                  "wb:Onward");
    }
    if (onward_->send == Onward::Send::Data && !operation.storesData && !operation.order) {
      throw Fault(FaultCode::BadParameter,
                  operation.element + " has no data to send on; ask for the receipt in wb:Onward, or leave it out",
                  "wb:Onward");
    }
  }
  if (!ofAny()) {
    return;
  }
  storage::Digester digester;
  digester.update(asBytes(operation.element + "\n" + addressing_.replyEndpoint().address + "\n" + asked));
  request_ = digester.sha256Hex();
  const auto before = earlier();
  if (before && ofReply()) {
    requireSame(*before);
  }
  if (!before) {
    requireRoom(operation);
  }
  checked_ = true;
}

std::optional<storage::TransferRow> Forwarding::earlier() const {
  return addressing_.messageId ? tools_.catalog.transfer(owner(), *addressing_.messageId) : std::nullopt;
}

/// What comes again is answered by a 202, for which it has to be the same.
void Forwarding::requireSame(const storage::TransferRow &before) const {
  if (before.request ? *before.request != request_ : before.operation != call_.operation) {
    throw Fault(FaultCode::DuplicateMessageId,
                "a message of this MessageID from this caller (" + before.operation + ", to " +
                    transport::printableUrl(before.destination) +
                    ") asked for something else; nothing was done for this one; give each message its own",
                printable(*addressing_.messageId, 300));
  }
}

/// Before anything is done, and to be told on the connection: a fault that goes elsewhere would wait as well.
void Forwarding::requireRoom(const Operation &operation) const {
  const auto waiting = tools_.catalog.waitingTransfers(call_.principal.instance);
  const auto &policy = tools_.config.transfers;
  // What is on its way already has as much again: two instances that are full of messages to pass on to each other
  // would else wait for each other.
  const std::uint64_t times = operation.element == operation.permit ? 1 : 2;
  const auto many = waiting.count >= times * policy.waiting;
  if (many || waiting.bytes >= times * policy.waitingBytes) {
    throw Fault(FaultCode::Busy,
                "the caller's key has " + std::to_string(many ? waiting.count : waiting.bytes) +
                    (many ? " messages" : " bytes of messages") +
                    " waiting here to be delivered elsewhere, as many as one may have (transfers.waiting" +
                    (many ? "" : "_bytes") +
                    "); nothing was done for this one; let some arrive, or cancel some (waybill transfers)",
                call_.principal.instance);
  }
}

bool Forwarding::isKnown() const { return earlier().has_value(); }

TransferWork Forwarding::workFor(const EndpointReference &to) const {
  TransferWork work;
  work.version = version_;
  work.to = to;
  work.messageId = "urn:uuid:" + randomUuid(tools_.random);
  work.relatesTo = addressing_.messageId;
  work.transfer = addressing_.transfer.value_or(addressing_.messageId.value_or(work.messageId));
  work.baseUrl = call_.baseUrl;
  if (const auto faults = addressing_.faultEndpoint(); addressing_.faultTo && isElsewhere(faults)) {
    work.faultTo = faults;
  }
  return work;
}

void Forwarding::fill(TransferWork &work, const Operation &operation, const Answer &answer) {
  work.action = soap::actionPrefix + (operation.reply.empty() ? operation.element : operation.reply);
  work.content = answer.content;
  if (answer.job) {
    work.job = answer.job->id;
    work.run = answer.job->order;
  } else if (!answer.content) {
    work.envelope = envelopeOf(work, answer.bodyXml);
  }
}

TransferWork Forwarding::onwardWork(const Operation &operation, const Answer &answer) const {
  if (operation.element == faultElement) {
    return faultWork(call_.fault.value(), onward_->to, version_, addressing_.messageId,
                     addressing_.transfer.value_or(""), tools_.random);
  }
  auto work = workFor(onward_->to);
  if (onward_->send == Onward::Send::Data && operation.storesData) {
    // Where nothing was stored there is no data to send, and the receipt says so.
    if (auto order = orderOf(soap::decode<ReceiveResponse>(answer.bodyXml)); !order.items.empty()) {
      work.action = soap::actionPrefix + std::string("CopyResponse");
      work.content = std::move(order);
      return work;
    }
  }
  fill(work, operation, answer);
  return work;
}

void Forwarding::insert(storage::Transaction &transaction, const Operation &operation, const Answer &answer) const {
  if (ofReply() && !operation.reply.empty()) {
    auto work = workFor(addressing_.replyEndpoint());
    fill(work, operation, answer);
    auto row = tools_.transfers.rowFor(work, owner(), operation.element, addressing_.messageId.value());
    row.request = request_;
    if (!transaction.insertTransfer(row)) {
      throw Fault(FaultCode::DuplicateMessageId,
                  "another message of this MessageID from this caller is being answered; nothing was done for this one",
                  "wsa:MessageID");
    }
  }
  if (onward_) {
    const auto work = onwardWork(operation, answer);
    auto row = tools_.transfers.rowFor(work, owner(), operation.element, work.transfer);
    row.request = request_;
    if (!transaction.insertTransfer(row)) {
      // Where a chain passes twice, its later part goes by the name of its own message.
      row.messageId = work.messageId;
      if (!transaction.insertTransfer(row)) {
        throw Fault(FaultCode::Internal, "two messages of this instance have one MessageID", row.messageId);
      }
    }
  }
}

void Forwarding::insertFault(storage::Transaction &transaction, const Fault &fault) const {
  const auto work = faultWork(fault, addressing_.faultEndpoint(), version_, addressing_.messageId,
                              addressing_.transfer.value_or(addressing_.messageId.value_or("")), tools_.random);
  if (!transaction.insertTransfer(tools_.transfers.rowFor(work, owner(), faultElement, work.messageId))) {
    throw Fault(FaultCode::Internal, "two messages of this instance have one MessageID", work.messageId);
  }
  if (ofReply() && addressing_.messageId) {
    auto failed = tools_.transfers.rowFor(work, owner(), call_.operation, *addressing_.messageId);
    failed.request = request_;
    failed.state = TransferState::Failed;
    failed.lastError = fault.what();
    failed.ended = failed.started;
    failed.work.clear();
    failed.destination = addressing_.replyEndpoint().address;
    if (call_.algorithm) {
      failed.phase = JobPhase::Run;
      failed.job = print(JobNote{*call_.algorithm, std::nullopt, {}});
    }
    // One of that name that is there already is the one to be found.
    (void)transaction.insertTransfer(failed);
  }
}

} // namespace waybill::services
