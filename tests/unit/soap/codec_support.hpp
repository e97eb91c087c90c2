// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/fault.hpp"
#include "soap/codec.hpp"
#include "soap/envelope.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <string>

/// What the tests of the codec have in common: messages that can be compared, samples, and ways into the codec.
namespace waybill {

inline bool operator==(const CopyRequest &a, const CopyRequest &b) {
  return a.data == b.data && a.attach == b.attach && a.priority == b.priority;
}
inline bool operator==(const CopyResponse &a, const CopyResponse &b) { return a.data == b.data; }
inline bool operator==(const ReceiveRequest &a, const ReceiveRequest &b) {
  return a.data == b.data && a.overwrite == b.overwrite;
}
inline bool operator==(const ReceiveResponse &a, const ReceiveResponse &b) { return a.data == b.data; }
inline bool operator==(const DeleteRequest &a, const DeleteRequest &b) { return a.data == b.data; }
inline bool operator==(const DeleteResponse &a, const DeleteResponse &b) { return a.data == b.data; }
inline bool operator==(const ListRequest &a, const ListRequest &b) {
  return a.prefix == b.prefix && a.limit == b.limit && a.pageToken == b.pageToken;
}
inline bool operator==(const ListResponse &a, const ListResponse &b) {
  return a.data == b.data && a.nextPageToken == b.nextPageToken;
}
inline bool operator==(const DescribeRequest &a, const DescribeRequest &b) { return a.data == b.data; }
inline bool operator==(const DescribeResponse &a, const DescribeResponse &b) { return a.data == b.data; }
inline bool operator==(const GetTransferRequest &a, const GetTransferRequest &b) { return a.messageId == b.messageId; }
inline bool operator==(const GetTransferResponse &a, const GetTransferResponse &b) { return a.transfer == b.transfer; }
inline bool operator==(const CancelTransferRequest &a, const CancelTransferRequest &b) {
  return a.messageId == b.messageId;
}
inline bool operator==(const CancelTransferResponse &a, const CancelTransferResponse &b) {
  return a.transfer == b.transfer;
}
inline bool operator==(const ListTransfersRequest &a, const ListTransfersRequest &b) {
  return a.state == b.state && a.limit == b.limit && a.pageToken == b.pageToken;
}
inline bool operator==(const ListTransfersResponse &a, const ListTransfersResponse &b) {
  return a.transfers == b.transfers && a.nextPageToken == b.nextPageToken;
}
inline bool operator==(const NamedData &a, const NamedData &b) { return a.name == b.name && a.data == b.data; }
inline bool operator==(const NamedValue &a, const NamedValue &b) { return a.name == b.name && a.value == b.value; }
inline bool operator==(const ListAlgorithmsRequest &, const ListAlgorithmsRequest &) { return true; }
inline bool operator==(const ListAlgorithmsResponse &a, const ListAlgorithmsResponse &b) {
  return a.algorithms == b.algorithms;
}
inline bool operator==(const DescribeAlgorithmRequest &a, const DescribeAlgorithmRequest &b) {
  return a.algorithm == b.algorithm;
}
inline bool operator==(const DescribeAlgorithmResponse &a, const DescribeAlgorithmResponse &b) {
  return a.algorithm == b.algorithm;
}
inline bool operator==(const InvokeRequest &a, const InvokeRequest &b) {
  return a.algorithm == b.algorithm && a.inputs == b.inputs && a.parameters == b.parameters && a.store == b.store &&
         a.attach == b.attach && a.overwrite == b.overwrite && a.outputs == b.outputs && a.priority == b.priority;
}
inline bool operator==(const InvokeResponse &a, const InvokeResponse &b) {
  return a.job == b.job && a.exitStatus == b.exitStatus && a.outputs == b.outputs && a.log == b.log;
}
inline bool operator==(const GetJobRequest &a, const GetJobRequest &b) { return a.job == b.job; }
inline bool operator==(const GetJobResponse &a, const GetJobResponse &b) { return a.job == b.job; }
inline bool operator==(const CancelJobRequest &a, const CancelJobRequest &b) { return a.job == b.job; }
inline bool operator==(const CancelJobResponse &a, const CancelJobResponse &b) { return a.job == b.job; }
inline bool operator==(const ListJobsRequest &a, const ListJobsRequest &b) {
  return a.state == b.state && a.limit == b.limit && a.pageToken == b.pageToken;
}
inline bool operator==(const ListJobsResponse &a, const ListJobsResponse &b) {
  return a.jobs == b.jobs && a.nextPageToken == b.nextPageToken;
}
inline bool operator==(const GetInstanceRequest &, const GetInstanceRequest &) { return true; }
inline bool operator==(const GetInstanceResponse &a, const GetInstanceResponse &b) {
  return a.name == b.name && a.id == b.id && a.certificatePem == b.certificatePem && a.version == b.version &&
         a.endpoints == b.endpoints;
}
inline bool operator==(const TrustKeyRequest &a, const TrustKeyRequest &b) {
  return a.certificatePem == b.certificatePem && a.alias == b.alias && a.url == b.url;
}
inline bool operator==(const TrustKeyResponse &a, const TrustKeyResponse &b) { return a.key == b.key; }
inline bool operator==(const ListKeysRequest &, const ListKeysRequest &) { return true; }
inline bool operator==(const ListKeysResponse &a, const ListKeysResponse &b) { return a.keys == b.keys; }
inline bool operator==(const RevokeKeyRequest &a, const RevokeKeyRequest &b) { return a.key == b.key; }
inline bool operator==(const RevokeKeyResponse &a, const RevokeKeyResponse &b) { return a.key == b.key; }
inline bool operator==(const GrantRequest &a, const GrantRequest &b) {
  return a.principal == b.principal && a.rights == b.rights && a.prefix == b.prefix && a.expires == b.expires;
}
inline bool operator==(const GrantResponse &a, const GrantResponse &b) { return a.grant == b.grant; }
inline bool operator==(const RevokeRequest &a, const RevokeRequest &b) { return a.grant == b.grant; }
inline bool operator==(const RevokeResponse &a, const RevokeResponse &b) { return a.grant == b.grant; }
inline bool operator==(const ListGrantsRequest &a, const ListGrantsRequest &b) { return a.principal == b.principal; }
inline bool operator==(const ListGrantsResponse &a, const ListGrantsResponse &b) { return a.grants == b.grants; }

} // namespace waybill

namespace waybill::codec_test {

using namespace std::chrono_literals;

inline const std::string instanceId(64, 'a');
inline const std::string pem = "-----BEGIN CERTIFICATE-----\nMIIB<&>\n-----END CERTIFICATE-----\n";

inline Time moment() {
  return Time(std::chrono::sys_days(std::chrono::year(2031) / 2 / 28)) + 3h + 4min + 5s + 678901us;
}

inline Data fullData() {
  Data data;
  data.id = "https://lab.example:8443/data/0123456789abcdef0123456789abcdef";
  data.path = "/docs/a & b/<Größe> \xF0\x9F\x9A\x82.pdf";
  data.contentType = "application/pdf";
  data.size = 18'446'744'073'709'551'615ULL;
  data.digest = Digest{DigestAlgorithm::Adler32, "00620062"};
  data.secure = false;
  data.created = moment();
  data.expires = Time(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));
  data.owner = instanceId + "/anna";
  data.metadata = {{"k1", ""}, {"", "two\tlines\r\nand \"quotes\" ' ]]>"}};
  data.href = "cid:h@waybill";
  data.attachment = "cid:a@waybill";
  data.content = "cid:c@waybill";
  data.token = "MIIEBgYJKoZIhvcNAQcC";
  return data;
}

inline Transfer shortTransfer() {
  Transfer transfer;
  transfer.messageId = "urn:uuid:1";
  transfer.operation = "Copy";
  transfer.owner = instanceId;
  transfer.started = moment();
  transfer.destination = "https://lab.example:8443/services/data";
  return transfer;
}
inline Transfer fullTransfer() {
  auto transfer = shortTransfer();
  transfer.messageId = "http://example.org/a?b=c&d";
  transfer.owner = instanceId + "/anna";
  transfer.state = TransferState::Failed;
  transfer.bytesDone = 18'446'744'073'709'551'614ULL;
  transfer.bytesTotal = 18'446'744'073'709'551'615ULL;
  transfer.attempts = 4'294'967'295U;
  transfer.lastError = "it said <no> & hung up";
  transfer.ended = moment() + 1h;
  transfer.sources = {"/docs/a & b", " /with blanks ", "https://other.example/x?y&z"};
  transfer.receipt = {fullData(), Data{}};
  transfer.priority = 5;
  return transfer;
}

inline AlgorithmDescription fullAlgorithm() {
  AlgorithmDescription algorithm;
  algorithm.id = "text/sort";
  algorithm.version = "1.0";
  algorithm.title = "Sort <lines>";
  algorithm.help = "Two\nlines.";
  algorithm.inputs = {{"in", "what & why", {"text/*", "image/png"}, false, true}, {"plain", "", {}, true, false}};
  algorithm.outputs = {{"out", "help", "text/plain", false}, {"other", "", "image/png", true}};
  ParameterDeclaration number;
  number.name = "number";
  number.type = ParameterType::Decimal;
  number.byDefault = "0.5";
  number.minimum = "-1";
  number.maximum = "1";
  ParameterDeclaration text;
  text.name = "text";
  text.help = "any";
  text.required = true;
  text.maxLength = 18'446'744'073'709'551'615ULL;
  text.pattern = "[a-z]+ <&";
  ParameterDeclaration choice;
  choice.name = "choice";
  choice.type = ParameterType::Enumeration;
  choice.values = {"a", "", "b & c"};
  ParameterDeclaration flag;
  flag.type = ParameterType::Boolean;
  ParameterDeclaration count;
  count.type = ParameterType::Integer;
  algorithm.parameters = {number, text, choice, flag, count};
  algorithm.limits = {4'294'967'295s, 7s, 18'446'744'073'709'551'615ULL, 4'294'967'295U, 1};
  return algorithm;
}
inline Job fullJob() {
  Job job;
  job.id = "urn:uuid:1";
  job.algorithm = "text/sort";
  job.owner = instanceId;
  job.state = TransferState::Active;
  job.phase = JobPhase::Delivery;
  job.attempts = 3;
  job.lastError = "no <answer>";
  job.exitStatus = -2'147'483'648;
  job.log = "line\n\tline";
  job.started = moment();
  job.ended = moment() + 1h;
  job.destination = "https://lab.example:8443/services/data";
  job.receipt = {fullData(), Data{}};
  job.priority = 1;
  return job;
}

inline TrustedKey key() { return {instanceId, pem, "lab", "https://lab.example:8443/", true, moment()}; }
inline TrustedKey shortKey() { return {instanceId, pem, std::nullopt, std::nullopt, false, moment()}; }
inline Grant grant() {
  return {"g1", {instanceId, "anna"}, {Right::Read, Right::Administer}, "/docs & more", moment(), moment() - 1h};
}
inline Grant shortGrant() { return {"g2", {instanceId, std::nullopt}, {Right::Invoke}, "/", std::nullopt, moment()}; }

/// What a message goes through between two instances: envelope, content lifted, validation, body.
template <class T> std::string overTheWire(const T &message, const soap::InlineContents &inlined = {}) {
  static const soap::Schema schema;
  auto envelope = soap::Envelope::parse(
      soap::writeEnvelope(soap::Version::Soap12, {}, {}, soap::encode(message, inlined)), soap::Limits{});
  envelope.liftContent([](const std::string &, const std::string &) {});
  envelope.validate(schema);
  return envelope.bodyXml();
}

template <class T> void requireRoundTrip(const T &message) {
  CPPUNIT_ASSERT(soap::decode<T>(overTheWire(message)) == message);
}

inline FaultCode codeOf(const auto &action) {
  try {
    action();
  } catch (const Fault &fault) {
    return fault.code();
  }
  CPPUNIT_FAIL("no Fault was thrown");
  return FaultCode::Internal;
}

inline std::string element(const std::string &name, const std::string &inner) {
  return "<wb:" + name + " xmlns:wb=\"urn:waybill:1\" xmlns:xmime=\"http://www.w3.org/2005/05/xmlmime\">" + inner +
         "</wb:" + name + ">";
}

inline Data decodedData(const std::string &inner) {
  const auto message = soap::decode<DescribeRequest>(element("Describe", "<wb:Data>" + inner + "</wb:Data>"));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, message.data.size());
  return message.data.front();
}

inline std::string encodedData(const Data &data, const soap::InlineContents &inlined = {}) {
  return soap::encode(DescribeRequest{{data}}, inlined);
}

inline void requireContains(const std::string &text, const std::string &part) {
  CPPUNIT_ASSERT_MESSAGE("'" + part + "' is not in " + text, text.find(part) != std::string::npos);
}
} // namespace waybill::codec_test
