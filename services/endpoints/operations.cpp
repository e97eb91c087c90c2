// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/operations.hpp"

#include "soap/codec.hpp"

namespace waybill::services {

namespace {

enum class Kind : std::uint8_t { NeedsToken, OpenToAll };

/// An operation whose reply is a body alone.
template <class Request, class Work> Operation plain(const char *element, Kind kind, Work work) {
  return {element, kind == Kind::OpenToAll, [work](Call &call, std::string_view bodyXml) {
            return Reply{soap::encode(work(call, soap::decode<Request>(bodyXml))), {}, soap::Packaging::Plain};
          }};
}

Reply copyReply(CopyReply copied) {
  soap::InlineContents inlined;
  for (const auto &[contentId, bytes] : copied.inlined) {
    inlined.emplace(contentId, bytes);
  }
  return {soap::encode(copied.response, inlined), std::move(copied.parts), copied.packaging};
}

} // namespace

std::vector<Operation> dataOperations(DataManager &manager) {
  return {
      {"Copy", false,
       [&manager](Call &call, std::string_view bodyXml) {
         return copyReply(manager.copy(call, soap::decode<CopyRequest>(bodyXml)));
       }},
      plain<ReceiveRequest>(
          "Receive", Kind::NeedsToken,
          [&manager](Call &call, const ReceiveRequest &request) { return manager.receive(call, request); }),
      plain<DeleteRequest>(
          "Delete", Kind::NeedsToken,
          [&manager](Call &call, const DeleteRequest &request) { return manager.remove(call, request); }),
      plain<ListRequest>("List", Kind::NeedsToken,
                         [&manager](Call &call, const ListRequest &request) { return manager.list(call, request); }),
      plain<DescribeRequest>(
          "Describe", Kind::NeedsToken,
          [&manager](Call &call, const DescribeRequest &request) { return manager.describe(call, request); }),
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
