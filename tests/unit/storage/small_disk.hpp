// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "temporary_folder.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/mount.h>

namespace waybill::storage::tests {

/// A file system of so many bytes, in memory. Mounting takes privileges: without them the test that needs it fails.
class SmallDisk {
public:
  explicit SmallDisk(std::size_t bytes) {
    const auto options = "size=" + std::to_string(bytes);
    if (::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options.c_str()) != 0) {
      throw std::runtime_error(std::string("this test needs leave to mount a tmpfs (run it as root): ") +
                               std::strerror(errno));
    }
  }
  ~SmallDisk() { ::umount2(folder_.path().c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk &) = delete;
  SmallDisk &operator=(const SmallDisk &) = delete;

  [[nodiscard]] const std::string &path() const noexcept { return folder_.path(); }

private:
  TemporaryFolder folder_;
};

} // namespace waybill::storage::tests
