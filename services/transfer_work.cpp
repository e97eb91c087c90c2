// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/transfer_work.hpp"

#include "soap/envelope.hpp"
#include "soap/fault.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace waybill::services {

namespace {

using nlohmann::json;

json toJson(const EndpointReference &reference) {
  return {{"address", reference.address}, {"parameters", reference.referenceParameters}};
}

EndpointReference referenceFrom(const json &value) {
  return {value.at("address").get<std::string>(), value.at("parameters").get<std::vector<std::string>>()};
}

json toJson(const CopyOrder &order) {
  auto items = json::array();
  for (const auto &item : order.items) {
    items.push_back({item.id, item.name});
  }
  return {{"attach", static_cast<int>(order.attach)},
          {"bytes", order.bytes},
          {"priority", order.priority},
          {"items", std::move(items)}};
}

CopyOrder orderFrom(const json &value) {
  CopyOrder order;
  order.attach = static_cast<Attach>(value.at("attach").get<int>());
  order.bytes = value.at("bytes").get<std::uint64_t>();
  order.priority = value.value("priority", normalPriority);
  for (const auto &item : value.at("items")) {
    order.items.push_back({item.at(0).get<std::string>(), item.at(1).get<std::string>()});
  }
  return order;
}

json toJson(const InvokeOrder &order) {
  auto attached = json::array();
  for (const auto &[position, contentType] : order.attached) {
    attached.push_back({position, contentType});
  }
  json value{{"algorithm", order.algorithm},
             {"request", order.request},
             {"attached", std::move(attached)},
             {"complete", order.complete},
             {"attach", static_cast<int>(order.attach)},
             {"priority", order.priority}};
  if (order.data) {
    value["data"] = *order.data;
  }
  return value;
}

InvokeOrder invokeFrom(const json &value) {
  InvokeOrder order;
  order.algorithm = value.at("algorithm");
  order.request = value.at("request");
  order.complete = value.at("complete");
  for (const auto &attached : value.at("attached")) {
    order.attached[attached.at(0).get<std::size_t>()] = attached.at(1).get<std::string>();
  }
  order.attach = static_cast<Attach>(value.at("attach").get<int>());
  order.priority = value.value("priority", normalPriority);
  if (value.contains("data")) {
    order.data = value["data"].get<std::vector<std::string>>();
  }
  return order;
}

json toJson(const std::vector<OutputPart> &parts) {
  auto all = json::array();
  for (const auto &part : parts) {
    all.push_back({part.contentId, part.contentType, part.size, part.sha256, part.path, part.file});
  }
  return all;
}

std::vector<OutputPart> partsFrom(const json &value) {
  std::vector<OutputPart> parts;
  for (const auto &part : value) {
    parts.push_back({part.at(0).get<std::string>(), part.at(1).get<std::string>(), part.at(2).get<std::uint64_t>(),
                     part.at(3).get<std::string>(), part.at(4).get<std::string>(), part.at(5).get<std::string>()});
  }
  return parts;
}

} // namespace

soap::Addressing addressingOf(const TransferWork &work) {
  soap::Addressing addressing;
  addressing.used = true;
  addressing.messageId = work.messageId;
  addressing.relatesTo = work.relatesTo;
  addressing.transfer = work.transfer;
  addressing.to = work.to.address;
  addressing.action = work.action;
  return addressing;
}

std::vector<std::string> headersOf(const EndpointReference &endpoint) {
  std::vector<std::string> headers;
  std::transform(endpoint.referenceParameters.begin(), endpoint.referenceParameters.end(), std::back_inserter(headers),
                 [](const auto &parameter) { return soap::asReferenceParameterHeader(parameter); });
  return headers;
}

std::string envelopeOf(const TransferWork &work, std::string_view bodyXml) {
  return soap::writeEnvelopeTo(work.version, work.to, addressingOf(work), {}, bodyXml);
}

TransferWork faultWork(const Fault &fault, const EndpointReference &endpoint, soap::Version version,
                       const std::optional<std::string> &relatesTo, const std::string &transfer, Random &random) {
  TransferWork work;
  work.version = version;
  work.to = endpoint;
  work.messageId = "urn:uuid:" + randomUuid(random);
  work.relatesTo = relatesTo;
  work.transfer = transfer;
  auto told = soap::encodeFault(fault, version, addressingOf(work), headersOf(endpoint));
  work.action = told.action;
  work.envelope = std::move(told.envelope);
  return work;
}

std::string print(const TransferWork &work) {
  json value{{"soap", work.version == soap::Version::Soap11 ? "1.1" : "1.2"},
             {"to", toJson(work.to)},
             {"action", work.action},
             {"message_id", work.messageId},
             {"transfer", work.transfer},
             {"envelope", work.envelope},
             {"base_url", work.baseUrl},
             {"lease", work.lease}};
  if (work.relatesTo) {
    value["relates_to"] = *work.relatesTo;
  }
  if (work.content) {
    value["content"] = toJson(*work.content);
  }
  if (!work.job.empty()) {
    value["job"] = work.job;
    value["parts"] = toJson(work.parts);
    value["packaging"] = static_cast<int>(work.packaging);
  }
  if (work.run) {
    value["run"] = toJson(*work.run);
  }
  if (work.faultTo) {
    value["fault_to"] = toJson(*work.faultTo);
  }
  return value.dump();
}

TransferWork parseTransferWork(std::string_view text) {
  try {
    const auto value = json::parse(text);
    TransferWork work;
    work.version = value.at("soap") == "1.1" ? soap::Version::Soap11 : soap::Version::Soap12;
    work.to = referenceFrom(value.at("to"));
    work.action = value.at("action");
    work.messageId = value.at("message_id");
    work.transfer = value.at("transfer");
    work.envelope = value.at("envelope");
    work.baseUrl = value.at("base_url");
    work.lease = value.at("lease");
    if (value.contains("relates_to")) {
      work.relatesTo = value["relates_to"].get<std::string>();
    }
    if (value.contains("content")) {
      work.content = orderFrom(value["content"]);
    }
    if (value.contains("job")) {
      work.job = value["job"].get<std::string>();
      work.parts = partsFrom(value.at("parts"));
      work.packaging = static_cast<soap::Packaging>(value.at("packaging").get<int>());
    }
    if (value.contains("run")) {
      work.run = invokeFrom(value["run"]);
    }
    if (value.contains("fault_to")) {
      work.faultTo = referenceFrom(value["fault_to"]);
    }
    return work;
  } catch (const json::exception &error) {
    throw Fault(FaultCode::Internal,
                "the catalog keeps a transfer that this program cannot read; was it written by a newer one?", {}, {},
                LogText(error.what()));
  }
}

} // namespace waybill::services
