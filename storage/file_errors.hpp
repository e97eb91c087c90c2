// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/fault.hpp"

#include <string>

namespace waybill::storage {

/// True for the errors that mean "no room left": a full file system, a used-up quota, a file size limit.
[[nodiscard]] bool meansNoSpace(int error) noexcept;

/// The Fault for a system call that failed with `error` (errno): NoSpace, Busy when the descriptors have run out, else
/// Internal. `attempted` goes to the peer, for instance "writing data"; `path` to the log alone.
[[nodiscard]] Fault systemFault(const std::string &attempted, const std::string &path, int error);

/// Writes all of `bytes` at the file's position. Throws systemFault.
void writeAll(int fd, ByteView bytes, const std::string &attempted, const std::string &path);

/// The same at `offset`; the file's position stays.
void writeAllAt(int fd, std::uint64_t offset, ByteView bytes, const std::string &attempted, const std::string &path);

/// Reads up to into.size() bytes at `offset`; 0 at the end. Throws systemFault.
[[nodiscard]] std::size_t readAt(int fd, std::span<std::byte> into, std::uint64_t offset, const std::string &path);

} // namespace waybill::storage
