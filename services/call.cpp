// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/call.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

/// What two prefixes have in common: the longer one when it is below the other, else nothing.
std::optional<std::string> common(const std::string &a, const std::string &b) {
  if (isUnder(a, b)) {
    return a;
  }
  return isUnder(b, a) ? std::optional(b) : std::nullopt;
}

std::vector<std::string> intersect(const std::vector<std::string> &these, const std::vector<std::string> &those) {
  std::vector<std::string> both;
  for (const auto &a : these) {
    for (const auto &b : those) {
      if (auto shared = common(a, b)) {
        both.push_back(std::move(*shared));
      }
    }
  }
  return both;
}

std::vector<std::string> withoutNested(std::vector<std::string> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  std::vector<std::string> result;
  for (auto &prefix : prefixes) {
    const auto nested =
        std::any_of(result.begin(), result.end(), [&](const auto &outer) { return isUnder(prefix, outer); });
    if (!nested) {
      result.push_back(std::move(prefix));
    }
  }
  return result;
}

} // namespace

void Call::commit(storage::Catalog &catalog,
                  const std::function<std::optional<std::string>(storage::Transaction &)> &work) {
  catalog.commit(storage::Durability::Durable, [&](storage::Transaction &transaction) {
    auto receipt = work(transaction);
    if (alsoCommit) {
      alsoCommit(transaction, receipt);
    }
    if (reservation) {
      reservation->spend(transaction, receipt);
    }
  });
  if (reservation) {
    reservation->keep();
    reservation.reset();
  }
}

Permission::Permission(const security::Trust &trust, const Call &call, Right right)
    : prefixes_(trust.prefixes(call.principal, right)), call_(call), right_(right) {}

bool Permission::covers(std::string_view id, std::string_view path) const {
  return std::any_of(prefixes_.begin(), prefixes_.end(), [&](const auto &prefix) { return isUnder(path, prefix); }) &&
         security::resourceCovers(call_.claims, id, path);
}

void Permission::require(std::string_view id, std::string_view path) const {
  if (!covers(id, path)) {
    throw Fault(FaultCode::NotAllowed,
                call_.operation + " was refused: the caller has no '" + std::string(name(right_)) +
                    "' right here, or the token's resources leave this out; ask the instance's administrator for a "
                    "grant, or make a token for it",
                printable(path, 300));
  }
}

std::vector<std::string> Permission::within(const std::string &prefix) const {
  auto allowed = intersect({prefix}, prefixes_);
  if (!call_.claims.resources.empty()) {
    std::vector<std::string> resources;
    std::copy_if(call_.claims.resources.begin(), call_.claims.resources.end(), std::back_inserter(resources),
                 [](const auto &resource) { return resource.starts_with('/'); });
    std::transform(resources.begin(), resources.end(), resources.begin(),
                   [](const auto &resource) { return parsePathPrefix(resource); });
    allowed = intersect(allowed, resources);
  }
  return withoutNested(std::move(allowed));
}

} // namespace waybill::services
