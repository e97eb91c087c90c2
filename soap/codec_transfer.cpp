// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec_wire.hpp"

namespace waybill::soap {

namespace wire {

TransferState fromWire(wb__TransferState state) {
  switch (state) {
  case wb__TransferState::Queued: return TransferState::Queued;
  case wb__TransferState::Active: return TransferState::Active;
  case wb__TransferState::Succeeded: return TransferState::Succeeded;
  case wb__TransferState::Failed: return TransferState::Failed;
  case wb__TransferState::Cancelled: return TransferState::Cancelled;
  }
  throw Fault(FaultCode::InvalidMessage, "State is none of Queued, Active, Succeeded, Failed, Cancelled", "wb:State");
}

wb__TransferState toWire(TransferState state) {
  switch (state) {
  case TransferState::Queued: return wb__TransferState::Queued;
  case TransferState::Active: return wb__TransferState::Active;
  case TransferState::Succeeded: return wb__TransferState::Succeeded;
  case TransferState::Failed: return wb__TransferState::Failed;
  case TransferState::Cancelled: return wb__TransferState::Cancelled;
  }
  throw Fault(FaultCode::Internal, "State has a value without a name");
}

namespace {

Transfer fromWire(wb__Transfer &wire) {
  Transfer transfer;
  transfer.messageId = trimmed(wire.MessageId);
  transfer.state = wire::fromWire(wire.State);
  transfer.bytesDone = wire.BytesDone;
  transfer.bytesTotal = wire.BytesTotal;
  transfer.attempts = wire.Attempts;
  transfer.lastError = text(wire.LastError);
  transfer.started = time(std::string_view(wire.Started), "Started");
  transfer.ended = time(wire.Ended, "Ended");
  transfer.sources = std::move(wire.Source);
  transfer.destination = trimmed(wire.Destination);
  transfer.receipt = allFromWire(wire.Receipt);
  transfer.operation = std::move(wire.Operation);
  transfer.owner = std::move(wire.Owner);
  transfer.priority = number(wire.Priority);
  return transfer;
}

wb__Transfer *toWire(const Transfer &transfer, Arena &arena) {
  auto *wire = arena.make<wb__Transfer>();
  wire->MessageId = Arena::checked(transfer.messageId, "MessageId");
  wire->State = wire::toWire(transfer.state);
  wire->BytesDone = transfer.bytesDone;
  wire->BytesTotal = transfer.bytesTotal;
  wire->Attempts = transfer.attempts;
  wire->LastError = Arena::text(transfer.lastError, "LastError");
  wire->Started = formatUtc(transfer.started);
  wire->Ended = arena.time(transfer.ended);
  for (const auto &source : transfer.sources) {
    wire->Source.push_back(Arena::checked(source, "Source"));
  }
  wire->Destination = Arena::checked(transfer.destination, "Destination");
  allToWire(wire->Receipt, transfer.receipt, arena);
  wire->Operation = Arena::checked(transfer.operation, "Operation");
  wire->Owner = Arena::checked(transfer.owner, "Owner");
  wire->Priority = arena.makeOptional<int>(transfer.priority);
  return wire;
}

/// A message that is nothing but the MessageID of a transfer.
template <class T, class Wire> struct MessageIdAlone {
  using Element = Wire;
  static T decode(Element &element) { return {std::string(trimmed(element.MessageId))}; }
  static void encode(Element &element, const T &message, Arena &) {
    element.MessageId = Arena::checked(message.messageId, "MessageId");
  }
};

/// A message that is nothing but a transfer.
template <class T, class Wire> struct TransferAlone {
  using Element = Wire;
  static T decode(Element &element) {
    if (element.Transfer == nullptr) {
      throw Fault(FaultCode::InvalidMessage, "the message has no Transfer", "wb:Transfer");
    }
    return {fromWire(*element.Transfer)};
  }
  static void encode(Element &element, const T &message, Arena &arena) {
    element.Transfer = toWire(message.transfer, arena);
  }
};

} // namespace

template <> struct Message<GetTransferRequest> : MessageIdAlone<GetTransferRequest, _wb__GetTransfer> {
  static constexpr const char *name = "wb:GetTransfer";
};
template <> struct Message<GetTransferResponse> : TransferAlone<GetTransferResponse, _wb__GetTransferResponse> {
  static constexpr const char *name = "wb:GetTransferResponse";
};
template <> struct Message<CancelTransferRequest> : MessageIdAlone<CancelTransferRequest, _wb__CancelTransfer> {
  static constexpr const char *name = "wb:CancelTransfer";
};
template <>
struct Message<CancelTransferResponse> : TransferAlone<CancelTransferResponse, _wb__CancelTransferResponse> {
  static constexpr const char *name = "wb:CancelTransferResponse";
};

template <> struct Message<ListTransfersRequest> {
  using Element = _wb__ListTransfers;
  static constexpr const char *name = "wb:ListTransfers";
  static ListTransfersRequest decode(Element &element) {
    ListTransfersRequest message;
    message.state = element.State != nullptr ? std::optional(wire::fromWire(*element.State)) : std::nullopt;
    message.limit = element.Limit != nullptr ? *element.Limit : message.limit;
    message.pageToken = trimmedText(element.PageToken);
    return message;
  }
  static void encode(Element &element, const ListTransfersRequest &message, Arena &arena) {
    element.State = message.state ? arena.make(wire::toWire(*message.state)) : nullptr;
    element.Limit = arena.make<unsigned int>(message.limit);
    element.PageToken = Arena::text(message.pageToken, "PageToken");
  }
};

template <> struct Message<ListTransfersResponse> {
  using Element = _wb__ListTransfersResponse;
  static constexpr const char *name = "wb:ListTransfersResponse";
  static ListTransfersResponse decode(Element &element) {
    ListTransfersResponse message;
    message.transfers.reserve(element.Transfer.size());
    for (auto *transfer : element.Transfer) {
      message.transfers.push_back(fromWire(*transfer));
    }
    message.nextPageToken = trimmedText(element.NextPageToken);
    return message;
  }
  static void encode(Element &element, const ListTransfersResponse &message, Arena &arena) {
    element.Transfer.reserve(message.transfers.size());
    for (const auto &transfer : message.transfers) {
      element.Transfer.push_back(toWire(transfer, arena));
    }
    element.NextPageToken = Arena::text(message.nextPageToken, "NextPageToken");
  }
};

} // namespace wire

WAYBILL_CODEC(GetTransferRequest);
WAYBILL_CODEC(GetTransferResponse);
WAYBILL_CODEC(CancelTransferRequest);
WAYBILL_CODEC(CancelTransferResponse);
WAYBILL_CODEC(ListTransfersRequest);
WAYBILL_CODEC(ListTransfersResponse);

} // namespace waybill::soap
