// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/access_service.hpp"

#include "domain/fault.hpp"
#include "services/version.hpp"
#include "soap/codec.hpp"

#include <utility>

namespace waybill::services {

namespace {

void requireAdministrator(const security::Trust &trust, const Call &call) {
  Permission(trust, call, Right::Administer).require("", "/");
}

} // namespace

AccessService::AccessService(storage::Catalog &catalog, const security::Trust &trust, const security::Certificate &self,
                             std::string name, Random &random)
    : catalog_(catalog), trust_(trust), self_(self), name_(std::move(name)), random_(random) {}

template <class Work> auto AccessService::change(Call &call, const Work &work) {
  std::optional<decltype(work(std::declval<storage::Transaction &>()))> response;
  call.commit(catalog_, [&](storage::Transaction &transaction) {
    response = work(transaction);
    return std::optional(soap::encode(*response));
  });
  return *std::move(response);
}

GetInstanceResponse AccessService::getInstance(Call &call, const GetInstanceRequest &) const {
  return {name_,
          self_.instanceId(),
          self_.pem(),
          versionText,
          {{"data", call.baseUrl + "/services/data"},
           {"algorithms", call.baseUrl + "/services/algorithms"},
           {"access", call.baseUrl + "/services/access"},
           {"instance", call.baseUrl + "/instance"}}};
}

TrustKeyResponse AccessService::trustKey(Call &call, const TrustKeyRequest &request) {
  requireAdministrator(trust_, call);
  const auto certificate = security::Certificate::fromPem(request.certificatePem);
  call.subjects.push_back(certificate.instanceId());
  return change(call, [&](storage::Transaction &transaction) {
    return TrustKeyResponse{trust_.trust(transaction, certificate, request.alias, request.url).key};
  });
}

ListKeysResponse AccessService::listKeys(Call &call, const ListKeysRequest &) const {
  requireAdministrator(trust_, call);
  return {trust_.keys()};
}

RevokeKeyResponse AccessService::revokeKey(Call &call, const RevokeKeyRequest &request) {
  requireAdministrator(trust_, call);
  call.subjects.push_back(request.key);
  return change(call, [&](storage::Transaction &transaction) {
    return RevokeKeyResponse{security::Trust::revokeKey(transaction, request.key)};
  });
}

GrantResponse AccessService::grant(Call &call, const GrantRequest &request) {
  requireAdministrator(trust_, call);
  return change(call, [&](storage::Transaction &transaction) {
    auto made = trust_.grant(transaction, request.principal, request.rights, request.prefix, request.expires,
                             randomId(random_));
    call.subjects.push_back(format(made.principal));
    call.subjects.push_back(made.prefix);
    return GrantResponse{std::move(made)};
  });
}

RevokeResponse AccessService::revoke(Call &call, const RevokeRequest &request) {
  requireAdministrator(trust_, call);
  call.subjects.push_back(request.grant);
  return change(call, [&](storage::Transaction &transaction) {
    return RevokeResponse{security::Trust::revoke(transaction, request.grant)};
  });
}

ListGrantsResponse AccessService::listGrants(Call &call, const ListGrantsRequest &request) const {
  auto principal = request.principal ? std::optional(trust_.resolve(*request.principal)) : std::nullopt;
  if (!Permission(trust_, call, Right::Administer).covers("", "/")) {
    if (principal && *principal != call.principal) {
      throw Fault(
          FaultCode::NotAllowed,
          "ListGrants of another principal needs the right 'administer' on '/'; leave Principal out to see your own",
          *request.principal);
    }
    principal = call.principal;
  }
  return {trust_.grants(principal)};
}

} // namespace waybill::services
