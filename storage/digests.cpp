// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/digests.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <libdeflate.h>
#include <mutex>
#include <openssl/evp.h>
#include <optional>
#include <system_error>
#include <thread>

namespace waybill::storage {

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX *context) const noexcept { EVP_MD_CTX_free(context); }
};

[[noreturn]] void noSha256() {
  throw Fault(FaultCode::Internal, "computing SHA-256 failed in OpenSSL; check that its default provider is available");
}

/// Both digests of the bytes that it is fed.
class Sums {
public:
  Sums() {
    if (!sha256_ || EVP_DigestInit_ex(sha256_.get(), EVP_sha256(), nullptr) != 1) {
      noSha256();
    }
  }

  void add(ByteView bytes) {
    // Small steps: the second digest finds the bytes in the cache.
    static constexpr std::size_t step = 32UL * 1024;
    while (!bytes.empty()) {
      const auto now = bytes.first(std::min(step, bytes.size()));
      if (EVP_DigestUpdate(sha256_.get(), now.data(), now.size()) != 1) {
        noSha256();
      }
      adler32_ = libdeflate_adler32(adler32_, now.data(), now.size());
      bytes = bytes.subspan(now.size());
    }
  }

  [[nodiscard]] std::string sha256Hex() {
    std::array<std::byte, 32> digest{};
    if (EVP_DigestFinal_ex(sha256_.get(), reinterpret_cast<unsigned char *>(digest.data()), nullptr) != 1) {
      noSha256();
    }
    return toHex(digest);
  }

  [[nodiscard]] std::string adler32Hex() const {
    std::array<std::byte, 4> digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::byte>(adler32_ >> (24 - 8 * i));
    }
    return toHex(digest);
  }

private:
  std::unique_ptr<EVP_MD_CTX, FreeContext> sha256_{EVP_MD_CTX_new()};
  std::uint32_t adler32_ = 1; // RFC 1950: of nothing
};

/// Sums in a thread of its own, so that hashing goes on beside decrypting and writing. At most a few blocks are under
/// way.
class SummingThread {
public:
  explicit SummingThread(Sums &sums) : sums_(sums), thread_([this] { run(); }) {}
  ~SummingThread() { end(); }
  SummingThread(const SummingThread &) = delete;
  SummingThread &operator=(const SummingThread &) = delete;

  void add(ByteView bytes) {
    while (!bytes.empty()) {
      const auto now = bytes.first(std::min(blockBytes, bytes.size()));
      auto block = freeBlock();
      block.assign(now.begin(), now.end());
      {
        const std::lock_guard lock(mutex_);
        full_.push_back(std::move(block));
      }
      changed_.notify_all();
      bytes = bytes.subspan(now.size());
    }
  }

  /// Waits until all has been summed. Throws what went wrong on the way.
  void finish() {
    end();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

private:
  static constexpr std::size_t blockBytes = 128UL * 1024;
  static constexpr std::size_t mostBlocks = 3;

  Bytes freeBlock() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !free_.empty() || made_ < mostBlocks; });
    if (free_.empty()) {
      ++made_;
      return {};
    }
    auto block = std::move(free_.back());
    free_.pop_back();
    return block;
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !full_.empty(); });
      if (full_.empty()) {
        return;
      }
      auto block = std::move(full_.front());
      full_.pop_front();
      lock.unlock();
      sum(block);
      lock.lock();
      free_.push_back(std::move(block));
      changed_.notify_all();
    }
  }

  void sum(const Bytes &block) {
    try {
      if (!failure_) {
        sums_.add(block);
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  Sums &sums_;
  std::exception_ptr failure_; ///< the thread's until it has ended
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Bytes> full_;
  std::vector<Bytes> free_;
  std::size_t made_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

/// What is smaller than this is summed sooner than a thread starts.
constexpr std::uint64_t threadFrom = 4U << 20U;

} // namespace

struct Digester::State {
  Sums sums;
  std::optional<SummingThread> thread;
  bool threadless = false; ///< the system had none to give
  std::uint64_t size = 0;

  void startThread() {
    try {
      thread.emplace(sums);
    } catch (const std::system_error &) {
      threadless = true; // slower, not wrong
    }
  }

  void finish() {
    if (thread) {
      thread->finish();
      thread.reset();
    }
  }
};

Digester::Digester() : state_(std::make_unique<State>()) {}

Digester::~Digester() = default;
Digester::Digester(Digester &&) noexcept = default;
Digester &Digester::operator=(Digester &&) noexcept = default;

void Digester::update(ByteView bytes) {
  if (!state_->thread && !state_->threadless && state_->size >= threadFrom) {
    state_->startThread();
  }
  state_->size += bytes.size();
  if (state_->thread) {
    state_->thread->add(bytes);
  } else {
    state_->sums.add(bytes);
  }
}

std::uint64_t Digester::size() const noexcept { return state_->size; }

std::string Digester::sha256Hex() {
  state_->finish();
  return state_->sums.sha256Hex();
}

std::string Digester::adler32Hex() const {
  state_->finish();
  return state_->sums.adler32Hex();
}

} // namespace waybill::storage
