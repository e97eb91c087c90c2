// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/worker_pool.hpp"

#include <utility>

namespace waybill::transport {

void WorkerPool::start() {
  for (std::size_t i = 0; i < workers_; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

bool WorkerPool::hasRoom(const std::string &owner) {
  const Lock lock(mutex_);
  const auto found = strangers_.find(owner);
  const auto taken = found == strangers_.end() ? 0 : found->second.running + found->second.waiting;
  return !stopping_ && running_ + tasks_.size() < workers_ + queue_ && taken < half(workers_) + half(queue_);
}

void WorkerPool::run(std::string owner, Job job) {
  {
    const Lock lock(mutex_);
    ++strangers_[owner].waiting;
    tasks_.push_back({std::move(owner), std::move(job)});
  }
  wake_.notify_one();
}

bool WorkerPool::mayRun(const Task &task) const {
  return stopping_ || strangers_.at(task.owner).running < half(workers_);
}

std::optional<WorkerPool::Task> WorkerPool::next() {
  const Lock lock(mutex_);
  while (true) {
    auto found = tasks_.begin();
    while (found != tasks_.end() && !mayRun(*found)) {
      ++found;
    }
    if (found != tasks_.end()) {
      auto task = std::move(*found);
      tasks_.erase(found);
      auto &strangers = strangers_.at(task.owner);
      --strangers.waiting;
      ++strangers.running;
      ++running_;
      return task;
    }
    if (stopping_) {
      return std::nullopt;
    }
    wake_.wait(mutex_);
  }
}

void WorkerPool::endStranger(const std::string &owner) {
  auto &strangers = strangers_.at(owner);
  --strangers.running;
  if (strangers.running + strangers.waiting == 0) {
    strangers_.erase(owner);
  }
}

void WorkerPool::becameKnown(const std::string &owner) {
  {
    const Lock lock(mutex_);
    endStranger(owner);
  }
  wake_.notify_one();
}

void WorkerPool::finished(const std::string &owner, bool stranger) {
  const Lock lock(mutex_);
  --running_;
  if (stranger) {
    endStranger(owner);
  }
}

void WorkerPool::work() {
  while (auto task = next()) {
    auto stranger = true;
    task->job([&] {
      if (std::exchange(stranger, false)) {
        becameKnown(task->owner);
      }
    });
    // What the job holds goes before its place is free.
    task->job = nullptr;
    finished(task->owner, stranger);
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
