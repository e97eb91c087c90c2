// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace waybill {

/// A bound on what many take of one thing together. Thread-safe; lives as long as a share of it.
class Budget {
public:
  class Share;

  /// `most` units for all shares together, of each of which the first `free` units do not count.
  Budget(std::uint64_t most, std::uint64_t free) : most_(most), free_(free) {}

private:
  /// More for who has `mine` already. The only one there is gets what it asks for: how much that may be is bounded
  /// elsewhere, and waiting would not help.
  [[nodiscard]] bool take(std::uint64_t more, std::uint64_t mine) noexcept {
    const std::lock_guard lock(mutex_);
    if (taken_ != mine && (taken_ > most_ || more > most_ - taken_)) {
      return false;
    }
    taken_ += more;
    return true;
  }
  void giveBack(std::uint64_t units) noexcept {
    const std::lock_guard lock(mutex_);
    taken_ -= units;
  }

  const std::uint64_t most_;
  const std::uint64_t free_;
  std::mutex mutex_;
  std::uint64_t taken_ = 0;
};

/// What one of them has taken, given back at the end. One thread.
class Budget::Share {
public:
  /// Of no budget: everything is granted.
  Share() = default;
  explicit Share(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {}
  ~Share() { giveBack(); }
  Share(Share &&other) noexcept
      : budget_(std::move(other.budget_)), taken_(std::exchange(other.taken_, 0)),
        counted_(std::exchange(other.counted_, 0)) {}
  Share &operator=(Share &&other) noexcept {
    if (this != &other) {
      giveBack();
      budget_ = std::move(other.budget_);
      taken_ = std::exchange(other.taken_, 0);
      counted_ = std::exchange(other.counted_, 0);
    }
    return *this;
  }
  Share(const Share &) = delete;
  Share &operator=(const Share &) = delete;

  /// False, and nothing is taken, when the budget has no room for `units` more.
  [[nodiscard]] bool take(std::uint64_t units) noexcept {
    const auto free = budget_ ? budget_->free_ : 0;
    const auto counted = taken_ + units > free ? taken_ + units - free : 0;
    if (budget_ && counted > counted_ && !budget_->take(counted - counted_, counted_)) {
      return false;
    }
    taken_ += units;
    counted_ = budget_ ? counted : 0;
    return true;
  }
  void giveBack() noexcept {
    if (counted_ != 0) {
      budget_->giveBack(counted_);
    }
    taken_ = counted_ = 0;
  }
  [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

private:
  std::shared_ptr<Budget> budget_;
  std::uint64_t taken_ = 0;
  std::uint64_t counted_ = 0; ///< of taken_, past what is free
};

} // namespace waybill
