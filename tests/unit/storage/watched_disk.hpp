// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>

namespace waybill::storage::tests {

/// SQLite's door to the operating system (its default VFS) while this lives, with a hand on it: counts syncs, and lets
/// syncs and writes of files fail when told to. One at a time.
class WatchedDisk {
public:
  WatchedDisk();
  ~WatchedDisk();
  WatchedDisk(const WatchedDisk &) = delete;
  WatchedDisk &operator=(const WatchedDisk &) = delete;

  /// What is counted and told of one kind of file. The result codes are given from now on; 0 means that the call is
  /// made.
  struct Watch {
    std::atomic<int> syncs{0};
    std::atomic<int> syncResult{0};
    std::atomic<int> writeResult{0};
  };
  Watch log;      ///< the write-ahead log
  Watch database; ///< all other files
};

} // namespace waybill::storage::tests
