// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace waybill::services {

// Folders in which a program that nobody trusts has written. Links in them are never followed.

/// The output `name` (one segment) of a run that has ended, in `outFolder`; its size is known. Nothing when it is not
/// there. Throws Fault AlgorithmFailed, saying what was found, for anything but a regular file with one name; Internal
/// when it cannot be read.
[[nodiscard]] std::unique_ptr<Source> openOutput(const std::string &outFolder, const std::string &name);

/// What the files and folders in a folder take of the disk.
struct FolderUse {
  std::uint64_t bytes = 0;   ///< of each file the length or what it occupies, whichever is more
  std::uint64_t entries = 0; ///< files, folders, links
  bool readable = true;      ///< false when a folder could not be opened, or folders lay too deep in each other
};
/// Counts what is in `folder`, an open descriptor of it, while programs may be at work there. Stops early when there
/// are more than `mostBytes` or `mostEntries`. Of folders that their owner made unreadable it changes the mode.
[[nodiscard]] FolderUse folderUse(int folder, std::uint64_t mostBytes, std::uint64_t mostEntries);

/// Removes the folder `path` with all that is in it, however deep, many and unreadable; nothing happens when it is not
/// there. Throws Fault Internal when something stays. Nothing else may be at work in it.
void removeFolder(const std::string &path);

/// Lets programs read `file`, which belongs to this process, as an input (SandboxInput): as root it gets the mode bit
/// "others may read", since programs run as nobody. The folders above it must keep others out, and the home (0700)
/// does. Otherwise nothing is done. Throws Fault Internal.
void letProgramsRead(const std::string &file);

} // namespace waybill::services
