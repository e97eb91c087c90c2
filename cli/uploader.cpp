// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/uploader.hpp"

#include "cli/media_types.hpp"
#include "cli/outgoing_file.hpp"
#include "cli/remote_list.hpp"
#include "cli/token_resources.hpp"
#include "domain/data_path.hpp"
#include "domain/fault.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace waybill::cli {

namespace {

constexpr std::size_t batchFiles = 1000;
constexpr std::uint64_t batchBytes = 16ULL << 20U;

/// Whether another file of the same message may still go through.
bool concernsOneFile(FaultCode code) {
  switch (code) {
  case FaultCode::AlreadyExists:
  case FaultCode::NotAllowed:
  case FaultCode::BadParameter:
  case FaultCode::TooLarge:
  case FaultCode::DigestMismatch: return true;
  default: return false;
  }
}

} // namespace

/// One object on its way.
struct Uploader::Item {
  OutgoingFile file;
  Data data;
};

Uploader::Uploader(services::RemoteInstance &remote, UploadOptions options, UploadEvents events, Progress &progress)
    : remote_(remote), options_(std::move(options)), events_(std::move(events)), progress_(progress) {}

Uploader::~Uploader() = default;

Data Uploader::describe(const std::string &remotePath, const std::string &localName) const {
  auto data = options_.common;
  data.path = remotePath;
  if (!data.contentType) {
    data.contentType = mediaTypeFor(localName);
  }
  return data;
}

void Uploader::add(const LocalFile &file) {
  std::vector<Item> alone;
  try {
    alone.push_back({OutgoingFile(file.local, file.size), describe(file.remote, file.local)});
  } catch (const Fault &fault) {
    events_.failed(file.local, fault);
    return;
  }
  alone.front().file.declareIn(alone.front().data);
  if (file.size > OutgoingFile::small) {
    send(std::move(alone));
    return;
  }
  waitingBytes_ += file.size;
  waiting_.push_back(std::move(alone.front()));
  if (waiting_.size() == batchFiles || waitingBytes_ >= batchBytes) {
    flush();
  }
}

void Uploader::addInput(const std::string &remotePath) {
  std::vector<Item> alone;
  alone.push_back({OutgoingFile::input(), describe(remotePath, remotePath)});
  send(std::move(alone));
}

void Uploader::flush() {
  waitingBytes_ = 0;
  if (!waiting_.empty()) {
    send(std::exchange(waiting_, {}));
  }
}

ReceiveResponse Uploader::receive(const std::vector<Item> &items) {
  ReceiveRequest request;
  request.overwrite = options_.overwrite;
  services::CallExtras extras;
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
  for (const auto &item : items) {
    const auto contentId = std::to_string(request.data.size()) + ".data@waybill";
    request.data.push_back(item.data);
    request.data.back().content = "cid:" + contentId;
    paths.push_back(*item.data.path);
    bytes += item.data.size.value_or(0);
    extras.parts.push_back(item.file.part(contentId, item.data, progress_));
    extras.repeatable = extras.repeatable && item.file.isRepeatable();
  }
  extras.resources = resourcesFor(paths);
  extras.lifetime = tokenLifeFor(bytes);
  return remote_.call(request, extras).message;
}

/// Looks which of the paths are taken, tells so for each, and takes them out; false when that finds none. For a folder
/// that was sent before: finding each by a message of its own would take as many messages as it has files.
bool Uploader::leaveOutTaken(std::vector<Item> &items) {
  std::string_view folder = *items.front().data.path;
  for (const auto &item : items) {
    const auto [end, other] =
        std::mismatch(folder.begin(), folder.end(), item.data.path->begin(), item.data.path->end());
    folder = folder.substr(0, static_cast<std::size_t>(end - folder.begin()));
  }
  std::set<std::string, std::less<>> taken;
  try {
    listAll(remote_, parsePathPrefix(std::string(folder.substr(0, folder.rfind('/') + 1))),
            [&](const Data &data) { taken.insert(data.path.value_or("")); });
  } catch (const Fault &) {
    return false; // without the right to list: one by one
  }
  const auto left = std::stable_partition(items.begin(), items.end(),
                                          [&](const Item &item) { return taken.find(*item.data.path) == taken.end(); });
  std::for_each(left, items.end(), [&](const Item &item) {
    events_.failed(item.file.name(),
                   Fault(FaultCode::AlreadyExists,
                         "there is data at this path already; to send only what differs, use --overwrite "
                         "if-different",
                         *item.data.path));
  });
  const auto any = left != items.end();
  items.erase(left, items.end());
  return any;
}

/// All in one message, and where that fails for one of them, in two halves: so each failure is found with few messages.
void Uploader::send(std::vector<Item> items) {
  progress_.name(items.front().file.name());
  try {
    const auto response = receive(items);
    if (response.data.size() != items.size()) {
      throw Fault(FaultCode::InvalidMessage, "the instance gave " + std::to_string(response.data.size()) +
                                                 " receipts for " + std::to_string(items.size()) +
                                                 " files; list what is there before you send again");
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      check(items[i], response.data[i]);
    }
    return;
  } catch (const Fault &fault) {
    if (!concernsOneFile(fault.code()) && !(items.size() == 1 && fault.code() == FaultCode::Internal)) {
      throw;
    }
    if (items.size() == 1) {
      events_.failed(items.front().file.name(), fault);
      return;
    }
    if (fault.code() == FaultCode::AlreadyExists && leaveOutTaken(items)) {
      if (!items.empty()) {
        send(std::move(items));
      }
      return;
    }
  }
  const auto middle = items.begin() + static_cast<std::ptrdiff_t>(items.size() / 2);
  std::vector<Item> second(std::make_move_iterator(middle), std::make_move_iterator(items.end()));
  items.erase(middle, items.end());
  send(std::move(items));
  send(std::move(second));
}

void Uploader::check(const Item &item, const Data &receipt) {
  // Of a receipt of an earlier attempt the instance took no bytes this time.
  const auto sum = item.file.sum(progress_);
  const auto same =
      receipt.path == item.data.path && (!receipt.size || *receipt.size == sum.size) &&
      (receipt.digest && receipt.digest->algorithm == DigestAlgorithm::Sha256 && receipt.digest->hex == sum.sha256);
  if (same) {
    events_.stored(item.file.name(), receipt);
    return;
  }
  events_.failed(item.file.name(),
                 Fault(FaultCode::DigestMismatch, "what the instance stored as '" + receipt.path.value_or("?") +
                                                      "' is not what was sent (SHA-256 sent " + sum.sha256 +
                                                      ", stored " + (receipt.digest ? receipt.digest->hex : "unknown") +
                                                      "); delete it there and send it again"));
}

} // namespace waybill::cli
