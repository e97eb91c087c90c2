// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/content_holds.hpp"

#include <new>

namespace waybill::storage {

bool ContentHolds::hold(const std::string &id) {
  const std::lock_guard lock(mutex_);
  auto &state = states_[id];
  if (state.leaving) {
    return false;
  }
  ++state.holders;
  return true;
}

void ContentHolds::release(const std::string &id) noexcept {
  {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(id);
    if (--found->second.holders != 0) {
      return;
    }
    if (!found->second.leaving) {
      states_.erase(found);
      return;
    }
  }
  unlinkAndForget(id);
}

void ContentHolds::remove(const std::string &id) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    auto &state = states_[id];
    const auto already = state.leaving;
    state.leaving = true;
    if (already || state.holders != 0) {
      return;
    }
  } catch (const std::bad_alloc &) {
    return; // the next start removes it
  }
  unlinkAndForget(id);
}

bool ContentHolds::isLeaving(const std::string &id) const {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(id);
  return found != states_.end() && found->second.leaving;
}

void ContentHolds::unlinkAndForget(const std::string &id) noexcept {
  // Without the lock: to unlink a file of many GiB takes long. Who asks for it meanwhile is told that it is gone.
  unlink_(id);
  const std::lock_guard lock(mutex_);
  states_.erase(id);
}

} // namespace waybill::storage
