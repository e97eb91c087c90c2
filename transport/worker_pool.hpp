// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// A fixed number of threads, and a bounded number of jobs that wait for them.
class WorkerPool {
public:
  using Job = std::function<void()>;

  WorkerPool(std::size_t workers, std::size_t queue) : workers_(workers), queue_(queue) {}
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool &) = delete;
  WorkerPool &operator=(const WorkerPool &) = delete;

  void start();
  /// False when all workers are busy and the queue is full. Jobs must not throw.
  [[nodiscard]] bool tryRun(Job job);
  /// Runs what waits, then ends the threads. Idempotent.
  void stop();

private:
  void work();

  std::size_t workers_;
  std::size_t queue_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

} // namespace waybill::transport
