// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace waybill::cli {

/// A file that is to be sent, and where to.
struct LocalFile {
  std::string local;  ///< as the user would name it
  std::string remote; ///< path at the instance
  std::uint64_t size = 0;
};

/// What was met on the way.
struct TreeEvents {
  std::function<void(const std::string &text)> note;       ///< left out on purpose: a link to a folder, a socket
  std::function<void(const std::exception &error)> failed; ///< cannot be read
};

/// The regular files of `source`: itself, or all below it, in the order of their names. `target` is where it goes: a
/// file takes that path, or its own name below it when it ends in "/"; a folder keeps its name below a target that ends
/// in "/" and takes its place otherwise.
///
/// Links to files are followed, links to folders are not, so that no loop is walked.
[[nodiscard]] std::vector<LocalFile> walk(const std::string &source, const std::string &target,
                                          const TreeEvents &events);

} // namespace waybill::cli
