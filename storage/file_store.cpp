// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/file_store.hpp"

#include "domain/text.hpp"
#include "storage/file_errors.hpp"
#include "storage/file_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/statvfs.h>
#include <vector>

namespace waybill::storage {

namespace {

namespace fs = std::filesystem;

void removeFile(const fs::path &path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) {
    throw systemFault("clearing away what an interrupted run left", path.string(), error.value());
  }
}

/// The names in a folder, read to the end before anything is removed from it.
std::vector<fs::path> entries(const fs::path &folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    found.push_back(entry->path());
  }
  if (error) {
    throw systemFault("looking through the store's folders", folder.string(), error.value());
  }
  return found;
}

bool isShard(const fs::path &path) {
  const auto name = path.filename().string();
  return name.size() == 2 && fromHex(name) && lowerCase(name) == name && fs::is_directory(fs::symlink_status(path));
}

} // namespace

FileStore::FileStore(std::string folder, std::function<std::string()> makeId, std::unique_ptr<SyncCalls> calls)
    : makeId_(std::move(makeId)), folder_(std::move(folder), std::move(calls)) {}

std::unique_ptr<StagedContent> FileStore::stage() {
  folder_.requireWritable();
  auto id = makeId_();
  if (!isContentId(id)) {
    throw Fault(FaultCode::Internal,
                "starting to store data failed: an id is 32 lower-case hex digits, not '" + printable(id, 60) + "'");
  }
  return std::make_unique<StagedFile>(folder_, std::move(id));
}

void FileStore::publish(std::span<StagedContent *const> staged) {
  std::vector<StagedFile *> files;
  for (auto *content : staged) {
    auto *file = dynamic_cast<StagedFile *>(content);
    if (file == nullptr || &file->folder() != &folder_ || !file->isStaged()) {
      throw Fault(FaultCode::Internal, "keeping stored data failed: it is not, or no longer, staged in this store; "
                                       "this is a fault of the program, please report it");
    }
    files.push_back(file);
  }
  if (!files.empty()) {
    Publication(folder_, durable_, std::move(files)).run();
  }
}

std::unique_ptr<ContentReader> FileStore::open(const std::string &id) const {
  if (!isContentId(id)) {
    throw Fault(FaultCode::NoSuchData, "there is no data with this id; ids are 32 lower-case hex digits",
                printable(id, 60));
  }
  const auto path = contentPath(id);
  FileDescriptor file(::openat(folder_.fd(), path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.isOpen()) {
    if (errno == ENOENT) {
      throw Fault(FaultCode::NoSuchData,
                  "there is no data with this id; list again, it may have been deleted meanwhile", id);
    }
    throw systemFault("opening stored data", folder_.absolute(path), errno);
  }
  return std::make_unique<FileReader>(std::move(file), folder_.absolute(path));
}

void FileStore::remove(const std::string &id) noexcept {
  if (isContentId(id)) {
    ::unlinkat(folder_.fd(), contentPath(id).c_str(), 0);
  }
}

std::size_t FileStore::recover(const std::function<bool(const std::string &id)> &known) {
  const auto staged = entries(folder_.absolute("staging"));
  std::for_each(staged.begin(), staged.end(), removeFile);
  std::size_t removed = 0;
  for (const auto &branch : entries(folder_.absolute("content"))) {
    if (!isShard(branch)) {
      continue;
    }
    for (const auto &leaf : entries(branch)) {
      if (!isShard(leaf)) {
        continue;
      }
      for (const auto &file : entries(leaf)) {
        const auto id = file.filename().string();
        // What is not named like content, or lies in another shard, was not put there by this program: left alone.
        if (isContentId(id) && folder_.absolute(contentPath(id)) == file.string() && !known(id)) {
          removeFile(file);
          ++removed;
        }
      }
    }
  }
  return removed;
}

std::uint64_t FileStore::freeBytes() const {
  struct statvfs found {};
  if (::fstatvfs(folder_.fd(), &found) != 0) {
    throw systemFault("asking for free space", folder_.absolute("."), errno);
  }
  return std::uint64_t{found.f_bavail} * found.f_frsize;
}

std::unique_ptr<ContentStore> openFileStore(const std::string &folder, std::function<std::string()> makeId) {
  return std::make_unique<FileStore>(folder, std::move(makeId), std::make_unique<SystemSyncCalls>());
}

} // namespace waybill::storage
