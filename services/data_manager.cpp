// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/data_manager.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec.hpp"

#include <algorithm>
#include <set>

namespace waybill::services {

namespace {

/// Where a page ended: hex of the last path. Whatever the caller may see on the next page, it comes after that.
std::string printPageToken(const std::string &path) { return toHex(asBytes(path)); }

std::string parsePageToken(const std::optional<std::string> &token) {
  if (!token || token->empty()) {
    return {};
  }
  try {
    const auto bytes = fromHex(*token);
    return DataPath::parse(bytes ? asText(*bytes) : std::string_view()).text();
  } catch (const Fault &) {
    throw Fault(FaultCode::BadParameter,
                "List takes as PageToken only what an earlier List gave as NextPageToken; leave it out to start anew",
                "PageToken");
  }
}

/// A stretch of paths: `prefix` itself, or all that is below it. Stretches in the order of their starts hold the paths
/// of several prefixes in byte order: "/a", "/a-b" and what is below that, what is below "/a".
struct Stretch {
  std::string start;
  std::string prefix;
  bool below;
};

std::vector<Stretch> stretchesOf(const std::vector<std::string> &prefixes) {
  std::vector<Stretch> stretches;
  for (const auto &prefix : prefixes) {
    stretches.push_back({prefix, prefix, false});
    stretches.push_back({prefix == "/" ? prefix : prefix + "/", prefix, true});
  }
  std::stable_sort(stretches.begin(), stretches.end(), [](const auto &a, const auto &b) { return a.start < b.start; });
  return stretches;
}

std::vector<storage::ObjectRow> rowsOf(const storage::Catalog &catalog, const Stretch &stretch,
                                       const std::string &after, std::size_t limit) {
  if (stretch.below) {
    return catalog.list(stretch.prefix, std::max(stretch.start, after), limit);
  }
  auto row = after < stretch.prefix ? catalog.objectAt(stretch.prefix) : std::nullopt;
  return row ? std::vector{std::move(*row)} : std::vector<storage::ObjectRow>{};
}

/// One page of a List, filled row by row.
class Page {
public:
  Page(std::size_t rows, const std::string &baseUrl) : rows_(rows), baseUrl_(baseUrl) {}

  /// False, and then the page is done and says where the next begins, when the row has no place on it.
  bool add(const storage::ObjectRow &row) {
    // Well under what a client takes (soap::Limits), in bytes as in elements.
    static constexpr std::uint64_t mostBytes = 4U << 20U;
    bytes_ += describedBytes(row);
    if (response.data.size() == rows_ || (bytes_ > mostBytes && !response.data.empty())) {
      response.nextPageToken = printPageToken(response.data.back().path.value());
      return false;
    }
    response.data.push_back(services::describe(row, baseUrl_));
    return true;
  }
  /// So many rows are worth reading at once: metadata may make each large.
  [[nodiscard]] std::size_t wanted() const {
    static constexpr std::size_t mostAtOnce = 250;
    return std::min(mostAtOnce, rows_ - response.data.size() + 1);
  }

  ListResponse response;

private:
  std::size_t rows_;
  const std::string &baseUrl_;
  std::uint64_t bytes_ = 0;
};

/// The objects that messages name, within what a reply may say of them.
std::vector<storage::ObjectRow> locateAll(const DataLocator &locator, Call &call, const std::vector<Data> &wanted,
                                          const Permission &permission, std::uint64_t replyBytes) {
  std::vector<storage::ObjectRow> rows;
  ReplyBound bound(call.operation, replyBytes);
  for (const auto &data : wanted) {
    rows.push_back(locator.locate(data, call, permission));
    call.subjects.push_back(rows.back().path);
    bound.add(rows.back());
  }
  return rows;
}

void refuseSameTwice(const std::vector<storage::ObjectRow> &rows) {
  std::set<std::string> seen;
  for (const auto &row : rows) {
    if (!seen.insert(row.id).second) {
      throw Fault(FaultCode::BadParameter, "Delete was given one object twice in one message; name each once",
                  row.path);
    }
  }
}

} // namespace

DataLimits dataLimits(const Config &config) {
  return {config.inlineBytes, config.objectBytes, config.limits.parts - 1, config.limits.envelopeBytes};
}

DataManager::DataManager(storage::Catalog &catalog, storage::ContentStore &store, const security::Trust &trust,
                         const DataLocator &locator, const RemoteData &remote, const DiskRoom &room, const Clock &clock,
                         DataLimits limits)
    : catalog_(catalog), store_(store), trust_(trust), locator_(locator), room_(room), clock_(clock), limits_(limits),
      resolver_(locator, store, trust, remote) {}

DeleteResponse DataManager::remove(Call &call, const DeleteRequest &request) {
  store_.requireWritable();
  const Permission mayDelete(trust_, call, Right::Delete);
  const auto rows = locateAll(locator_, call, request.data, mayDelete, limits_.replyBytes);
  refuseSameTwice(rows);
  DeleteResponse response;
  for (const auto &row : rows) {
    response.data.push_back(services::describe(row, call.baseUrl));
  }
  call.commit(catalog_, [&](storage::Transaction &transaction) {
    for (const auto &row : rows) {
      if (!transaction.removeObject(row.id)) {
        throw Fault(FaultCode::NoSuchData,
                    "Delete found this already gone, so it deleted nothing; list again and delete what is left",
                    row.path);
      }
    }
    return std::optional(soap::encode(response));
  });
  for (const auto &row : rows) {
    store_.remove(row.id);
  }
  return response;
}

ListResponse DataManager::list(Call &call, const ListRequest &request) const {
  static constexpr std::uint32_t mostRows = 10'000;
  const auto prefix = parsePathPrefix(request.prefix);
  call.subjects.push_back(prefix);
  if (request.limit == 0) {
    throw Fault(FaultCode::BadParameter,
                "List needs a Limit of at least 1 (at most " + std::to_string(mostRows) + " are given at once)",
                "Limit");
  }
  const auto visible = Permission(trust_, call, Right::List).within(prefix);
  if (visible.empty()) {
    throw Fault(FaultCode::NotAllowed,
                "List was refused: the caller has no 'list' right here, or the token's resources leave this out; ask "
                "the instance's administrator for a grant",
                prefix);
  }
  const auto startAfter = parsePageToken(request.pageToken);
  Page page(std::min(request.limit, mostRows), call.baseUrl);
  for (const auto &stretch : stretchesOf(visible)) {
    auto after = startAfter;
    while (true) {
      const auto wanted = page.wanted();
      const auto rows = rowsOf(catalog_, stretch, after, wanted);
      for (const auto &row : rows) {
        if (locator_.isAlive(row) && !page.add(row)) {
          return std::move(page.response);
        }
      }
      if (rows.size() < wanted) {
        break;
      }
      after = rows.back().path;
    }
  }
  return std::move(page.response);
}

DescribeResponse DataManager::describe(Call &call, const DescribeRequest &request) const {
  const Permission mayRead(trust_, call, Right::Read);
  DescribeResponse response;
  for (const auto &row : locateAll(locator_, call, request.data, mayRead, limits_.replyBytes)) {
    response.data.push_back(services::describe(row, call.baseUrl));
  }
  return response;
}

std::size_t DataManager::removeExpired() {
  static constexpr std::size_t atOnce = 1000;
  if (!store_.readOnlyReason().empty()) {
    return 0; // their content could not go
  }
  const auto rows = catalog_.expired(clock_.now(), atOnce);
  if (rows.empty()) {
    return 0;
  }
  catalog_.commit(storage::Durability::Durable, [&](storage::Transaction &transaction) {
    for (const auto &row : rows) {
      transaction.removeObject(row.id);
    }
  });
  for (const auto &row : rows) {
    store_.remove(row.id);
  }
  return rows.size();
}

} // namespace waybill::services
