// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/worker_pool.hpp"

namespace waybill::transport {

void WorkerPool::start() {
  for (std::size_t i = 0; i < workers_; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

bool WorkerPool::hasRoom() {
  const Lock lock(mutex_);
  return !stopping_ && running_ + jobs_.size() < workers_ + queue_;
}

void WorkerPool::run(Job job) {
  {
    const Lock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

WorkerPool::Job WorkerPool::next() {
  const Lock lock(mutex_);
  while (jobs_.empty() && !stopping_) {
    wake_.wait(mutex_);
  }
  if (jobs_.empty()) {
    return {};
  }
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  ++running_;
  return job;
}

void WorkerPool::finished() {
  const Lock lock(mutex_);
  --running_;
}

void WorkerPool::work() {
  while (auto job = next()) {
    job();
    // What the job holds goes before its place is free.
    job = nullptr;
    finished();
  }
}

void WorkerPool::stop() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

} // namespace waybill::transport
