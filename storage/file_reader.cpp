// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/file_reader.hpp"

#include "storage/file_errors.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace waybill::storage {

namespace {

std::uint64_t sizeOf(int fd, const std::string &path) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) {
    throw systemFault("opening stored data", path, errno);
  }
  return static_cast<std::uint64_t>(found.st_size);
}

} // namespace

FileReader::FileReader(FileDescriptor file, std::string path)
    : file_(std::move(file)), path_(std::move(path)), fileSize_(sizeOf(file_.get(), path_)), end_(fileSize_),
      selected_(fileSize_) {
  // A hint: what it says is wrong at worst for speed.
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

std::size_t FileReader::read(std::span<std::byte> into) {
  const auto wanted = std::min<std::uint64_t>(into.size(), end_ - offset_);
  if (wanted == 0) {
    return 0;
  }
  const auto got = readAt(file_.get(), into.first(static_cast<std::size_t>(wanted)), offset_, path_);
  if (got == 0) {
    throw Fault(FaultCode::Internal,
                "reading stored data failed: it ends at byte " + std::to_string(offset_) + " and should have " +
                    std::to_string(fileSize_) + "; something else has changed the store's files",
                {}, {}, LogText(path_ + " was truncated"));
  }
  offset_ += got;
  return got;
}

void FileReader::select(std::uint64_t offset, std::uint64_t length) {
  offset_ = std::min(offset, fileSize_);
  selected_ = std::min(length, fileSize_ - offset_);
  end_ = offset_ + selected_;
}

} // namespace waybill::storage
