// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/worker_pool.hpp"

namespace waybill::transport {

void WorkerPool::start() {
  for (std::size_t i = 0; i < workers_; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

bool WorkerPool::tryRun(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || running_ + jobs_.size() >= workers_ + queue_) {
      return false;
    }
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) {
      return;
    }
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    --running_;
  }
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

} // namespace waybill::transport
