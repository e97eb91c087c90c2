// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/access.hpp"
#include "domain/algorithm.hpp"
#include "domain/data.hpp"
#include "domain/job.hpp"
#include "domain/onward.hpp"
#include "domain/transfer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The messages of the services as plain values, one struct for each element of wsdl/data.xsd and wsdl/access.xsd.
namespace waybill {

/// How a reply carries the bytes (wb:Attach).
enum class Attach : std::uint8_t { Mtom, SwA, Inline, Reference };
/// What Receive does when the path is taken (wb:Overwrite).
enum class Overwrite : std::uint8_t { Never, Always, IfDifferent };

struct CopyRequest {
  std::vector<Data> data;
  std::optional<Attach> attach;         ///< none: as the request came, else MTOM
  std::optional<std::int32_t> priority; ///< none: normalPriority
};
struct CopyResponse {
  std::vector<Data> data;
};
struct ReceiveRequest {
  std::vector<Data> data;
  Overwrite overwrite = Overwrite::Never;
};
struct ReceiveResponse {
  std::vector<Data> data;
};
struct DeleteRequest {
  std::vector<Data> data;
};
struct DeleteResponse {
  std::vector<Data> data;
};
struct ListRequest {
  std::string prefix = "/";
  std::uint32_t limit = 1000;
  std::optional<std::string> pageToken;
};
struct ListResponse {
  std::vector<Data> data;
  std::optional<std::string> nextPageToken;
};
struct DescribeRequest {
  std::vector<Data> data;
};
struct DescribeResponse {
  std::vector<Data> data;
};

/// A transfer is named by the MessageID of the request that started it; each caller sees their own.
struct GetTransferRequest {
  std::string messageId;
};
struct GetTransferResponse {
  Transfer transfer;
};
struct CancelTransferRequest {
  std::string messageId;
};
struct CancelTransferResponse {
  Transfer transfer; ///< as it stands now; one that had ended before stays as it was
};
struct ListTransfersRequest {
  std::optional<TransferState> state;
  std::uint32_t limit = 1000;
  std::optional<std::string> pageToken;
};
struct ListTransfersResponse {
  std::vector<Transfer> transfers; ///< the newest first
  std::optional<std::string> nextPageToken;
};

/// Data under the name that an algorithm knows it by: wb:Input, wb:Output.
struct NamedData {
  std::string name;
  Data data;
};
struct NamedValue {
  std::string name;
  std::string value;
};
struct ListAlgorithmsRequest {};
struct ListAlgorithmsResponse {
  std::vector<AlgorithmDescription> algorithms; ///< those that the caller may invoke, by id
};
struct DescribeAlgorithmRequest {
  std::string algorithm; ///< id
};
struct DescribeAlgorithmResponse {
  AlgorithmDescription algorithm;
};
struct InvokeRequest {
  std::string algorithm; ///< id
  std::vector<NamedData> inputs;
  std::vector<NamedValue> parameters;
  std::optional<std::string> store;     ///< path prefix: the outputs are kept there
  std::optional<Attach> attach;         ///< none: as the request came, else MTOM
  std::optional<Overwrite> overwrite;   ///< of what is stored; none: Never
  std::vector<NamedData> outputs;       ///< what outputs are to be called and how to be kept, where the caller cares
  std::optional<std::int32_t> priority; ///< none: normalPriority
};
struct InvokeResponse {
  std::string job; ///< MessageID of the Invoke
  std::int32_t exitStatus = 0;
  std::vector<NamedData> outputs;
  std::string log; ///< the end of what the program printed
};
/// A job is named by the MessageID of the Invoke that it is; each caller sees their own.
struct GetJobRequest {
  std::string job;
};
struct GetJobResponse {
  Job job;
};
struct CancelJobRequest {
  std::string job;
};
struct CancelJobResponse {
  Job job;
};
struct ListJobsRequest {
  std::optional<TransferState> state;
  std::uint32_t limit = 1000;
  std::optional<std::string> pageToken;
};
struct ListJobsResponse {
  std::vector<Job> jobs; ///< the newest first, without their logs
  std::optional<std::string> nextPageToken;
};

/// Where an instance serves what.
struct Endpoint {
  std::string name; ///< "data", "access", ...
  std::string url;
  friend bool operator==(const Endpoint &, const Endpoint &) = default;
};
struct GetInstanceRequest {};
struct GetInstanceResponse {
  std::string name;
  std::string id;
  std::string certificatePem;
  std::string version;
  std::vector<Endpoint> endpoints;
};
struct TrustKeyRequest {
  std::string certificatePem;
  std::optional<std::string> alias;
  std::optional<std::string> url;
};
struct TrustKeyResponse {
  TrustedKey key;
};
struct ListKeysRequest {};
struct ListKeysResponse {
  std::vector<TrustedKey> keys;
};
struct RevokeKeyRequest {
  std::string key; ///< instance id or alias
};
struct RevokeKeyResponse {
  TrustedKey key;
};
struct GrantRequest {
  std::string principal; ///< "<instance id>", "<instance id>/<subject>" or an alias (with "/<subject>")
  std::set<Right> rights;
  std::string prefix = "/";
  std::optional<Time> expires;
};
struct GrantResponse {
  Grant grant;
};
struct RevokeRequest {
  std::string grant; ///< grant id
};
struct RevokeResponse {
  Grant grant;
};
struct ListGrantsRequest {
  std::optional<std::string> principal;
};
struct ListGrantsResponse {
  std::vector<Grant> grants;
};

} // namespace waybill
