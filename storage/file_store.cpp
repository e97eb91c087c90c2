// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/file_store.hpp"

#include "domain/text.hpp"
#include "storage/file_errors.hpp"
#include "storage/file_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
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
  std::sort(found.begin(), found.end());
  return found;
}

bool isShard(const fs::path &path) {
  const auto name = path.filename().string();
  return name.size() == 2 && fromHex(name) && lowerCase(name) == name && fs::is_directory(fs::symlink_status(path));
}

/// Where the mark is: in content/, so that it goes where the content goes.
constexpr auto markPath = "content/mark";

[[noreturn]] void noContent(const std::string &id) {
  throw Fault(FaultCode::NoSuchData, "there is no data with this id; list again, it may have been deleted meanwhile",
              id);
}

void requireId(const std::string &id) {
  if (!isContentId(id)) {
    throw Fault(FaultCode::NoSuchData, "there is no data with this id; ids are 32 lower-case hex digits",
                printable(id, 60));
  }
}

class HeldFile final : public HeldContent {
public:
  using Open = std::function<std::unique_ptr<ContentReader>()>;
  HeldFile(Open open, std::function<void()> release) : open_(std::move(open)), release_(std::move(release)) {}
  ~HeldFile() override { release_(); }
  HeldFile(const HeldFile &) = delete;
  HeldFile &operator=(const HeldFile &) = delete;
  [[nodiscard]] std::unique_ptr<ContentReader> open() const override { return open_(); }

private:
  Open open_;
  std::function<void()> release_;
};

} // namespace

FileStore::FileStore(std::string folder, std::function<std::string()> makeId, std::unique_ptr<SyncCalls> calls)
    : makeId_(std::move(makeId)), folder_(std::move(folder), std::move(calls)), holds_([this](const std::string &id) {
        if (!folder_.isReadOnly()) {
          ::unlinkat(folder_.fd(), contentPath(id).c_str(), 0);
        }
      }) {}

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
  requireId(id);
  if (holds_.isLeaving(id)) {
    noContent(id);
  }
  return openFile(id);
}

std::unique_ptr<ContentReader> FileStore::openFile(const std::string &id) const {
  const auto path = contentPath(id);
  FileDescriptor file(::openat(folder_.fd(), path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.isOpen()) {
    if (errno == ENOENT) {
      noContent(id);
    }
    throw systemFault("opening stored data", folder_.absolute(path), errno);
  }
  return std::make_unique<FileReader>(std::move(file), folder_.absolute(path));
}

std::unique_ptr<HeldContent> FileStore::hold(const std::string &id) const {
  requireId(id);
  if (!holds_.hold(id)) {
    noContent(id);
  }
  auto held = std::make_unique<HeldFile>([this, id] { return openFile(id); }, [this, id] { holds_.release(id); });
  if (::faccessat(folder_.fd(), contentPath(id).c_str(), F_OK, 0) != 0) {
    if (errno == ENOENT) {
      noContent(id);
    }
    throw systemFault("looking for stored data", folder_.absolute(contentPath(id)), errno);
  }
  return held;
}

void FileStore::remove(const std::string &id) noexcept {
  if (isContentId(id)) {
    holds_.remove(id);
  }
}

void FileStore::walk(const std::function<bool(const std::string &id, const std::string &path)> &visit) const {
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
        if (isContentId(id) && folder_.absolute(contentPath(id)) == file.string() && !visit(id, file.string())) {
          return;
        }
      }
    }
  }
}

std::size_t FileStore::recover(const std::function<bool(const std::string &id, std::uint64_t size)> &keep) {
  const auto staged = entries(folder_.absolute("staging"));
  std::for_each(staged.begin(), staged.end(), removeFile);
  std::size_t removed = 0;
  walk([&](const std::string &id, const std::string &path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
      throw systemFault("looking through the store's folders", path, errno);
    }
    if (!keep(id, static_cast<std::uint64_t>(found.st_size))) {
      removeFile(path);
      ++removed;
    }
    return true;
  });
  return removed;
}

bool FileStore::isEmpty() const {
  auto empty = true;
  walk([&](const std::string &, const std::string &) { return empty = false; });
  return empty;
}

std::optional<std::string> FileStore::mark() const {
  const FileDescriptor file(::openat(folder_.fd(), markPath, O_RDONLY | O_CLOEXEC));
  if (!file.isOpen()) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    throw systemFault("reading the store's mark", folder_.absolute(markPath), errno);
  }
  std::array<std::byte, 64> bytes{};
  const auto got = readAt(file.get(), bytes, 0, folder_.absolute(markPath));
  return std::string(trimmed(asText(ByteView(bytes).first(got))));
}

void FileStore::putMark(const std::string &mark) {
  const auto staged = stagingPath(mark);
  {
    const auto file = folder_.open(staged, O_WRONLY | O_CREAT | O_TRUNC, "writing the store's mark");
    writeAll(file.get(), asBytes(mark + "\n"), "writing the store's mark", folder_.absolute(staged));
    folder_.sync(file.get(), staged);
  }
  if (::renameat(folder_.fd(), staged.c_str(), folder_.fd(), markPath) != 0) {
    throw systemFault("writing the store's mark", folder_.absolute(markPath), errno);
  }
  const auto content = folder_.open("content", O_RDONLY | O_DIRECTORY, "writing the store's mark");
  folder_.sync(content.get(), "content");
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
