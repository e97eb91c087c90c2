// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/sync_calls.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace waybill::storage {

/// "staging/<id>" and "content/ab/cd/<id>", relative to the store's folder.
[[nodiscard]] std::string stagingPath(std::string_view id);
[[nodiscard]] std::string contentPath(std::string_view id);

/// The folder of a file store: its place, its syncs, and whether it still takes data. Thread-safe.
///
/// After one failed sync nobody knows what the disk holds, and asking again would report success for pages that the
/// kernel has dropped. So the first failure is remembered for good and every later write refused.
class StoreFolder {
public:
  /// Creates `path`, content/ and staging/ (mode 0700) where missing. Throws Fault naming the folder.
  StoreFolder(std::string path, std::unique_ptr<SyncCalls> calls);

  [[nodiscard]] int fd() const noexcept { return root_.get(); }
  [[nodiscard]] std::string absolute(const std::string &relative) const { return path_ + "/" + relative; }
  /// openat(2); throws systemFault, `attempted` saying what for.
  [[nodiscard]] FileDescriptor open(const std::string &relative, int flags, const std::string &attempted) const;

  /// Syncs one open file or folder. Throws Fault Internal, and turns the folder read-only, when that fails.
  void sync(int fd, const std::string &relative);
  /// Syncs the whole file system, the same way.
  void syncAll();

  /// Throws Fault Internal when a sync has failed.
  void requireWritable() const;
  [[nodiscard]] bool isReadOnly() const noexcept { return readOnly_.load(); }
  [[nodiscard]] std::string readOnlyReason() const;
  /// Remembers a failure of the disk and returns the Fault to throw.
  [[nodiscard]] Fault turnReadOnly(const std::string &attempted, const std::string &relative, int error);

  /// Files that are complete may wait open for their sync, but only so many: descriptors are few.
  [[nodiscard]] bool mayStayOpen() noexcept;
  void noLongerOpen() noexcept;

private:
  std::string path_;
  std::unique_ptr<SyncCalls> calls_;
  FileDescriptor root_;
  std::mutex syncing_;
  std::atomic<int> waitingOpen_{0};
  std::atomic<bool> readOnly_{false};
  mutable std::mutex mutex_;
  std::string reason_; ///< guarded by mutex_
};

} // namespace waybill::storage
