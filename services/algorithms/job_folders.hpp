// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace waybill::services {

/// Where runs have their files: <home>/jobs/<id>/in and /out. Thread-safe, each folder being used by one thread.
class JobFolders {
public:
  /// Creates <home>/jobs, mode 0700. Throws Fault Internal.
  explicit JobFolders(const std::string &home);

  /// A new folder with in/ and out/ in it; `id` is 32 hex digits. Throws Fault NoSpace or Internal.
  void create(const std::string &id) const;
  [[nodiscard]] std::string in(const std::string &id) const { return folder_ + "/" + id + "/in"; }
  [[nodiscard]] std::string out(const std::string &id) const { return folder_ + "/" + id + "/out"; }
  /// Empties out/, for a run that begins anew.
  void clearOut(const std::string &id) const;
  /// The inputs, and the folder itself, survive a power cut from here on. Throws Fault Internal.
  void syncInputs(const std::string &id) const;
  /// The same for these files in out/, which may have many more.
  void syncOutputs(const std::string &id, const std::vector<std::string> &files) const;
  /// Never throws: what cannot be removed is left to recover().
  void remove(const std::string &id) const noexcept;
  /// Removes all for which `keep` says false, at the start; returns how many.
  std::size_t recover(const std::function<bool(const std::string &id)> &keep) const;

private:
  std::string folder_;
};

/// Removes a job's folder at its end, unless it is kept.
class JobFolderGuard {
public:
  JobFolderGuard(const JobFolders &folders, std::string id) : folders_(&folders), id_(std::move(id)) {}
  ~JobFolderGuard() {
    if (!id_.empty()) {
      folders_->remove(id_);
    }
  }
  JobFolderGuard(const JobFolderGuard &) = delete;
  JobFolderGuard &operator=(const JobFolderGuard &) = delete;
  void keep() noexcept { id_.clear(); }

private:
  const JobFolders *folders_;
  std::string id_;
};

} // namespace waybill::services
