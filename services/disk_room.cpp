// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/disk_room.hpp"

#include "domain/fault.hpp"

namespace waybill::services {

namespace {

/// So much, times the number of workers, is what the reserve may fall short by.
constexpr std::uint64_t lookEvery = 4U << 20U;

} // namespace

void DiskRoom::require(std::uint64_t bytes, const std::string &subject) const {
  const auto free = store_.freeBytes();
  if (free < minimumFree_ || bytes > free - minimumFree_) {
    throw Fault(FaultCode::NoSpace,
                "this instance has no room for the upload: " + std::to_string(free) + " bytes are free, of which " +
                    std::to_string(minimumFree_) +
                    " (storage.minimum_free_bytes) stay so; delete data, or ask the site for more",
                subject);
  }
}

void RoomWatch::before(std::size_t bytes) {
  if (bytes >= left_) {
    room_.require(bytes, subject_);
    left_ = lookEvery;
  } else {
    left_ -= bytes;
  }
}

} // namespace waybill::services
