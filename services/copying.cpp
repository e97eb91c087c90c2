// SPDX-License-Identifier: GPL-3.0-or-later
// DataManager: how data is handed out.
#include "services/data_manager.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/memory.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

/// What anybody may read needs no bytes in a reply.
void requirePublic(const storage::ObjectRow &row) {
  if (row.secure) {
    throw Fault(FaultCode::NotAllowed,
                "Copy by Reference is for data that is not secure, and this is; ask for MTOM, SwA or Inline", row.path);
  }
}

/// Under which path the reply names it: a Path beside the Id says so.
std::string nameFor(const Data &data, const storage::ObjectRow &row) {
  return data.id && data.path ? DataPath::parse(*data.path).text() : row.path;
}

[[noreturn]] void goneSince(const std::string &name) {
  throw Fault(FaultCode::NoSuchData,
              "Copy found this deleted, replaced or expired since the copy was asked for; ask for it anew", name);
}

} // namespace

Attach howToAttach(const std::optional<Attach> &asked, const Call &call) {
  return asked.value_or(call.packaging == soap::Packaging::SwA ? Attach::SwA : Attach::Mtom);
}

soap::InlineContents viewsOf(const std::map<std::string, std::string> &inlined) {
  return {inlined.begin(), inlined.end()};
}

/// An object with its content held.
struct DataManager::Found {
  storage::ObjectRow row;
  std::shared_ptr<const storage::HeldContent> content;
};

DataManager::Found DataManager::find(const Data &data, const Call &call, const Permission &mayRead) const {
  for (auto attemptsLeft = 5;; --attemptsLeft) {
    auto row = locator_.locate(data, call, mayRead);
    try {
      auto content = store_.hold(row.id);
      return {std::move(row), std::move(content)};
    } catch (const Fault &fault) {
      // Overwritten or deleted since the catalog was asked: it is asked again.
      if (fault.code() != FaultCode::NoSuchData || attemptsLeft == 0) {
        throw;
      }
    }
  }
}

/// Adds what was found to the reply under `name`, with its bytes in the way asked for.
void DataManager::add(CopyReply &reply, const Found &found, const std::string &name, Attach how,
                      const std::string &baseUrl) const {
  auto data = services::describe(found.row, baseUrl);
  data.path = name;
  reply.bytes += found.row.size;
  if (how == Attach::Reference) {
    requirePublic(found.row);
    data.href = data.id;
  } else {
    attach(reply, data, found, how);
  }
  reply.response.data.push_back(std::move(data));
}

/// Adds the bytes of `found` to the reply, and says in `data` where they are.
void DataManager::attach(CopyReply &reply, Data &data, const Found &found, Attach how) const {
  const auto &row = found.row;
  const auto contentId = std::to_string(reply.response.data.size()) + "." + row.id + "@waybill";
  auto &reference = how == Attach::SwA ? data.attachment : data.content;
  reference = "cid:" + contentId;
  if (how != Attach::Inline) {
    reply.parts.push_back(
        {contentId, row.contentType, row.size, [content = found.content] { return content->open(); }});
    reply.packaging = how == Attach::SwA ? soap::Packaging::SwA : soap::Packaging::Mtom;
    return;
  }
  checkInline(reply.bytes, row.path);
  reply.inlined[contentId] = readAll(*found.content->open(), row.size, row.path);
}

void DataManager::checkCount(const CopyRequest &request) const {
  if (request.data.size() > limits_.copiedObjects) {
    throw Fault(FaultCode::TooLarge,
                "Copy was asked for " + std::to_string(request.data.size()) + " objects at once, and gives at most " +
                    std::to_string(limits_.copiedObjects) + " (limits.parts, less one for the envelope); ask for fewer",
                printable(request.data.front().path.value_or(request.data.front().id.value_or("")), 300));
  }
}

void DataManager::checkInline(std::uint64_t bytes, const std::string &path) const {
  if (bytes > limits_.inlineBytes) {
    throw Fault(FaultCode::TooLarge,
                "Copy with Attach Inline was asked for " + std::to_string(bytes) +
                    " bytes or more, and this instance sends at most " + std::to_string(limits_.inlineBytes) +
                    " (limits.inline_bytes) that way; ask for MTOM or SwA",
                path);
  }
}

CopyReply DataManager::copy(Call &call, const CopyRequest &request) const {
  checkCount(request);
  const Permission mayRead(trust_, call, Right::Read);
  const auto how = howToAttach(request.attach, call);
  CopyReply reply;
  ReplyBound bound(call.operation, limits_.replyBytes);
  for (const auto &data : request.data) {
    const auto found = find(data, call, mayRead);
    call.subjects.push_back(found.row.path);
    bound.add(found.row);
    if (how == Attach::Inline) {
      soap::takeMemory(call.memory, soap::memoryOfInline * std::min(found.row.size, limits_.inlineBytes));
    }
    add(reply, found, nameFor(data, found.row), how, call.baseUrl);
  }
  call.bytesOut += how == Attach::Reference ? 0 : reply.bytes;
  return reply;
}

CopyOrder DataManager::order(Call &call, const CopyRequest &request) const {
  checkCount(request);
  const Permission mayRead(trust_, call, Right::Read);
  CopyOrder order;
  order.attach = howToAttach(request.attach, call);
  order.priority = request.priority.value_or(normalPriority);
  ReplyBound bound(call.operation, limits_.replyBytes);
  for (const auto &data : request.data) {
    const auto row = locator_.locate(data, call, mayRead);
    call.subjects.push_back(row.path);
    bound.add(row);
    order.bytes += row.size;
    if (order.attach == Attach::Reference) {
      requirePublic(row);
    } else if (order.attach == Attach::Inline) {
      checkInline(order.bytes, row.path);
    }
    order.items.push_back({row.id, nameFor(data, row)});
  }
  return order;
}

CopyReply DataManager::fill(const CopyOrder &order, const Principal &caller, const std::string &baseUrl,
                            const std::string &lease) const {
  CopyReply reply;
  for (const auto &item : order.items) {
    auto row = locator_.alive(item.id);
    if (!row) {
      goneSince(item.name);
    }
    if (!trust_.may(caller, Right::Read, row->path)) {
      throw Fault(FaultCode::NotAllowed,
                  "Copy was refused: the caller has lost the 'read' right here since the copy was asked for",
                  row->path);
    }
    auto content = store_.hold(item.id);
    if (lease.empty()) {
      add(reply, {std::move(*row), std::move(content)}, item.name, order.attach, baseUrl);
      continue;
    }
    auto data = services::describe(*row, baseUrl);
    data.path = item.name;
    data.href = lease + "/" + std::to_string(reply.leased.size());
    reply.bytes += row->size;
    reply.leased.push_back({std::move(content), row->size, row->sha256, row->path});
    reply.response.data.push_back(std::move(data));
  }
  return reply;
}

} // namespace waybill::services
