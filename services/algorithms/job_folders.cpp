// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/job_folders.hpp"

#include "services/algorithms/out_folder.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/file_errors.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace waybill::services {

namespace {

void makeFolder(const std::string &path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw storage::systemFault("making a folder for a program's files", path, errno);
  }
}

void syncOne(const std::string &path) {
  const storage::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.isOpen() || ::fsync(file.get()) != 0) {
    throw storage::systemFault("writing a program's files to the disk", path, errno);
  }
}

} // namespace

JobFolders::JobFolders(const std::string &home) : folder_(home + "/jobs") { makeFolder(folder_); }

void JobFolders::create(const std::string &id) const {
  for (const auto &path : {folder_ + "/" + id, in(id), out(id)}) {
    makeFolder(path);
  }
}

void JobFolders::clearOut(const std::string &id) const {
  removeFolder(out(id));
  makeFolder(out(id));
}

void JobFolders::syncInputs(const std::string &id) const {
  for (const auto &entry : std::filesystem::directory_iterator(in(id))) {
    syncOne(entry.path());
  }
  for (const auto &folder : {in(id), out(id), folder_ + "/" + id, folder_}) {
    syncOne(folder);
  }
}

void JobFolders::syncOutputs(const std::string &id, const std::vector<std::string> &files) const {
  for (const auto &file : files) {
    syncOne(out(id) + "/" + file);
  }
  syncOne(out(id));
}

void JobFolders::remove(const std::string &id) const noexcept {
  try {
    removeFolder(folder_ + "/" + id);
  } catch (const std::exception &) { // NOLINT(bugprone-empty-catch): recover() tries again
  }
}

std::size_t JobFolders::recover(const std::function<bool(const std::string &id)> &keep) const {
  std::size_t removed = 0;
  for (const auto &entry : std::filesystem::directory_iterator(folder_)) {
    if (!keep(entry.path().filename())) {
      removeFolder(entry.path());
      ++removed;
    }
  }
  return removed;
}

} // namespace waybill::services
