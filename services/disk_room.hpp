// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/content_store.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace waybill::services {

/// The reserve on the store's disk that uploads leave alone (storage.minimum_free_bytes), so that the catalog can still
/// be written. Thread-safe.
class DiskRoom {
public:
  /// `store` must outlive this.
  DiskRoom(const storage::ContentStore &store, std::uint64_t minimumFree) : store_(store), minimumFree_(minimumFree) {}
  /// Throws Fault NoSpace, about `subject`, when the reserve would not be left after `bytes` more.
  void require(std::uint64_t bytes, const std::string &subject) const;

private:
  const storage::ContentStore &store_;
  std::uint64_t minimumFree_;
};

/// Looks at the room while bytes are written whose number nobody has said: before the first, and again every few MiB,
/// since others write at the same time. One thread.
class RoomWatch {
public:
  RoomWatch(const DiskRoom &room, std::string subject) : room_(room), subject_(std::move(subject)) {}
  /// Call before each write. Throws as DiskRoom::require.
  void before(std::size_t bytes);

private:
  const DiskRoom &room_;
  std::string subject_;
  std::uint64_t left_ = 0; ///< bytes until the next look
};

} // namespace waybill::services
