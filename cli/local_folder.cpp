// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/local_folder.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace waybill::cli {

namespace fs = std::filesystem;

LocalFolder::LocalFolder(std::string root) : root_(std::move(root)) {}

void LocalFolder::makeFolder(const std::string &path, bool below) {
  if (known_.contains(path)) {
    return;
  }
  std::error_code failed;
  // The root may be a link, its user chose it; below it a link could lead anywhere.
  const auto status = below ? fs::symlink_status(path, failed) : fs::status(path, failed);
  if (status.type() == fs::file_type::not_found) {
    below ? fs::create_directory(path, failed) : fs::create_directories(path, failed);
  } else if (!failed && !fs::is_directory(status)) {
    throw Fault(FaultCode::AlreadyExists,
                "'" + path + "' is there already and is no folder; move it away, or choose another place");
  }
  if (failed) {
    throw Fault(FaultCode::Internal, "cannot make the folder '" + path + "': " + failed.message());
  }
  known_.insert(path);
}

std::string LocalFolder::prepare(const std::string &relative) {
  makeFolder(root_, false);
  auto path = root_;
  std::size_t begin = 0;
  while (true) {
    const auto end = std::min(relative.find('/', begin), relative.size());
    const auto part = relative.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos) {
      throw Fault(FaultCode::InvalidMessage, "'" + relative + "' is no name for a file below '" + root_ + "'");
    }
    path += (path.ends_with('/') ? "" : "/") + part;
    if (end == relative.size()) {
      break;
    }
    makeFolder(path, true);
    begin = end + 1;
  }
  if (fs::is_directory(fs::symlink_status(path))) {
    throw Fault(FaultCode::AlreadyExists, "'" + path + "' is a folder here and a file there; choose another place");
  }
  return path;
}

} // namespace waybill::cli
