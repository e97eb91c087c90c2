// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <sys/types.h>

#include <string>

/// Small files that must be whole or absent. For this folder's .cpp files alone. All throw Fault Internal naming the
/// file (NoSpace when the disk is full), and what to do.
namespace waybill::security {

/// Writes a file that is not there yet: temporary name, sync, then its own name. The folder has to be synced after it.
/// Throws Fault AlreadyExists, and leaves what is there as it was, when it is.
void writeNewFile(const std::string &file, ByteView bytes, mode_t mode);
void syncFolder(const std::string &folder);

enum class Readers { Anybody, OwnerOnly };
/// The whole file. With OwnerOnly it is refused when group or others may do anything with it. `hint` says what to do
/// when it is missing.
[[nodiscard]] std::string readSmallFile(const std::string &file, Readers readers, const std::string &hint);

} // namespace waybill::security
