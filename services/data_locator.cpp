// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/data_locator.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"

namespace waybill::services {

namespace {

bool isObjectId(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

[[noreturn]] void noSuchData(const Call &call, std::string_view named, const std::string &hint) {
  throw Fault(FaultCode::NoSuchData, call.operation + " found no such data here; " + hint, printable(named, 300));
}

} // namespace

DataLocator::DataLocator(const storage::Catalog &catalog, std::vector<std::string> ownUrls, const Clock &clock)
    : catalog_(catalog), ownUrls_(std::move(ownUrls)), clock_(clock) {}

bool DataLocator::isAlive(const storage::ObjectRow &row) const { return !row.expires || *row.expires > clock_.now(); }

std::optional<storage::ObjectRow> DataLocator::alive(const std::string &id) const {
  auto row = catalog_.object(id);
  return row && isAlive(*row) ? row : std::nullopt;
}

std::optional<std::string> DataLocator::ownObjectId(std::string_view url, std::string_view baseUrl) const {
  static constexpr std::string_view folder = "/data/";
  if (isObjectId(url)) {
    return std::string(url);
  }
  const auto under = [&](std::string_view prefix) -> std::optional<std::string> {
    if (!url.starts_with(prefix) || !url.substr(prefix.size()).starts_with(folder)) {
      return std::nullopt;
    }
    const auto id = url.substr(prefix.size() + folder.size());
    return isObjectId(id) ? std::optional(std::string(id)) : std::nullopt;
  };
  if (auto id = under(baseUrl)) {
    return id;
  }
  for (const auto &prefix : ownUrls_) {
    if (auto id = under(prefix)) {
      return id;
    }
  }
  return std::nullopt;
}

storage::ObjectRow DataLocator::locate(const Data &data, const Call &call, const Permission &permission) const {
  if (data.id) {
    const auto id = ownObjectId(*data.id, call.baseUrl);
    if (!id) {
      noSuchData(call, *data.id,
                 "the Id is not one of this instance's (" + call.baseUrl +
                     "/data/<id>); ask the instance that it names");
    }
    auto row = alive(*id);
    if (!row || !permission.covers(*id, row->path)) {
      noSuchData(call, *data.id, "it was deleted, has expired, never was, or is not for this caller");
    }
    return *row;
  }
  if (!data.path) {
    throw Fault(FaultCode::BadParameter, call.operation + " needs an Id or a Path in each Data", "Data");
  }
  const auto path = DataPath::parse(*data.path).text();
  auto row = catalog_.objectAt(path);
  permission.require(row ? row->id : "", path);
  if (!row || !isAlive(*row)) {
    noSuchData(call, path, "List shows what there is");
  }
  return *row;
}

Data describe(const storage::ObjectRow &row, const std::string &baseUrl) {
  Data data;
  data.id = baseUrl + "/data/" + row.id;
  data.path = row.path;
  data.contentType = row.contentType;
  data.size = row.size;
  data.digest = Digest{DigestAlgorithm::Sha256, row.sha256};
  data.secure = row.secure;
  data.created = row.created;
  data.expires = row.expires;
  data.owner = row.owner;
  data.metadata = row.metadata;
  return data;
}

} // namespace waybill::services
