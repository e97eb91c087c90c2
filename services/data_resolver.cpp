// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/data_resolver.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "transport/client.hpp"
#include "transport/url.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace waybill::services {

namespace {

/// The references of `data` that may name a part of the message, in order, with the field each is in.
std::vector<std::pair<const char *, std::string>> attachmentReferences(const Data &data) {
  std::vector<std::pair<const char *, std::string>> references;
  for (const auto &[field, value] :
       {std::pair{"Content", &data.content}, {"Attachment", &data.attachment}, {"Href", &data.href}}) {
    if (*value) {
      references.emplace_back(field, **value);
    }
  }
  return references;
}

std::string said(const std::string &field, const std::string &value, const std::string &why) {
  return field + " '" + transport::printableUrl(value) + "': " + why;
}

/// "https://host/data/<id>", as instances name what they have.
bool namesObject(const std::string &url) {
  static constexpr std::string_view folder = "/data/";
  const auto at = url.rfind(folder);
  return at != std::string::npos && storage::isContentId(std::string_view(url).substr(at + folder.size()));
}

} // namespace

std::unique_ptr<storage::ContentReader> contentUnlessDeleted(const storage::ContentStore &store,
                                                             const std::string &id) {
  try {
    return store.open(id);
  } catch (const Fault &fault) {
    if (fault.code() != FaultCode::NoSuchData) {
      throw;
    }
    return nullptr;
  }
}

DataResolver::DataResolver(const DataLocator &locator, const storage::ContentStore &store, const security::Trust &trust,
                           const RemoteData &remote)
    : locator_(locator), store_(store), trust_(trust), remote_(remote) {}

std::optional<ResolvedData> DataResolver::attached(const Data &data, Call &call, std::vector<std::string> &tried) {
  for (const auto &[field, reference] : attachmentReferences(data)) {
    if (auto source = call.attachments != nullptr ? call.attachments->open(reference) : nullptr) {
      const auto info = call.attachments->info(reference);
      return ResolvedData{std::move(source), {}, info ? info->contentType : std::string()};
    }
    tried.push_back(said(field, reference, "no part of the message has that name"));
  }
  return std::nullopt;
}

/// From this instance.
std::optional<ResolvedData> DataResolver::here(const Data &data, const Call &call, PathIs path,
                                               std::vector<std::string> &tried) const {
  const Permission mayRead(trust_, call, Right::Read);
  const auto open = [&](const std::optional<storage::ObjectRow> &row) -> std::optional<ResolvedData> {
    auto content = row && mayRead.covers(row->id, row->path) ? contentUnlessDeleted(store_, row->id) : nullptr;
    return content ? std::optional(ResolvedData{std::move(content), {}, row->contentType}) : std::nullopt;
  };
  static constexpr auto notForCaller = "no data here that this caller may read";
  for (const auto &[field, value] : {std::pair{"Href", &data.href}, {"Id", &data.id}}) {
    if (!*value) {
      continue;
    }
    const auto id = locator_.ownObjectId(**value, call.baseUrl);
    if (auto found = id ? open(locator_.alive(*id)) : std::nullopt) {
      return found;
    }
    tried.push_back(said(field, **value, id ? notForCaller : "not a reference to data of this instance"));
  }
  if (path == PathIs::Name && data.path && !data.href && !data.id) {
    if (auto found = open(locator_.aliveAt(*data.path))) {
      return found;
    }
    tried.push_back(said("Path", *data.path, notForCaller));
  }
  return std::nullopt;
}

ResolvedData DataResolver::resolve(const Data &data, Call &call, PathIs path, const std::string &what) const {
  Attempts attempts;
  auto &tried = attempts.tried;
  if (auto found = attached(data, call, tried)) {
    return std::move(*found);
  }
  if (auto found = here(data, call, path, tried)) {
    return std::move(*found);
  }
  if (auto elsewhere = fetch(data, call, attempts)) {
    return std::move(*elsewhere);
  }
  if (tried.empty()) {
    tried.emplace_back(std::string("neither Content nor Attachment nor Href was given, nor the ") +
                       (path == PathIs::Name ? "Id or Path" : "Id") + " of data that is here");
  }
  const auto reason = call.operation + " found no bytes for " + what +
                      " in any of the ways that were tried; attach them, or refer to data that is here";
  const auto subject = data.path ? printable(*data.path, 300) : transport::printableUrl(data.id.value_or(""));
  if (attempts.mayPass) {
    throw UnreachableData(FaultCode::UnresolvableData, reason, subject, std::move(tried));
  }
  throw Fault(FaultCode::UnresolvableData, reason, subject, std::move(tried));
}

/// From where Href points to, else, when a token came along, where Id does.
std::optional<ResolvedData> DataResolver::fetch(const Data &data, const Call &call, Attempts &attempts) const {
  const auto isElsewhere = [&](const std::optional<std::string> &url) {
    return url && url->find("://") != std::string::npos && !locator_.ownObjectId(*url, call.baseUrl);
  };
  if (isElsewhere(data.href)) {
    if (auto found = fetch("Href", *data.href, data, call, attempts)) {
      return found;
    }
  }
  if (data.token && isElsewhere(data.id) && data.id != data.href) {
    return fetch("Id", *data.id, data, call, attempts);
  }
  return std::nullopt;
}

std::optional<ResolvedData> DataResolver::fetch(const char *field, const std::string &url, const Data &data,
                                                const Call &call, Attempts &attempts) const {
  try {
    return remote_.open(url, data.token, data.size, call.principal.instance, call.check);
  } catch (const Fault &fault) {
    if (fault.code() == FaultCode::Busy) {
      throw;
    }
    if (call.check) {
      call.check(); // what has ended the call is no matter of this way
    }
    const auto *const delivery = dynamic_cast<const transport::DeliveryFault *>(&fault);
    attempts.mayPass = attempts.mayPass || (delivery != nullptr && delivery->mayPass());
    static constexpr auto perhapsSecure =
        "; when it is secure data of an instance, put a Token of that instance for Copy beside it";
    attempts.tried.push_back(said(field, url, fault.what()) + (data.token || !namesObject(url) ? "" : perhapsSecure));
    return std::nullopt;
  }
}

} // namespace waybill::services
