// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/mutex.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// A fixed number of threads, and a bounded number of jobs that wait for them. Thread-safe, but start() and stop() are
/// for the owner's thread.
///
/// Each job is somebody's, who is a stranger until the job says otherwise. Strangers of one name have at most half of
/// the threads and half of the queue (but one of each at least), so that others find room beside them.
class WorkerPool {
public:
  /// What a job calls, in its thread, when the one whom it works for is no stranger any more.
  using Known = std::function<void()>;
  using Job = std::function<void(const Known &)>;

  WorkerPool(std::size_t workers, std::size_t queue) : workers_(workers), queue_(queue) {}
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool &) = delete;
  WorkerPool &operator=(const WorkerPool &) = delete;

  void start();
  /// False when all workers are busy and the queue is full, or when strangers called `owner` have their share. It stays
  /// true until run() when only one thread calls run().
  [[nodiscard]] bool hasRoom(const std::string &owner);
  /// Jobs must not throw.
  void run(std::string owner, Job job);
  /// Runs what waits, then ends the threads. Idempotent.
  void stop();

private:
  struct Task {
    std::string owner;
    Job job;
  };
  struct Strangers {
    std::size_t running = 0;
    std::size_t waiting = 0;
  };

  void work();
  /// The next job that may run, when there is one; nothing once the pool has stopped.
  [[nodiscard]] std::optional<Task> next();
  [[nodiscard]] bool mayRun(const Task &task) const WAYBILL_THREAD_SAFETY(requires_capability(mutex_));
  /// A running stranger called `owner` is none any more.
  void endStranger(const std::string &owner) WAYBILL_THREAD_SAFETY(requires_capability(mutex_));
  void becameKnown(const std::string &owner);
  void finished(const std::string &owner, bool stranger);

  [[nodiscard]] static std::size_t half(std::size_t whole) noexcept { return whole < 2 ? whole : whole / 2; }

  std::size_t workers_;
  std::size_t queue_;
  Mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Task> tasks_ WAYBILL_GUARDED_BY(mutex_);
  std::map<std::string, Strangers> strangers_ WAYBILL_GUARDED_BY(mutex_);
  std::size_t running_ WAYBILL_GUARDED_BY(mutex_) = 0;
  bool stopping_ WAYBILL_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

} // namespace waybill::transport
