// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/mutex.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// A fixed number of threads, and a bounded number of jobs that wait for them. Thread-safe, but start() and stop() are
/// for the owner's thread.
class WorkerPool {
public:
  using Job = std::function<void()>;

  WorkerPool(std::size_t workers, std::size_t queue) : workers_(workers), queue_(queue) {}
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool &) = delete;
  WorkerPool &operator=(const WorkerPool &) = delete;

  void start();
  /// False when all workers are busy and the queue is full. It stays true until run() when only one thread calls run().
  [[nodiscard]] bool hasRoom();
  /// Jobs must not throw.
  void run(Job job);
  /// Runs what waits, then ends the threads. Idempotent.
  void stop();

private:
  void work();
  /// The next job, when there is one; nothing once the pool has stopped.
  [[nodiscard]] Job next();
  void finished();

  std::size_t workers_;
  std::size_t queue_;
  Mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_ WAYBILL_GUARDED_BY(mutex_);
  std::size_t running_ WAYBILL_GUARDED_BY(mutex_) = 0;
  bool stopping_ WAYBILL_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

} // namespace waybill::transport
