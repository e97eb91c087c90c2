// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/data_manager.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

std::uint64_t totalSize(const std::vector<storage::ObjectRow> &rows) {
  std::uint64_t total = 0;
  for (const auto &row : rows) {
    total += row.size;
  }
  return total;
}

Attach howToAttach(const CopyRequest &request, const Call &call) {
  return request.attach.value_or(call.packaging == soap::Packaging::SwA ? Attach::SwA : Attach::Mtom);
}

/// Adds the bytes of `row` to the reply in the way asked for, and says in `data` where they are.
void attach(CopyReply &reply, Data &data, const storage::ObjectRow &row, Attach how,
            const storage::ContentStore &store) {
  if (how == Attach::Reference) {
    if (row.secure) {
      throw Fault(FaultCode::NotAllowed,
                  "Copy by Reference is for data that is not secure, and this is; ask for MTOM, SwA or Inline",
                  row.path);
    }
    data.href = data.id;
    return;
  }
  const auto contentId = std::to_string(reply.response.data.size()) + "." + row.id + "@waybill";
  auto &reference = how == Attach::SwA ? data.attachment : data.content;
  reference = "cid:" + contentId;
  auto reader = std::shared_ptr<storage::ContentReader>(store.open(row.id));
  if (how == Attach::Inline) {
    reply.inlined[contentId] = readAll(*reader, row.size, row.path);
    return;
  }
  struct Shared final : Source {
    explicit Shared(std::shared_ptr<storage::ContentReader> content) : reader(std::move(content)) {}
    std::size_t read(std::span<std::byte> into) override { return reader->read(into); }
    std::shared_ptr<storage::ContentReader> reader;
  };
  reply.parts.push_back({contentId, row.contentType, row.size, [reader] { return std::make_unique<Shared>(reader); }});
  reply.packaging = how == Attach::SwA ? soap::Packaging::SwA : soap::Packaging::Mtom;
}

/// Where a page ended: hex of "<prefix>\n<path>" (neither can hold a line end).
std::string printPageToken(const std::string &prefix, const std::string &path) {
  return toHex(asBytes(prefix + "\n" + path));
}

std::pair<std::string, std::string> parsePageToken(const std::optional<std::string> &token) {
  if (!token || token->empty()) {
    return {};
  }
  const auto bytes = fromHex(*token);
  const auto text = bytes ? std::string(asText(*bytes)) : std::string();
  const auto end = text.find('\n');
  if (end == std::string::npos) {
    throw Fault(FaultCode::BadParameter,
                "List takes as PageToken only what an earlier List gave as NextPageToken; leave it out to start anew",
                "PageToken");
  }
  return {text.substr(0, end), text.substr(end + 1)};
}

} // namespace

DataManager::DataManager(storage::Catalog &catalog, storage::ContentStore &store, const security::Trust &trust,
                         const DataLocator &locator, const Clock &clock, DataLimits limits)
    : catalog_(catalog), store_(store), trust_(trust), locator_(locator), clock_(clock), limits_(limits),
      resolver_(locator, store, trust) {}

CopyReply DataManager::copy(Call &call, const CopyRequest &request) const {
  const Permission mayRead(trust_, call, Right::Read);
  const auto how = howToAttach(request, call);
  std::vector<storage::ObjectRow> rows;
  for (const auto &data : request.data) {
    rows.push_back(locator_.locate(data, call, mayRead));
    call.subjects.push_back(rows.back().path);
  }
  if (const auto total = totalSize(rows); how == Attach::Inline && total > limits_.inlineBytes) {
    throw Fault(FaultCode::TooLarge,
                "Copy with Attach Inline was asked for " + std::to_string(total) +
                    " bytes, and this instance sends at most " + std::to_string(limits_.inlineBytes) +
                    " (limits.inline_bytes) that way; ask for MTOM or SwA",
                rows.front().path);
  }
  CopyReply reply;
  for (const auto &row : rows) {
    auto data = services::describe(row, call.baseUrl);
    attach(reply, data, row, how, store_);
    reply.response.data.push_back(std::move(data));
    call.bytesOut += how == Attach::Reference ? 0 : row.size;
  }
  return reply;
}

DeleteResponse DataManager::remove(Call &call, const DeleteRequest &request) {
  const Permission mayDelete(trust_, call, Right::Delete);
  std::vector<storage::ObjectRow> rows;
  DeleteResponse response;
  for (const auto &data : request.data) {
    rows.push_back(locator_.locate(data, call, mayDelete));
    call.subjects.push_back(rows.back().path);
    response.data.push_back(services::describe(rows.back(), call.baseUrl));
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
  const auto limit = std::min(request.limit, mostRows);
  const auto [startPrefix, startAfter] = parsePageToken(request.pageToken);
  ListResponse response;
  for (const auto &part : visible) {
    if (part < startPrefix) {
      continue;
    }
    auto after = part == startPrefix ? startAfter : std::string();
    while (true) {
      const auto wanted = limit - response.data.size() + 1;
      const auto rows = catalog_.list(part, after, wanted);
      for (const auto &row : rows) {
        if (response.data.size() == limit) {
          response.nextPageToken = printPageToken(part, after);
          return response;
        }
        if (locator_.isAlive(row)) {
          response.data.push_back(services::describe(row, call.baseUrl));
        }
        after = row.path;
      }
      if (rows.size() < wanted) {
        break;
      }
    }
  }
  return response;
}

DescribeResponse DataManager::describe(Call &call, const DescribeRequest &request) const {
  const Permission mayRead(trust_, call, Right::Read);
  DescribeResponse response;
  for (const auto &data : request.data) {
    const auto row = locator_.locate(data, call, mayRead);
    call.subjects.push_back(row.path);
    response.data.push_back(services::describe(row, call.baseUrl));
  }
  return response;
}

std::size_t DataManager::removeExpired() {
  static constexpr std::size_t atOnce = 1000;
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
