// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/remote_transfers.hpp"

#include "cli/pages.hpp"
#include "domain/messages.hpp"

#include <algorithm>

namespace waybill::cli {

void listTransfers(services::RemoteInstance &remote, std::optional<TransferState> state,
                   const std::function<void(const Transfer &)> &each) {
  ListTransfersRequest request;
  request.state = state;
  eachPage(remote, request, {}, [&](const ListTransfersResponse &page) {
    std::for_each(page.transfers.begin(), page.transfers.end(), each);
  });
}

void listUnderWay(services::RemoteInstance &remote, const std::function<void(const Transfer &)> &each) {
  listTransfers(remote, TransferState::Active, each);
  listTransfers(remote, TransferState::Queued, each);
}

Transfer transferOf(services::RemoteInstance &remote, const std::string &messageId) {
  return remote.call(GetTransferRequest{messageId}).message.transfer;
}

} // namespace waybill::cli
