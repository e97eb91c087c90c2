// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/uploader.hpp"

#include "cli/local_file.hpp"
#include "cli/media_types.hpp"
#include "cli/remote_list.hpp"
#include "cli/sha256.hpp"
#include "cli/token_resources.hpp"
#include "domain/data_path.hpp"
#include "domain/fault.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace waybill::cli {

namespace {

/// Up to this size a file is read whole and travels with others.
constexpr std::uint64_t smallFile = 256 * 1024;
constexpr std::size_t batchFiles = 1000;
constexpr std::uint64_t batchBytes = 16ULL << 20U;
/// A token has to be good until the instance reads it, and its use is remembered until it ends: as long as the slowest
/// link that is worth using needs.
constexpr std::uint64_t slowestRate = 256 * 1024;
constexpr std::chrono::seconds shortestLife{600};
constexpr std::chrono::seconds longestLife{3600};

std::chrono::seconds lifetimeFor(std::uint64_t bytes) {
  return std::clamp(std::chrono::seconds(bytes / slowestRate), shortestLife, longestLife);
}

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
  /// What is known of the bytes once they have been read.
  struct Read {
    std::string sha256;
    std::uint64_t size = 0;
    bool whole = false;
    std::uint64_t counted = 0; ///< told to the progress bar
  };

  std::string local;
  Data data;
  std::shared_ptr<const std::string> bytes; ///< of a small file
  std::shared_ptr<Read> read = std::make_shared<Read>();
  bool input = false;
  std::shared_ptr<const Bytes> first; ///< of the input, read already

  [[nodiscard]] std::unique_ptr<Source> open(Progress &progress) const;
};

namespace {

/// Hashes and counts what passes. `Read` outlives it.
template <class Read> class CountingSource final : public Source {
public:
  CountingSource(std::unique_ptr<Source> inner, std::shared_ptr<Read> read, Progress &progress)
      : inner_(std::move(inner)), read_(std::move(read)), progress_(progress) {
    progress_.rewind(read_->counted); // an earlier attempt's
    read_->counted = 0;
  }
  std::size_t read(std::span<std::byte> into) override {
    const auto count = inner_->read(into);
    if (count == 0 && !into.empty()) {
      finish();
      return 0;
    }
    sum_.update(into.first(count));
    read_->counted += count;
    progress_.advance(count);
    if (const auto length = inner_->size(); length && read_->counted == *length) {
      finish();
    }
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return inner_->size(); }

private:
  void finish() {
    if (!finished_) {
      finished_ = true;
      *read_ = {sum_.hex(), read_->counted, true, read_->counted};
    }
  }
  std::unique_ptr<Source> inner_;
  std::shared_ptr<Read> read_;
  Progress &progress_;
  Sha256 sum_;
  bool finished_ = false;
};

} // namespace

std::unique_ptr<Source> Uploader::Item::open(Progress &progress) const {
  if (bytes) {
    progress.rewind(read->counted);
    progress.advance(bytes->size());
    read->counted = bytes->size();
    return std::make_unique<ViewSource>(asBytes(*bytes));
  }
  std::unique_ptr<Source> inner;
  if (input) {
    inner = std::make_unique<InputSource>(*first);
  } else {
    inner = std::make_unique<FileSource>(local, *data.size);
  }
  return std::make_unique<CountingSource<Read>>(std::move(inner), read, progress);
}

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
  Item item;
  item.local = file.local;
  item.data = describe(file.remote, file.local);
  item.data.size = file.size;
  if (file.size > smallFile) {
    std::vector<Item> alone;
    alone.push_back(std::move(item));
    send(std::move(alone));
    return;
  }
  try {
    FileSource source(file.local, file.size);
    item.bytes = std::make_shared<const std::string>(readAll(source, file.size, file.local));
  } catch (const Fault &fault) {
    events_.failed(file.local, fault);
    return;
  }
  *item.read = {sha256Of(asBytes(*item.bytes)), file.size, true, 0};
  item.data.digest = Digest{DigestAlgorithm::Sha256, item.read->sha256};
  waitingBytes_ += file.size;
  waiting_.push_back(std::move(item));
  if (waiting_.size() == batchFiles || waitingBytes_ >= batchBytes) {
    flush();
  }
}

void Uploader::addInput(const std::string &remotePath) {
  Item item;
  item.local = "standard input";
  item.data = describe(remotePath, remotePath);
  item.input = true;
  // A connection is opened once there is something to send: the instance gives up one that says nothing for long.
  Bytes block(copyBlock);
  block.resize(InputSource({}).read(block));
  item.first = std::make_shared<const Bytes>(std::move(block));
  std::vector<Item> alone;
  alone.push_back(std::move(item));
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
    extras.parts.push_back({contentId, item.data.contentType.value_or("application/octet-stream"), item.data.size,
                            [&item, this] { return item.open(progress_); }});
    extras.repeatable = extras.repeatable && !item.input;
  }
  extras.resources = resourcesFor(paths);
  extras.lifetime = lifetimeFor(bytes);
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
    events_.failed(item.local, Fault(FaultCode::AlreadyExists,
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
  progress_.name(items.front().local);
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
      events_.failed(items.front().local, fault);
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
  auto read = item.read;
  if (!read->whole) {
    // A receipt of an earlier attempt: the instance took no bytes this time.
    const auto again = item.open(progress_);
    StringSink nowhere;
    Bytes block(copyBlock);
    while (again->read(block) != 0) {
    }
  }
  const auto same =
      receipt.path == item.data.path && (!receipt.size || *receipt.size == read->size) &&
      (receipt.digest && receipt.digest->algorithm == DigestAlgorithm::Sha256 && receipt.digest->hex == read->sha256);
  if (same) {
    events_.stored(item.local, receipt);
    return;
  }
  events_.failed(item.local,
                 Fault(FaultCode::DigestMismatch, "what the instance stored as '" + receipt.path.value_or("?") +
                                                      "' is not what was sent (SHA-256 sent " + read->sha256 +
                                                      ", stored " + (receipt.digest ? receipt.digest->hex : "unknown") +
                                                      "); delete it there and send it again"));
}

} // namespace waybill::cli
