// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace waybill::storage {

/// The calls that make data last, as an interface, so that tests can let them fail. Thread-safe. All return 0, or the
/// errno.
class SyncCalls {
public:
  virtual ~SyncCalls() = default;
  /// fsync(2) of a file or a folder.
  [[nodiscard]] virtual int sync(int fd) noexcept = 0;
  /// syncfs(2) of the file system that `fd` is on: one call for many files.
  [[nodiscard]] virtual int syncFileSystem(int fd) noexcept = 0;
};

/// The system's own.
class SystemSyncCalls final : public SyncCalls {
public:
  [[nodiscard]] int sync(int fd) noexcept override;
  [[nodiscard]] int syncFileSystem(int fd) noexcept override;
};

} // namespace waybill::storage
