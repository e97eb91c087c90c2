// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/data_locator.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "storage/content_store.hpp"

namespace waybill::services {

namespace {

/// The length of text once it is escaped for XML, at most.
std::uint64_t escapedBytes(std::string_view text) {
  static constexpr std::uint64_t longest = 6; // "&quot;"
  std::uint64_t bytes = 0;
  for (const auto c : text) {
    const auto plain =
        static_cast<unsigned char>(c) >= 0x20 && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
    bytes += plain ? 1 : longest;
  }
  return bytes;
}

[[noreturn]] void noSuchData(const Call &call, std::string_view named, const std::string &hint) {
  throw Fault(FaultCode::NoSuchData, call.operation + " found no such data here; " + hint, printable(named, 300));
}

} // namespace

DataLocator::DataLocator(const storage::Catalog &catalog, std::vector<std::string> ownUrls, const Clock &clock)
    : catalog_(catalog), ownUrls_(std::move(ownUrls)), clock_(clock) {}

bool DataLocator::isAlive(const storage::ObjectRow &row) const { return !row.expires || *row.expires > clock_.now(); }

std::optional<storage::ObjectRow> DataLocator::alive(const std::string &id) const {
  if (!storage::isContentId(id)) {
    return std::nullopt;
  }
  auto row = catalog_.object(id);
  return row && isAlive(*row) ? row : std::nullopt;
}

std::optional<storage::ObjectRow> DataLocator::aliveAt(std::string_view path) const {
  auto row = catalog_.objectAt(DataPath::parse(path).text());
  return row && isAlive(*row) ? row : std::nullopt;
}

std::optional<std::string> DataLocator::ownObjectId(std::string_view url, std::string_view baseUrl) const {
  static constexpr std::string_view folder = "/data/";
  if (storage::isContentId(url)) {
    return std::string(url);
  }
  const auto under = [&](std::string_view prefix) -> std::optional<std::string> {
    if (!url.starts_with(prefix) || !url.substr(prefix.size()).starts_with(folder)) {
      return std::nullopt;
    }
    const auto id = url.substr(prefix.size() + folder.size());
    return storage::isContentId(id) ? std::optional(std::string(id)) : std::nullopt;
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
    noSuchData(
        call, path,
        "List (waybill ls) shows what there is; get, rm and copy of waybill take all that is below a path with -r");
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

std::uint64_t describedBytes(const storage::ObjectRow &row) {
  static constexpr std::uint64_t tagsAndFixedFields = 700;
  static constexpr std::uint64_t tagsOfMetadata = 80;
  auto bytes = tagsAndFixedFields + escapedBytes(row.path) + escapedBytes(row.contentType) + escapedBytes(row.owner);
  for (const auto &entry : row.metadata) {
    bytes += tagsOfMetadata + escapedBytes(entry.name) + escapedBytes(entry.value);
  }
  return bytes;
}

void ReplyBound::add(const storage::ObjectRow &row) {
  bytes_ += describedBytes(row);
  if (bytes_ > limit_) {
    throw Fault(FaultCode::TooLarge,
                operation_ + " was asked for so many objects that its reply would have more than " +
                    std::to_string(limit_) + " bytes (limits.envelope_bytes) without their content; ask for fewer",
                row.path);
  }
}

} // namespace waybill::services
