// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace waybill::storage {

/// Which content is being read, so that what is removed meanwhile goes when the last reader is done: a promise that
/// takes no descriptor. Thread-safe.
class ContentHolds {
public:
  /// `unlink` takes the file away; it is called without a lock, and must not throw.
  explicit ContentHolds(std::function<void(const std::string &id)> unlink) : unlink_(std::move(unlink)) {}

  /// False, and then nothing is held, when that content is on its way out.
  [[nodiscard]] bool hold(const std::string &id);
  void release(const std::string &id) noexcept;
  /// Now, or once nobody holds it.
  void remove(const std::string &id) noexcept;
  [[nodiscard]] bool isLeaving(const std::string &id) const;

private:
  struct State {
    std::size_t holders = 0;
    bool leaving = false;
  };
  void unlinkAndForget(const std::string &id) noexcept;

  std::function<void(const std::string &id)> unlink_;
  mutable std::mutex mutex_;
  std::map<std::string, State> states_; ///< guarded by mutex_
};

} // namespace waybill::storage
