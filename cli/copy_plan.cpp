// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/copy_plan.hpp"

#include "cli/remote_list.hpp"
#include "domain/data_path.hpp"
#include "domain/fault.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace waybill::cli {

namespace {

std::string lastPart(const std::string &path) { return path.substr(path.rfind('/') + 1); }

/// `name` below the folder, which may end in "/".
std::string below(const std::string &folder, const std::string &name) {
  if (name.empty()) {
    return folder;
  }
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

CopyItem single(services::RemoteInstance &remote, const RemoteName &source, const RemoteName &target) {
  Data found;
  try {
    found = describeOne(remote, source);
  } catch (const Fault &fault) {
    if (fault.code() == FaultCode::NoSuchData && !source.isId()) {
      throw Fault(fault.code(),
                  fault.reason() + "; if '" + source.withPath(source.path) + "' is a folder, copy it with -r",
                  fault.subject());
    }
    throw;
  }
  const auto path = target.namesFolder() ? below(target.path, lastPart(*found.path)) : target.path;
  return {std::move(found), DataPath::parse(path).text()};
}

CopyBatch folder(services::RemoteInstance &remote, const RemoteName &source, const RemoteName &target) {
  const auto prefix = parsePathPrefix(source.path);
  const auto base = target.namesFolder() ? below(target.path, lastPart(prefix)) : target.path;
  CopyBatch items;
  listAll(remote, prefix, [&](const Data &data) {
    if (!data.id) {
      throw Fault(FaultCode::InvalidMessage, "the instance does not say which Id the object has", *data.path);
    }
    const auto rest = *data.path == prefix ? std::string() : data.path->substr(prefix == "/" ? 1 : prefix.size() + 1);
    items.push_back({data, DataPath::parse(below(base, rest)).text()});
  });
  if (items.empty()) {
    throw Fault(FaultCode::NoSuchData, "there is nothing at or below '" + source.withPath(source.path) +
                                           "', or nothing that you may see; look with: waybill ls " +
                                           source.withPath("/"));
  }
  return items;
}

std::string commonFolder(const CopyBatch &items) {
  if (items.size() == 1) {
    return items.front().path;
  }
  std::string_view common = items.front().path;
  for (const auto &item : items) {
    const auto end = std::mismatch(common.begin(), common.end(), item.path.begin(), item.path.end()).first;
    common = common.substr(0, static_cast<std::size_t>(end - common.begin()));
  }
  return std::string(common.substr(0, common.rfind('/') + 1));
}

} // namespace

bool sameBytes(const Data &a, const Data &b) { return a.size == b.size && a.digest && a.digest == b.digest; }

std::uint64_t bytesOf(const CopyBatch &items) {
  return std::accumulate(items.begin(), items.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const CopyItem &item) { return sum + item.from.size.value_or(0); });
}

CopyBatch findSources(services::RemoteInstance &remote, const RemoteName &source, bool recursive,
                      const RemoteName &target) {
  if (recursive || source.namesFolder()) {
    return folder(remote, source, target);
  }
  return {single(remote, source, target)};
}

void leaveOutTaken(CopyBatch &items, services::RemoteInstance &remote, Overwrite overwrite, const TakenEvents &events) {
  if (overwrite == Overwrite::Always || items.empty()) {
    return;
  }
  std::map<std::string, Data, std::less<>> there;
  try {
    listAll(remote, commonFolder(items), [&](const Data &data) { there.emplace(*data.path, data); });
  } catch (const Fault &fault) {
    if (fault.code() != FaultCode::NotAllowed) {
      throw;
    }
    return; // who may only write there is told by the delivery itself
  }
  std::erase_if(items, [&](const CopyItem &item) {
    const auto found = there.find(item.path);
    if (found == there.end()) {
      return false;
    }
    if (sameBytes(item.from, found->second)) {
      events.present(item, found->second);
      return true;
    }
    if (overwrite == Overwrite::Never) {
      events.taken(item);
      return true;
    }
    return false;
  });
}

std::vector<CopyBatch> inBatches(CopyBatch items, const BatchLimits &limits) {
  std::vector<CopyBatch> batches;
  std::uint64_t bytes = 0;
  for (auto &item : items) {
    const auto size = item.from.size.value_or(0);
    if (batches.empty() || batches.back().size() >= limits.objects || bytes + size > limits.bytes) {
      batches.emplace_back();
      bytes = 0;
    }
    bytes += size;
    batches.back().push_back(std::move(item));
  }
  return batches;
}

} // namespace waybill::cli
