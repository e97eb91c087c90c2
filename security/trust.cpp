// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/trust.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>

namespace waybill::security {

namespace {

constexpr std::size_t mostParsed = 10'000;

void checkUrl(const std::string &url) {
  if (!url.starts_with("https://") || url.size() > 2048 || hasControlCharacters(url) || !isUtf8(url)) {
    throw Fault(FaultCode::BadParameter, "where an instance serves is a URL such as https://host:8443/",
                printable(url, 200));
  }
}

void checkAlias(const std::string &alias) {
  static constexpr std::string_view allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
  if (alias.empty() || alias.size() > 64 || alias.find_first_not_of(allowed) != std::string::npos ||
      isInstanceId(alias)) {
    throw Fault(FaultCode::BadParameter, "an alias has 1 to 64 letters, digits, '-', '_' or '.', and is no instance id",
                printable(alias, 80));
  }
}

/// A revoked key gives its alias to the next that asks for it: nobody else could free it without trusting it again.
void freeOfRevoked(storage::Transaction &transaction, const std::string &alias, const std::string &asking) {
  auto holder = transaction.key(alias);
  if (holder && holder->revoked && holder->instance != asking) {
    holder->alias.reset();
    transaction.putKey(*holder);
  }
}

template <class FindKey> Principal principalFrom(std::string_view text, const FindKey &findKey) {
  if (auto principal = parsePrincipal(text)) {
    return *std::move(principal);
  }
  const auto slash = text.find('/');
  const std::optional<TrustedKey> key = findKey(std::string(text.substr(0, slash)));
  auto principal =
      key ? parsePrincipal(key->instance + (slash == std::string_view::npos ? "" : std::string(text.substr(slash))))
          : std::nullopt;
  if (!principal) {
    throw Fault(
        FaultCode::BadParameter,
        "a principal is an instance id, the alias of a trusted key, or one of these followed by /SUBJECT; this is none",
        printable(text, 200));
  }
  return *std::move(principal);
}

bool appliesTo(const Grant &grant, const Principal &principal) {
  return grant.principal.instance == principal.instance &&
         (!grant.principal.subject || grant.principal.subject == principal.subject);
}

} // namespace

Trust::Trust(const storage::Catalog &catalog, Certificate self, const Clock &clock, UnusableKey unusable)
    : catalog_(catalog), self_(std::move(self)), clock_(clock), unusable_(std::move(unusable)) {}

std::optional<Certificate> Trust::parsed(const TrustedKey &key) const {
  const auto &pem = key.certificatePem;
  const std::lock_guard lock(mutex_);
  if (const auto found = parsed_.find(pem); found != parsed_.end()) {
    return found->second;
  }
  std::optional<Certificate> certificate;
  try {
    certificate = Certificate::fromPem(pem);
  } catch (const Fault &why) {
    if (unusable_) {
      unusable_(key, why);
    }
  }
  if (parsed_.size() >= mostParsed) {
    parsed_.clear();
  }
  parsed_.emplace(pem, certificate);
  return certificate;
}

std::vector<Certificate> Trust::find(ByteView subjectKeyId) const {
  const auto matches = [&](const Certificate &certificate) {
    return std::equal(subjectKeyId.begin(), subjectKeyId.end(), certificate.subjectKeyId().begin(),
                      certificate.subjectKeyId().end());
  };
  std::vector<Certificate> found;
  if (matches(self_)) {
    found.push_back(self_);
  }
  for (const auto &key : catalog_.keys()) {
    if (key.revoked || key.instance == self_.instanceId()) {
      continue;
    }
    if (auto certificate = parsed(key); certificate && matches(*certificate)) {
      found.push_back(*std::move(certificate));
    }
  }
  return found;
}

TrustChange Trust::trust(storage::Transaction &transaction, const Certificate &certificate,
                         const std::optional<std::string> &alias, const std::optional<std::string> &url) const {
  if (alias) {
    checkAlias(*alias);
    freeOfRevoked(transaction, *alias, certificate.instanceId());
  }
  if (url) {
    checkUrl(*url);
  }
  TrustChange change{{certificate.instanceId(), certificate.pem(), alias, url, false, clock_.now()}, false, {}};
  if (const auto before = transaction.key(change.key.instance)) {
    change.wasRevoked = before->revoked;
    change.key.alias = alias ? alias : before->alias;
    change.key.url = url ? url : before->url;
    change.formerAlias = change.key.alias == before->alias ? std::nullopt : before->alias;
  }
  transaction.putKey(change.key);
  return change;
}

TrustedKey Trust::revokeKey(storage::Transaction &transaction, const std::string &instanceOrAlias) {
  auto key = transaction.key(instanceOrAlias);
  if (!key) {
    throw Fault(FaultCode::NoSuchData,
                "no trusted key has this instance id or alias; ListKeys (waybill keys) shows which there are",
                printable(instanceOrAlias, 100));
  }
  key->revoked = true;
  transaction.putKey(*key);
  return *std::move(key);
}

std::vector<TrustedKey> Trust::keys() const { return catalog_.keys(); }

Principal Trust::resolve(std::string_view text) const {
  return principalFrom(text, [this](const std::string &alias) { return catalog_.key(alias); });
}

Grant Trust::grant(storage::Transaction &transaction, std::string_view principal, std::set<Right> rights,
                   const std::string &prefix, std::optional<Time> expires, std::string id) const {
  auto holder = principalFrom(principal, [&](const std::string &alias) { return transaction.key(alias); });
  Grant made{std::move(id), std::move(holder), std::move(rights), parsePathPrefix(prefix), expires, clock_.now()};
  transaction.putGrant(made);
  return made;
}

Grant Trust::revoke(storage::Transaction &transaction, const std::string &grantId) {
  auto found = transaction.grant(grantId);
  if (!found || !transaction.removeGrant(grantId)) {
    throw Fault(FaultCode::NoSuchData,
                "there is no grant of this id; ListGrants (waybill grants) shows which there are",
                printable(grantId, 80));
  }
  return *std::move(found);
}

std::vector<Grant> Trust::grants(const std::optional<Principal> &principal) const {
  auto all = principal ? catalog_.grantsOf(principal->instance) : catalog_.grants();
  if (principal) {
    std::erase_if(all, [&](const Grant &grant) { return !appliesTo(grant, *principal); });
  }
  return all;
}

std::vector<std::string> Trust::prefixes(const Principal &principal, Right right) const {
  if (principal.instance == self_.instanceId()) {
    return {"/"};
  }
  const auto now = clock_.now();
  std::vector<std::string> result;
  for (const auto &grant : catalog_.grantsOf(principal.instance)) {
    if (appliesTo(grant, principal) && grant.rights.contains(right) && (!grant.expires || *grant.expires > now)) {
      result.push_back(grant.prefix);
    }
  }
  return result;
}

bool Trust::may(const Principal &principal, Right right, std::string_view path) const {
  const auto allowed = prefixes(principal, right);
  return std::any_of(allowed.begin(), allowed.end(), [&](const auto &prefix) { return isUnder(path, prefix); });
}

bool resourceCovers(const TokenClaims &claims, std::string_view id, std::string_view path) {
  if (claims.resources.empty()) {
    return true;
  }
  return std::any_of(claims.resources.begin(), claims.resources.end(), [&](std::string_view resource) {
    if (resource.starts_with('/')) {
      return isUnder(path, resource.size() > 1 && resource.ends_with('/') ? resource.substr(0, resource.size() - 1)
                                                                          : resource);
    }
    return !id.empty() &&
           (resource == id || (resource.starts_with("https://") && resource.ends_with("/data/" + std::string(id))));
  });
}

} // namespace waybill::security
