// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/file_errors.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace waybill::storage {

bool meansNoSpace(int error) noexcept { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

Fault systemFault(const std::string &attempted, const std::string &path, int error) {
  const auto found = std::generic_category().message(error);
  LogText log(attempted + " failed on " + path + ": " + found + " (errno " + std::to_string(error) + ")");
  if (meansNoSpace(error)) {
    return {FaultCode::NoSpace,
            attempted + " failed: " + found + "; delete data that is no longer needed, or ask the site for more room",
            {},
            {},
            std::move(log)};
  }
  if (error == EMFILE || error == ENFILE) {
    return {FaultCode::Busy,
            attempted + " failed: " + found + "; try again later, or raise the daemon's limit of open files",
            {},
            {},
            std::move(log)};
  }
  return {FaultCode::Internal,
          attempted + " failed: " + found + "; the site's administrator finds the file in the log",
          {},
          {},
          std::move(log)};
}

void writeAll(int fd, ByteView bytes, const std::string &attempted, const std::string &path) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      throw systemFault(attempted, path, errno);
    }
  }
}

void writeAllAt(int fd, std::uint64_t offset, ByteView bytes, const std::string &attempted, const std::string &path) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    } else if (errno != EINTR) {
      throw systemFault(attempted, path, errno);
    }
  }
}

std::size_t readAt(int fd, std::span<std::byte> into, std::uint64_t offset, const std::string &path) {
  while (true) {
    const auto got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) {
      throw systemFault("reading stored data", path, errno);
    }
  }
}

} // namespace waybill::storage
