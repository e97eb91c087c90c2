// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/shared_places.hpp"

#include <algorithm>

namespace waybill::services {

std::unique_ptr<SharedPlaces::Place> SharedPlaces::take(const std::string &principal) {
  const std::lock_guard lock(mutex_);
  const auto found = by_.find(principal);
  const auto has = found == by_.end() ? 0 : found->second;
  if (taken_ >= most_ || has >= std::max<std::size_t>(1, most_ / 2)) {
    return nullptr;
  }
  std::unique_ptr<Place> place(new Place(*this, principal)); // NOLINT: its constructor is private
  ++taken_;
  ++by_[principal];
  return place;
}

std::size_t SharedPlaces::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

void SharedPlaces::leave(const std::string &principal) {
  const std::lock_guard lock(mutex_);
  --taken_;
  const auto found = by_.find(principal);
  if (--found->second == 0) {
    by_.erase(found);
  }
}

} // namespace waybill::services
