// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/third_party.hpp"

#include "cli/token_resources.hpp"
#include "domain/fault.hpp"
#include "soap/version.hpp"

#include <algorithm>
#include <iterator>

namespace waybill::cli {

namespace {

std::string header(const std::string &name, const std::string &text) {
  return "<wb:" + name + " xmlns:wb=\"" + soap::waybillNamespace + "\">" + text + "</wb:" + name + ">";
}

const char *wireName(Overwrite overwrite) {
  switch (overwrite) {
  case Overwrite::Always: return "Always";
  case Overwrite::IfDifferent: return "IfDifferent";
  case Overwrite::Never: break;
  }
  return "Never";
}

/// The id of an object without the URL around it.
std::string bareId(const std::string &id) { return id.substr(id.rfind('/') + 1); }

std::vector<std::string> sourcePaths(const CopyBatch &batch) {
  std::vector<std::string> paths;
  std::transform(batch.begin(), batch.end(), std::back_inserter(paths),
                 [](const CopyItem &item) { return *item.from.path; });
  return paths;
}

std::vector<std::string> targetPaths(const CopyBatch &batch) {
  std::vector<std::string> paths;
  std::transform(batch.begin(), batch.end(), std::back_inserter(paths), [](const CopyItem &item) { return item.path; });
  return paths;
}

} // namespace

bool isSameInstance(const services::RemoteInstance &one, const services::RemoteInstance &other) {
  return one.address().certificate.instanceId() == other.address().certificate.instanceId();
}

EndpointReference receiver(const services::RemoteInstance &at, const std::vector<std::string> &paths,
                           Overwrite overwrite) {
  std::vector<std::string> parameters{header("Token", at.token("Receive", resourcesFor(paths), longestTokenLife))};
  if (overwrite != Overwrite::Never) {
    parameters.push_back(header("Overwrite", wireName(overwrite)));
  }
  return at.dataEndpoint(std::move(parameters));
}

Data referenceTo(Data data, const services::RemoteInstance &holder, const services::RemoteInstance &reader) {
  const auto id = std::exchange(data.id, {}).value();
  data.href = id;
  data.created.reset();
  data.owner.reset();
  if (!isSameInstance(holder, reader)) {
    data.token = holder.token("Copy", {bareId(id)}, longestTokenLife);
  }
  return data;
}

bool ThirdParty::isOneInstance() const { return isSameInstance(source_, destination_); }

std::string ThirdParty::send(const CopyBatch &batch) {
  CopyRequest request;
  request.priority = priority_;
  for (const auto &item : batch) {
    auto &data = request.data.emplace_back();
    data.id = item.from.id;
    data.path = item.path;
  }
  services::CallExtras extras;
  extras.resources = resourcesFor(sourcePaths(batch));
  return source_.callElsewhere(request, receiver(destination_, targetPaths(batch), overwrite_), extras);
}

std::vector<Data> ThirdParty::pull(const CopyBatch &batch) {
  ReceiveRequest request;
  request.overwrite = overwrite_;
  auto resources = targetPaths(batch);
  for (const auto &item : batch) {
    if (isOneInstance()) {
      resources.push_back(*item.from.path);
    }
    request.data.push_back(referenceTo(item.from, source_, destination_));
    request.data.back().path = item.path;
  }
  services::CallExtras extras;
  extras.resources = resourcesFor(resources);
  extras.lifetime = longestTokenLife;
  auto receipts = destination_.call(request, extras).message.data;
  const auto same = [](const CopyItem &item, const Data &receipt) {
    return receipt.path == item.path && receipt.size == item.from.size;
  };
  if (!std::equal(batch.begin(), batch.end(), receipts.begin(), receipts.end(), same)) {
    throw Fault(FaultCode::InvalidMessage, "the receipts are not for what was asked for; list what is there");
  }
  return receipts;
}

} // namespace waybill::cli
