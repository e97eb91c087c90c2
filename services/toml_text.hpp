// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace waybill::services {

/// Throws Fault BadParameter "<file>:1: ..." for what is not there, and for what is no regular file; opens nothing.
void requireRegularFile(const std::string &file);

/// All of the operator's TOML file `file`, of at most `mostBytes`. Throws Fault BadParameter "<file>:1: ..." for what
/// is not there or cannot be read, for what is no regular file (without waiting for a FIFO's other end), and for more
/// bytes.
[[nodiscard]] std::string tomlText(const std::string &file, std::uint64_t mostBytes);

} // namespace waybill::services
