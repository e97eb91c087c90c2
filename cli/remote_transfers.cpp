// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/remote_transfers.hpp"

#include "domain/messages.hpp"

#include <string_view>

namespace waybill::cli {

namespace {

constexpr std::string_view uuid = "urn:uuid:";

} // namespace

void listTransfers(services::RemoteInstance &remote, std::optional<TransferState> state,
                   const std::function<void(const Transfer &)> &each) {
  ListTransfersRequest request;
  request.state = state;
  do {
    const auto page = remote.call(request).message;
    for (const auto &transfer : page.transfers) {
      each(transfer);
    }
    if (page.nextPageToken && page.nextPageToken == request.pageToken) {
      throw Fault(FaultCode::InvalidMessage, "the instance gives the same page of its transfers again and again");
    }
    request.pageToken = page.nextPageToken;
  } while (request.pageToken);
}

void listUnderWay(services::RemoteInstance &remote, const std::function<void(const Transfer &)> &each) {
  listTransfers(remote, TransferState::Active, each);
  listTransfers(remote, TransferState::Queued, each);
}

Transfer transferOf(services::RemoteInstance &remote, const std::string &messageId) {
  return remote.call(GetTransferRequest{messageId}).message.transfer;
}

std::optional<Fault> lastFault(const Transfer &transfer) {
  if (!transfer.lastError) {
    return std::nullopt;
  }
  // "Code: reason (subject)": Fault::what().
  const auto &text = *transfer.lastError;
  const auto colon = text.find(": ");
  const auto code = faultCodeNamed(text.substr(0, colon));
  if (colon == std::string::npos || name(code) != text.substr(0, colon)) {
    return Fault(FaultCode::Internal, text);
  }
  return Fault(code, text.substr(colon + 2));
}

std::string shortId(const std::string &messageId) {
  return messageId.starts_with(uuid) ? messageId.substr(uuid.size()) : messageId;
}

std::string fullId(const std::string &shortId) {
  return shortId.find(':') == std::string::npos ? std::string(uuid) + shortId : shortId;
}

} // namespace waybill::cli
