// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace waybill::services {

/// Of /proc/<pid>/stat (proc(5)).
struct ProcessStat {
  pid_t parent = 0;
  std::uint32_t threads = 0;
  std::chrono::milliseconds cpu{0}; ///< its own and that of the children that it has waited for
};

/// All of a small file of /proc; `folder` is an open descriptor that `path` starts from. Nothing when it is not there.
[[nodiscard]] std::optional<std::string> procFile(const std::string &path, int folder = AT_FDCWD);

/// Nothing when the process is gone.
[[nodiscard]] std::optional<ProcessStat> processStat(const std::string &path, int folder = AT_FDCWD);

/// The number after "`key`:" at the beginning of a line of `text`, as in /proc/<pid>/status; 0 when there is none.
[[nodiscard]] std::uint64_t lineValue(std::string_view text, std::string_view key);

} // namespace waybill::services
