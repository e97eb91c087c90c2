// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/operations.hpp"

#include "soap/codec.hpp"

namespace waybill::services {

namespace {

enum class Kind : std::uint8_t { NeedsToken, OpenToAll };

/// An operation whose reply is a body alone.
template <class Request, class Work> Operation plain(const std::string &element, Kind kind, Work work) {
  Operation operation;
  operation.element = element;
  operation.reply = element + "Response";
  operation.permit = element;
  operation.openToAll = kind == Kind::OpenToAll;
  operation.run = [work](Call &call, std::string_view bodyXml) {
    return Reply{soap::encode(work(call, soap::decode<Request>(bodyXml))), {}, soap::Packaging::Plain};
  };
  return operation;
}

Reply copyReply(CopyReply copied) {
  return {soap::encode(copied.response, viewsOf(copied.inlined)), std::move(copied.parts), copied.packaging};
}

Operation copy(const DataManager &manager) {
  Operation operation;
  operation.element = "Copy";
  operation.reply = "CopyResponse";
  operation.permit = operation.element;
  operation.run = [&manager](Call &call, std::string_view bodyXml) {
    return copyReply(manager.copy(call, soap::decode<CopyRequest>(bodyXml)));
  };
  operation.order = [&manager](Call &call, std::string_view bodyXml) {
    return manager.order(call, soap::decode<CopyRequest>(bodyXml));
  };
  return operation;
}

/// Who has left has no use for what is fetched, and others wait for the place. A delivery goes on: its sender asks
/// again.
void requireCaller(const Call &call) {
  if (call.callerHasGone()) {
    throw Fault(FaultCode::DeliveryFailed,
                "the caller closed its connection before all was fetched from elsewhere, and nothing was stored; the "
                "same message again begins anew, with another token for where it is fetched from; name in wsa:ReplyTo "
                "where the receipt is to go, and nobody has to wait for it");
  }
}

Operation receive(DataManager &manager) {
  auto operation =
      plain<ReceiveRequest>("Receive", Kind::NeedsToken, [&manager](Call &call, const ReceiveRequest &request) {
        call.check = [&call] { requireCaller(call); };
        return manager.receive(call, request);
      });
  operation.storesData = true;
  return operation;
}

/// What a Copy elsewhere sends here.
Operation delivery(DataManager &manager) {
  auto operation =
      plain<CopyResponse>("CopyResponse", Kind::NeedsToken, [&manager](Call &call, const CopyResponse &delivered) {
        return manager.receive(call, {delivered.data, call.overwrite.value_or(Overwrite::Never)});
      });
  operation.reply = "ReceiveResponse";
  operation.permit = "Receive";
  operation.storesData = true;
  return operation;
}

/// Kept where the program ran (Store): there are no bytes to be taken, and nothing says where else they may be had.
bool isLeftThere(const Data &output) {
  return output.id && !output.content && !output.attachment && !output.href && !output.token;
}

/// What an Invoke elsewhere sends here.
Operation results(DataManager &manager) {
  auto operation =
      plain<InvokeResponse>("InvokeResponse", Kind::NeedsToken, [&manager](Call &call, InvokeResponse delivered) {
        ReceiveRequest request;
        request.overwrite = call.overwrite.value_or(Overwrite::Never);
        for (auto &output : delivered.outputs) {
          if (!isLeftThere(output.data)) {
            request.data.push_back(std::move(output.data));
          }
        }
        return manager.receive(call, request);
      });
  operation.reply = "ReceiveResponse";
  operation.permit = "Receive";
  operation.storesData = true;
  return operation;
}

Operation invoke(AlgorithmService &algorithms) {
  Operation operation;
  operation.element = "Invoke";
  operation.reply = "InvokeResponse";
  operation.permit = operation.element;
  operation.run = [&algorithms](Call &call, std::string_view bodyXml) {
    auto invoked = algorithms.invoke(call, soap::decode<InvokeRequest>(bodyXml));
    return Reply{soap::encode(invoked.response, viewsOf(invoked.inlined)), std::move(invoked.parts), invoked.packaging};
  };
  operation.job = [&algorithms](Call &call, std::string_view bodyXml) {
    return algorithms.prepare(call, soap::decode<InvokeRequest>(bodyXml));
  };
  return operation;
}

/// What the end of a chain sends here: only taken note of.
Operation noteOfReceipt(TransferService &transfers) {
  Operation operation;
  operation.element = "ReceiveResponse";
  operation.permit = "Receive";
  operation.run = [&transfers](Call &call, std::string_view bodyXml) {
    transfers.noteReceipt(call, soap::decode<ReceiveResponse>(bodyXml), std::string(bodyXml));
    return Reply{};
  };
  return operation;
}

Operation noteOfFault(TransferService &transfers) {
  Operation operation;
  operation.element = faultElement;
  operation.permit = "Receive";
  operation.run = [&transfers](Call &call, std::string_view) {
    transfers.noteFault(call, call.fault.value());
    return Reply{};
  };
  return operation;
}

} // namespace

std::vector<Operation> dataOperations(DataManager &manager, TransferService &transfers) {
  return {
      copy(manager),
      receive(manager),
      delivery(manager),
      results(manager),
      noteOfReceipt(transfers),
      noteOfFault(transfers),
      plain<DeleteRequest>(
          "Delete", Kind::NeedsToken,
          [&manager](Call &call, const DeleteRequest &request) { return manager.remove(call, request); }),
      plain<ListRequest>("List", Kind::NeedsToken,
                         [&manager](Call &call, const ListRequest &request) { return manager.list(call, request); }),
      plain<DescribeRequest>(
          "Describe", Kind::NeedsToken,
          [&manager](Call &call, const DescribeRequest &request) { return manager.describe(call, request); }),
      plain<GetTransferRequest>(
          "GetTransfer", Kind::NeedsToken,
          [&transfers](Call &call, const GetTransferRequest &request) { return transfers.get(call, request); }),
      plain<ListTransfersRequest>(
          "ListTransfers", Kind::NeedsToken,
          [&transfers](Call &call, const ListTransfersRequest &request) { return transfers.list(call, request); }),
      plain<CancelTransferRequest>(
          "CancelTransfer", Kind::NeedsToken,
          [&transfers](Call &call, const CancelTransferRequest &request) { return transfers.cancel(call, request); }),
  };
}

std::vector<Operation> algorithmOperations(AlgorithmService &algorithms, TransferService &jobs) {
  return {
      plain<ListAlgorithmsRequest>(
          "ListAlgorithms", Kind::NeedsToken,
          [&algorithms](Call &call, const ListAlgorithmsRequest &request) { return algorithms.list(call, request); }),
      plain<DescribeAlgorithmRequest>("DescribeAlgorithm", Kind::NeedsToken,
                                      [&algorithms](Call &call, const DescribeAlgorithmRequest &request) {
                                        return algorithms.describe(call, request);
                                      }),
      invoke(algorithms),
      plain<GetJobRequest>("GetJob", Kind::NeedsToken,
                           [&jobs](Call &call, const GetJobRequest &request) { return jobs.getJob(call, request); }),
      plain<ListJobsRequest>(
          "ListJobs", Kind::NeedsToken,
          [&jobs](Call &call, const ListJobsRequest &request) { return jobs.listJobs(call, request); }),
      plain<CancelJobRequest>(
          "CancelJob", Kind::NeedsToken,
          [&jobs](Call &call, const CancelJobRequest &request) { return jobs.cancelJob(call, request); }),
  };
}

std::vector<Operation> accessOperations(AccessService &access) {
  return {
      plain<GetInstanceRequest>(
          "GetInstance", Kind::OpenToAll,
          [&access](Call &call, const GetInstanceRequest &request) { return access.getInstance(call, request); }),
      plain<TrustKeyRequest>(
          "TrustKey", Kind::NeedsToken,
          [&access](Call &call, const TrustKeyRequest &request) { return access.trustKey(call, request); }),
      plain<ListKeysRequest>(
          "ListKeys", Kind::NeedsToken,
          [&access](Call &call, const ListKeysRequest &request) { return access.listKeys(call, request); }),
      plain<RevokeKeyRequest>(
          "RevokeKey", Kind::NeedsToken,
          [&access](Call &call, const RevokeKeyRequest &request) { return access.revokeKey(call, request); }),
      plain<GrantRequest>("Grant", Kind::NeedsToken,
                          [&access](Call &call, const GrantRequest &request) { return access.grant(call, request); }),
      plain<RevokeRequest>(
          "Revoke", Kind::NeedsToken,
          [&access](Call &call, const RevokeRequest &request) { return access.revoke(call, request); }),
      plain<ListGrantsRequest>(
          "ListGrants", Kind::NeedsToken,
          [&access](Call &call, const ListGrantsRequest &request) { return access.listGrants(call, request); }),
  };
}

} // namespace waybill::services
