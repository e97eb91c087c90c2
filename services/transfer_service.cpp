// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/transfer_service.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::services {

namespace {

std::string printPageToken(const storage::TransferRow &last) {
  return std::to_string(last.started.time_since_epoch().count()) + "-" + last.id;
}

storage::TransferPosition parsePageToken(const std::string &operation, const std::string &token) {
  const auto dash = token.find('-');
  const auto digits = std::string_view(token).substr(0, dash);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (dash == std::string::npos || error != std::errc() || end != digits.data() + digits.size()) {
    throw Fault(FaultCode::BadParameter,
                operation + " takes as PageToken only what an earlier one gave as NextPageToken; leave it out to start "
                            "anew",
                "PageToken");
  }
  return {Time(std::chrono::microseconds(count)), token.substr(dash + 1)};
}

} // namespace

TransferService::TransferService(storage::Catalog &catalog, const security::Trust &trust, Transfers &transfers,
                                 const Clock &clock, Random &random)
    : catalog_(catalog), trust_(trust), transfers_(transfers), clock_(clock), random_(random) {}

bool TransferService::mayAdminister(const Call &call) const {
  return !trust_.prefixes(call.principal, Right::Administer).empty();
}

storage::TransferRow TransferService::find(const Call &call, storage::TransferKind kind,
                                           const std::string &messageId) const {
  const auto wanted = [&](const storage::TransferRow &row) {
    return kind == storage::TransferKind::Transfer || row.job.has_value();
  };
  if (auto own = catalog_.transfer(format(call.principal), messageId); own && wanted(*own)) {
    return *std::move(own);
  }
  if (mayAdminister(call)) {
    static constexpr std::size_t atOnce = 1000;
    std::optional<storage::TransferPosition> before;
    while (true) {
      const auto rows = catalog_.transfers(kind, std::nullopt, std::nullopt, before, atOnce);
      const auto found =
          std::find_if(rows.begin(), rows.end(), [&](const auto &row) { return row.messageId == messageId; });
      if (found != rows.end()) {
        return catalog_.transferById(found->id).value_or(*found);
      }
      if (rows.size() < atOnce) {
        break;
      }
      before = storage::TransferPosition{rows.back().started, rows.back().id};
    }
  }
  const auto jobs = kind == storage::TransferKind::Job;
  throw Fault(FaultCode::NoSuchTransfer,
              call.operation + " found no " + (jobs ? "job" : "transfer") +
                  " of this caller that a message of this MessageID began; " + (jobs ? "ListJobs" : "ListTransfers") +
                  " shows what there is (those that ended long ago are forgotten)",
              printable(messageId, 300));
}

template <class Request>
std::vector<storage::TransferRow> TransferService::page(const Call &call, storage::TransferKind kind,
                                                        const Request &request,
                                                        std::optional<std::string> &nextPageToken) const {
  static constexpr std::uint32_t mostRows = 1000;
  if (request.limit == 0) {
    throw Fault(FaultCode::BadParameter,
                call.operation + " needs a Limit of at least 1 (at most " + std::to_string(mostRows) +
                    " are given at once)",
                "Limit");
  }
  const auto limit = std::min(request.limit, mostRows);
  const auto principal = mayAdminister(call) ? std::nullopt : std::optional(format(call.principal));
  const auto before = request.pageToken && !request.pageToken->empty()
                          ? std::optional(parsePageToken(call.operation, *request.pageToken))
                          : std::nullopt;
  auto rows = catalog_.transfers(kind, principal, request.state, before, limit);
  if (rows.size() == limit) {
    nextPageToken = printPageToken(rows.back());
  }
  return rows;
}

template <class Respond>
auto TransferService::cancelRow(Call &call, const storage::TransferRow &row, const Respond &respond) {
  const auto cancelled = transfers_.cancelled(row);
  auto response = respond(cancelled);
  call.commit(catalog_, [&](storage::Transaction &transaction) {
    if (!transaction.updateTransfer(cancelled, std::nullopt)) {
      throw Fault(FaultCode::BadParameter,
                  call.operation + " came too late: it has ended (waybill transfers, waybill jobs show)",
                  printable(row.messageId, 300));
    }
    return std::optional(soap::encode(response));
  });
  transfers_.interrupt(row);
  return response;
}

GetTransferResponse TransferService::get(Call &call, const GetTransferRequest &request) const {
  call.subjects.push_back(printable(request.messageId, 300));
  return {transfers_.describe(find(call, storage::TransferKind::Transfer, request.messageId))};
}

ListTransfersResponse TransferService::list(Call &call, const ListTransfersRequest &request) const {
  ListTransfersResponse response;
  for (const auto &row : page(call, storage::TransferKind::Transfer, request, response.nextPageToken)) {
    auto transfer = transfers_.describe(row);
    transfer.receipt.clear(); // as long as what was sent; GetTransfer has it
    response.transfers.push_back(std::move(transfer));
  }
  return response;
}

CancelTransferResponse TransferService::cancel(Call &call, const CancelTransferRequest &request) {
  call.subjects.push_back(printable(request.messageId, 300));
  return cancelRow(call, find(call, storage::TransferKind::Transfer, request.messageId),
                   [&](const storage::TransferRow &row) { return CancelTransferResponse{transfers_.describe(row)}; });
}

GetJobResponse TransferService::getJob(Call &call, const GetJobRequest &request) const {
  call.subjects.push_back(printable(request.job, 300));
  return {transfers_.describeJob(find(call, storage::TransferKind::Job, request.job))};
}

ListJobsResponse TransferService::listJobs(Call &call, const ListJobsRequest &request) const {
  ListJobsResponse response;
  for (const auto &row : page(call, storage::TransferKind::Job, request, response.nextPageToken)) {
    auto job = transfers_.describeJob(row);
    job.receipt.clear(); // GetJob has these
    job.log.clear();
    response.jobs.push_back(std::move(job));
  }
  return response;
}

CancelJobResponse TransferService::cancelJob(Call &call, const CancelJobRequest &request) {
  call.subjects.push_back(printable(request.job, 300));
  return cancelRow(call, find(call, storage::TransferKind::Job, request.job),
                   [&](const storage::TransferRow &row) { return CancelJobResponse{transfers_.describeJob(row)}; });
}

/// A row for what came from elsewhere: over already, and never to be sent.
storage::TransferRow TransferService::noted(const Call &call) const {
  storage::TransferRow row;
  row.id = randomId(random_);
  row.principal = format(call.principal);
  row.operation = call.operation;
  row.started = clock_.now();
  row.ended = row.started;
  row.nextAttempt = row.started;
  row.deadline = row.started;
  row.priority = receiptPriority;
  row.destination = call.baseUrl;
  return row;
}

/// Under the MessageID of the call that began it all, by which its caller looks for it; under the message's own when
/// that one is taken, as it is where the chain began.
void TransferService::keep(Call &call, storage::TransferRow row) {
  call.commit(catalog_, [&](storage::Transaction &transaction) {
    row.messageId = call.transfer.value_or(call.messageId.value_or("urn:uuid:" + randomUuid(random_)));
    if (!transaction.insertTransfer(row)) {
      row.messageId = call.messageId.value_or("urn:uuid:" + randomUuid(random_));
      if (!transaction.insertTransfer(row)) {
        throw Fault(FaultCode::DuplicateMessageId, "a message of this MessageID has been taken before", row.messageId);
      }
    }
    return std::optional(std::string());
  });
}

void TransferService::noteReceipt(Call &call, const ReceiveResponse &receipt, const std::string &bodyXml) {
  auto row = noted(call);
  row.state = TransferState::Succeeded;
  row.receipt = bodyXml;
  for (const auto &data : receipt.data) {
    row.sources.push_back(printable(data.id.value_or(data.path.value_or("")), 300));
    row.bytesTotal += data.size.value_or(0);
    call.subjects.push_back(row.sources.back());
  }
  row.bytesDone = row.bytesTotal;
  keep(call, std::move(row));
}

void TransferService::noteFault(Call &call, const Fault &fault) {
  auto row = noted(call);
  row.state = TransferState::Failed;
  row.lastError = fault.what();
  keep(call, std::move(row));
}

} // namespace waybill::services
