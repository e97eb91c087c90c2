// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/copy_run.hpp"

#include "cli/remote_transfers.hpp"
#include "cli/side_fault.hpp"
#include "cli/signals.hpp"
#include "cli/task.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace waybill::cli {

namespace {

using namespace std::chrono_literals;

constexpr BatchLimits sentAtOnce{1000, 1ULL << 30U};
/// The destination answers when it has them all, and a client waits only so long for a sign of life.
constexpr BatchLimits pulledAtOnce{100, 64ULL << 20U};
/// Transfers begun and not ended: the tokens of those that would come later should not grow old meanwhile.
constexpr std::size_t atOnce = 8;
constexpr auto firstLook = 20ms;
constexpr auto longestPause = 1000ms;

/// Whether others of the same message may still go through.
bool concernsOneObject(const Fault &fault) {
  if (isRefusedAddress(fault)) {
    return false;
  }
  switch (fault.code()) {
  case FaultCode::AlreadyExists:
  case FaultCode::NotAllowed:
  case FaultCode::BadParameter:
  case FaultCode::TooLarge:
  case FaultCode::NoSuchData:
  case FaultCode::UnresolvableData:
  case FaultCode::DigestMismatch: return true;
  default: return false;
  }
}

/// The side that a failed transfer has its fault from. The source itself has only these to complain about.
const char *sideOf(const Fault &fault) {
  const auto ofSource = fault.code() == FaultCode::NoSuchData || fault.code() == FaultCode::AddressNotAllowed ||
                        fault.reason().starts_with("Copy ");
  return ofSource ? "source" : "destination";
}

} // namespace

CopyRun::CopyRun(ThirdParty &calls, services::RemoteInstance &source, services::RemoteInstance &destination,
                 CopyEvents events, Progress &progress)
    : calls_(calls), source_(source), destination_(destination), events_(std::move(events)), progress_(progress) {}

void CopyRun::join(CopyBatch &items) {
  std::map<std::string, std::string, std::less<>> transferOfPath;
  listUnderWay(source_, [&](const Transfer &transfer) {
    if (transfer.operation == "Copy" && transfer.destination == destination_.dataEndpoint({}).address) {
      for (const auto &path : transfer.sources) {
        transferOfPath.emplace(path, transfer.messageId);
      }
    }
  });
  std::erase_if(items, [&](CopyItem &item) {
    const auto found = transferOfPath.find(item.path);
    if (found == transferOfPath.end()) {
      return false;
    }
    auto &watched = watched_[found->second];
    watched.joined = true;
    watched.items.push_back(std::move(item));
    return true;
  });
}

void CopyRun::send(CopyBatch items) {
  for (auto &batch : inBatches(std::move(items), sentAtOnce)) {
    waiting_.push_back(std::move(batch));
  }
  auto pause = std::chrono::milliseconds(firstLook);
  while (!waiting_.empty() || !watched_.empty()) {
    while (!waiting_.empty() && watched_.size() < atOnce) {
      throwIfInterrupted();
      beginNext();
    }
    sleepUnlessInterrupted(pause);
    pause = look() ? firstLook : std::min<std::chrono::milliseconds>(pause * 3 / 2, longestPause);
  }
}

void CopyRun::begin(CopyBatch items) {
  for (auto &batch : inBatches(std::move(items), sentAtOnce)) {
    waiting_.push_back(std::move(batch));
  }
  while (!waiting_.empty()) {
    throwIfInterrupted();
    beginNext();
  }
}

void CopyRun::pull(CopyBatch items) {
  for (auto &batch : inBatches(std::move(items), pulledAtOnce)) {
    waiting_.push_back(std::move(batch));
  }
  while (!waiting_.empty()) {
    throwIfInterrupted();
    auto batch = std::move(waiting_.front());
    waiting_.pop_front();
    progress_.name(batch.front().path);
    try {
      const auto receipts = calls_.pull(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        events_.copied(batch[i], {}, &receipts[i]);
      }
      progress_.advance(bytesOf(batch));
    } catch (const Fault &fault) {
      fail(std::move(batch), {}, explained("destination", fault, source_.address().url));
    }
  }
}

std::vector<std::string> CopyRun::underWay() const {
  std::vector<std::string> ids;
  std::transform(watched_.begin(), watched_.end(), std::back_inserter(ids),
                 [](const auto &entry) { return entry.first; });
  return ids;
}

void CopyRun::beginNext() {
  auto batch = std::move(waiting_.front());
  waiting_.pop_front();
  progress_.name(batch.front().path);
  try {
    auto id = calls_.send(batch);
    watched_[std::move(id)].items = std::move(batch);
  } catch (const Fault &fault) {
    fail(std::move(batch), {}, explained("source", fault, destination_.address().url));
  }
}

/// Asks how each stands; true when one has ended.
bool CopyRun::look() {
  bool any = false;
  for (auto entry = watched_.begin(); entry != watched_.end();) {
    Transfer transfer;
    try {
      transfer = transferOf(source_, entry->first);
    } catch (const Fault &fault) {
      throw about("source", fault);
    }
    if (!isFinal(transfer.state)) {
      show(entry->second, transfer.bytesDone);
      if (transfer.lastError && transfer.lastError != entry->second.lastError) {
        entry->second.lastError = transfer.lastError;
        events_.delayed(entry->second.items, *transfer.lastError);
      }
      ++entry;
      continue;
    }
    any = true;
    auto watched = std::move(entry->second);
    entry = watched_.erase(entry);
    end(transfer, std::move(watched));
  }
  return any;
}

void CopyRun::end(const Transfer &transfer, Watched watched) {
  if (transfer.state == TransferState::Succeeded) {
    succeed(transfer, std::move(watched));
    return;
  }
  show(watched, 0);
  if (transfer.state == TransferState::Cancelled) {
    events_.failed(watched.items, transfer.messageId,
                   Fault(FaultCode::DeliveryFailed, "source: the transfer was cancelled; run the command again to "
                                                    "copy what is missing"));
  } else if (watched.joined) {
    waiting_.push_front(std::move(watched.items)); // what an earlier run began, on its tokens
  } else {
    const auto fault =
        lastFault(transfer.lastError).value_or(Fault(FaultCode::DeliveryFailed, "it failed, and nobody says why"));
    fail(std::move(watched.items), transfer.messageId, explained(sideOf(fault), fault, destination_.address().url));
  }
}

void CopyRun::succeed(const Transfer &transfer, Watched watched) {
  const auto receiptOf = [&](const CopyItem &item) {
    const auto found = std::find_if(transfer.receipt.begin(), transfer.receipt.end(),
                                    [&](const Data &data) { return data.path == item.path; });
    return found == transfer.receipt.end() ? nullptr : &*found;
  };
  // An earlier run may have sent something else to the same place.
  const auto others = std::stable_partition(watched.items.begin(), watched.items.end(), [&](const CopyItem &item) {
    const auto *const receipt = receiptOf(item);
    return !watched.joined || (receipt != nullptr && sameBytes(item.from, *receipt));
  });
  if (others != watched.items.end()) {
    waiting_.emplace_front(std::make_move_iterator(others), std::make_move_iterator(watched.items.end()));
    watched.items.erase(others, watched.items.end());
  }
  show(watched, bytesOf(watched.items));
  for (const auto &item : watched.items) {
    events_.copied(item, transfer.messageId, receiptOf(item));
  }
}

/// One failure ends a whole message, so its two halves are tried, until it is found which objects it is about.
void CopyRun::fail(CopyBatch items, const std::string &transfer, const Fault &fault) {
  if (!concernsOneObject(fault)) {
    if (transfer.empty()) {
      throw fault;
    }
    events_.failed(items, transfer, fault);
    return;
  }
  if (items.size() == 1) {
    events_.failed(items, transfer, fault);
    return;
  }
  const auto middle = items.begin() + static_cast<std::ptrdiff_t>(items.size() / 2);
  waiting_.emplace_front(std::make_move_iterator(middle), std::make_move_iterator(items.end()));
  items.erase(middle, items.end());
  waiting_.push_front(std::move(items));
}

void CopyRun::show(Watched &watched, std::uint64_t bytes) {
  const auto most = std::min(bytes, bytesOf(watched.items));
  progress_.rewind(watched.shown > most ? watched.shown - most : 0);
  progress_.advance(most > watched.shown ? most - watched.shown : 0);
  watched.shown = most;
}

} // namespace waybill::cli
