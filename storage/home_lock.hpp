// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/file_descriptor.hpp"

#include <string>

namespace waybill::storage {

/// Keeps a second daemon away from an instance's home: an flock(2) on <home>/lock, which holds the owner's process id.
/// The kernel releases it when the process ends, however it ends; the file stays.
class HomeLock {
public:
  /// Throws Fault Busy, naming the process that holds it and what to do; Internal when the file cannot be opened.
  explicit HomeLock(const std::string &home);

private:
  FileDescriptor file_;
};

} // namespace waybill::storage
