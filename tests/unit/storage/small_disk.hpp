// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "temporary_folder.hpp"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <string>
#include <sys/mount.h>

namespace waybill::storage::tests {

/// A file system of so many bytes, in memory. Mounting takes privileges: without them isMounted() is false, and says so
/// on stderr.
class SmallDisk {
public:
  explicit SmallDisk(std::size_t bytes) {
    const auto options = "size=" + std::to_string(bytes);
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) {
      std::cerr << "SKIPPED, a full disk was not tried: mounting a tmpfs failed: " << std::strerror(errno) << '\n';
    }
  }
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(folder_.path().c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk &) = delete;
  SmallDisk &operator=(const SmallDisk &) = delete;

  [[nodiscard]] bool isMounted() const noexcept { return mounted_; }
  [[nodiscard]] const std::string &path() const noexcept { return folder_.path(); }

private:
  TemporaryFolder folder_;
  bool mounted_ = false;
};

} // namespace waybill::storage::tests
