// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/block_worker.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace waybill::storage {

namespace {

/// What is smaller than this is worked on sooner than a thread starts.
constexpr std::uint64_t threadFrom = 4ULL * 1024 * 1024;
constexpr std::size_t blockBytes = 128UL * 1024;
constexpr std::size_t mostBlocks = 4;
/// Streams that are pulled in stripes grow at several places; each has a block of its own.
constexpr std::size_t mostGathering = mostBlocks / 2;

struct Block {
  std::uint64_t offset = 0;
  Bytes bytes;
  [[nodiscard]] std::uint64_t end() const noexcept { return offset + bytes.size(); }
};

} // namespace

class BlockWorker::Thread {
public:
  explicit Thread(const Work &work) : work_(work), thread_([this] { run(); }) {}
  ~Thread() {
    {
      const std::lock_guard lock(mutex_);
      full_.clear();
    }
    end();
  }
  Thread(const Thread &) = delete;
  Thread &operator=(const Thread &) = delete;

  void add(std::uint64_t offset, ByteView bytes) {
    while (!bytes.empty()) {
      auto &block = growingAt(offset);
      const auto now = bytes.first(std::min(blockBytes - block.bytes.size(), bytes.size()));
      block.bytes.insert(block.bytes.end(), now.begin(), now.end());
      if (block.bytes.size() == blockBytes) {
        handOver(block);
      }
      offset += now.size();
      bytes = bytes.subspan(now.size());
    }
  }

  void finish() {
    while (!gathering_.empty()) {
      handOver(gathering_.front());
    }
    end();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

private:
  Block &growingAt(std::uint64_t offset) {
    const auto found =
        std::find_if(gathering_.begin(), gathering_.end(), [&](const Block &block) { return block.end() == offset; });
    if (found != gathering_.end()) {
      return *found;
    }
    if (gathering_.size() == mostGathering) {
      handOver(gathering_.front());
    }
    return gathering_.emplace_back(Block{offset, freeBytes()});
  }

  Bytes freeBytes() {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [this] { return !idle_.empty() || made_ < mostBlocks || failure_; });
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    Bytes bytes;
    if (idle_.empty()) {
      ++made_;
      bytes.reserve(blockBytes);
    } else {
      bytes = std::move(idle_.back());
      idle_.pop_back();
      bytes.clear();
    }
    return bytes;
  }

  void handOver(const Block &block) {
    const auto at =
        std::find_if(gathering_.begin(), gathering_.end(), [&](const Block &one) { return &one == &block; });
    {
      const std::lock_guard lock(mutex_);
      full_.push_back(std::move(*at));
    }
    gathering_.erase(at);
    wake_.notify_one();
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return ending_ || !full_.empty(); });
      if (full_.empty() || failure_) {
        return;
      }
      auto block = std::move(full_.front());
      full_.pop_front();
      lock.unlock();
      auto thrown = attempt(block);
      lock.lock();
      failure_ = std::move(thrown);
      idle_.push_back(std::move(block.bytes));
      freed_.notify_one();
    }
  }

  [[nodiscard]] std::exception_ptr attempt(const Block &block) const {
    try {
      work_(block.offset, block.bytes);
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  const Work &work_;
  std::deque<Block> gathering_; ///< the owner's, the oldest first
  std::mutex mutex_;
  std::condition_variable wake_;  ///< of the thread
  std::condition_variable freed_; ///< of the owner
  std::deque<Block> full_;
  std::deque<Bytes> idle_;
  std::size_t made_ = 0;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

BlockWorker::BlockWorker(Work work) : work_(std::move(work)) {}
BlockWorker::~BlockWorker() = default;

void BlockWorker::add(std::uint64_t offset, ByteView bytes) {
  if (!thread_ && !threadless_ && added_ >= threadFrom) {
    try {
      thread_ = std::make_unique<Thread>(work_);
    } catch (const std::system_error &) {
      threadless_ = true; // slower, not wrong
    }
  }
  added_ += bytes.size();
  if (thread_) {
    thread_->add(offset, bytes);
  } else if (!bytes.empty()) {
    work_(offset, bytes);
  }
}

void BlockWorker::finish() {
  if (thread_) {
    thread_->finish();
    thread_.reset();
  }
}

} // namespace waybill::storage
