// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"
#include "services/call.hpp"
#include "services/transfers.hpp"

namespace waybill::services {

/// What the operations on transfers and jobs mean. A caller sees its own; who may administer sees all. Thread-safe.
class TransferService {
public:
  /// All must outlive this.
  TransferService(storage::Catalog &catalog, const security::Trust &trust, Transfers &transfers, const Clock &clock,
                  Random &random);

  /// Throws Fault NoSuchTransfer.
  [[nodiscard]] GetTransferResponse get(Call &call, const GetTransferRequest &request) const;
  /// Newest first, in pages.
  [[nodiscard]] ListTransfersResponse list(Call &call, const ListTransfersRequest &request) const;
  /// Throws Fault NoSuchTransfer, and BadParameter for one that has ended. Spends the token with it.
  CancelTransferResponse cancel(Call &call, const CancelTransferRequest &request);
  // The same for jobs.
  [[nodiscard]] GetJobResponse getJob(Call &call, const GetJobRequest &request) const;
  [[nodiscard]] ListJobsResponse listJobs(Call &call, const ListJobsRequest &request) const;
  CancelJobResponse cancelJob(Call &call, const CancelJobRequest &request);
  /// A receipt that somebody sent on to here: kept as a transfer that has succeeded. `bodyXml` is the ReceiveResponse.
  void noteReceipt(Call &call, const ReceiveResponse &receipt, const std::string &bodyXml);
  /// The same for a fault.
  void noteFault(Call &call, const Fault &fault);

private:
  [[nodiscard]] bool mayAdminister(const Call &call) const;
  [[nodiscard]] storage::TransferRow find(const Call &call, storage::TransferKind kind,
                                          const std::string &messageId) const;
  /// The rows of one page; fewer than asked for at the end.
  template <class Request>
  [[nodiscard]] std::vector<storage::TransferRow> page(const Call &call, storage::TransferKind kind,
                                                       const Request &request,
                                                       std::optional<std::string> &nextPageToken) const;
  /// Cancels with the commit that spends the token; `respond` gives the response from the row as it is then.
  template <class Respond> auto cancelRow(Call &call, const storage::TransferRow &row, const Respond &respond);
  [[nodiscard]] storage::TransferRow noted(const Call &call) const;
  void keep(Call &call, storage::TransferRow row);

  storage::Catalog &catalog_;
  const security::Trust &trust_;
  Transfers &transfers_;
  const Clock &clock_;
  Random &random_;
};

} // namespace waybill::services
