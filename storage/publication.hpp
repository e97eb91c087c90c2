// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/staged_file.hpp"

#include <bitset>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace waybill::storage {

/// Which shard folders are known to be in their parent for good, so that publishing into them need not sync the parent
/// again. It is not enough that a folder is there: another thread may have made it a moment ago and not have synced it
/// yet. Thread-safe.
class DurableFolders {
public:
  /// Of "content/ab/cd": both bits, for cd in ab and ab in content.
  [[nodiscard]] bool hasLeaf(std::string_view id) const;
  [[nodiscard]] bool hasBranch(std::string_view id) const;
  void add(std::string_view id);
  /// The folder was made anew, because somebody had removed it.
  void forgetLeaf(std::string_view id);
  void forgetBranch(std::string_view id);

private:
  mutable std::mutex mutex_;
  std::bitset<65536> leaves_;
  std::bitset<256> branches_;
};

/// Moves staged files to their places, all of them or none, so that they last: sync the files, rename them, sync the
/// folders. One use, by one thread.
class Publication {
public:
  Publication(StoreFolder &folder, DurableFolders &durable, std::vector<StagedFile *> files);
  /// Throws Fault NoSpace or Internal; then no content is left and the files are out of staging.
  void run();

private:
  void syncFiles();
  void moveAll();
  void move(StagedFile &file);
  void makeShard(const std::string &id);
  bool makeFolder(const std::string &path);
  void rememberFolders(const std::string &id);
  void syncFolders();
  void undo() noexcept;

  StoreFolder &folder_;
  DurableFolders &durable_;
  std::vector<StagedFile *> files_;
  std::vector<std::string> moved_;
  std::set<std::string> folders_;
  bool together_;
};

} // namespace waybill::storage
