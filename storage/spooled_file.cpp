// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/content_store.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/file_errors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>

namespace waybill::storage {

namespace {

/// Reads what has been written to an unlinked file.
class SpooledSource final : public Source {
public:
  SpooledSource(std::shared_ptr<const FileDescriptor> file, std::uint64_t offset, std::uint64_t end)
      : file_(std::move(file)), offset_(offset), end_(end), size_(end - offset) {}

  std::size_t read(std::span<std::byte> into) override {
    const auto wanted = std::min<std::uint64_t>(into.size(), end_ - offset_);
    const auto got = readAt(file_->get(), into.first(static_cast<std::size_t>(wanted)), offset_, "a spool file");
    offset_ += got;
    return got;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return size_; }

private:
  std::shared_ptr<const FileDescriptor> file_;
  std::uint64_t offset_;
  std::uint64_t end_;
  std::uint64_t size_;
};

class UnlinkedFile final : public SpooledFile {
public:
  UnlinkedFile(FileDescriptor file, std::string folder)
      : file_(std::make_shared<FileDescriptor>(std::move(file))), folder_(std::move(folder)) {}

  void write(ByteView bytes) override {
    writeAll(file_->get(), bytes, "setting data aside", folder_);
    size_ += bytes.size();
  }
  [[nodiscard]] std::unique_ptr<Source> reopen(std::uint64_t offset) override {
    if (offset > size_) {
      throw Fault(FaultCode::Internal, "a spool file of this instance is shorter than what was written to it");
    }
    return std::make_unique<SpooledSource>(file_, offset, size_);
  }

private:
  std::shared_ptr<const FileDescriptor> file_;
  std::string folder_;
  std::uint64_t size_ = 0;
};

/// For file systems without O_TMPFILE.
FileDescriptor createAndUnlink(const std::string &folder) {
  auto name = folder + "/spool-XXXXXX";
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file.isOpen() && ::unlink(name.c_str()) != 0) {
    throw systemFault("setting data aside", name, errno);
  }
  return file;
}

FileDescriptor openUnnamed(const std::string &folder) {
  FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.isOpen() && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    file = createAndUnlink(folder);
  }
  return file;
}

} // namespace

std::unique_ptr<SpooledFile> spoolFile(const std::string &folder) {
  const auto staging = folder + "/staging";
  auto file = openUnnamed(staging);
  if (!file.isOpen() && errno == ENOENT && ::mkdir(staging.c_str(), 0700) == 0) {
    file = openUnnamed(staging);
  }
  if (!file.isOpen()) {
    throw systemFault("setting data aside", staging, errno);
  }
  return std::make_unique<UnlinkedFile>(std::move(file), staging);
}

} // namespace waybill::storage
