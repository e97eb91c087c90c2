// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/proc_files.hpp"

#include "storage/file_descriptor.hpp"

#include <array>
#include <charconv>
#include <sstream>
#include <unistd.h>

namespace waybill::services {

std::optional<std::string> procFile(const std::string &path, int folder) {
  const storage::FileDescriptor file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.isOpen()) {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 4096> block{};
  for (;;) {
    const auto got = ::read(file.get(), block.data(), block.size());
    if (got < 0) {
      return std::nullopt; // ESRCH: it has ended
    }
    if (got == 0) {
      return text;
    }
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

std::optional<ProcessStat> processStat(const std::string &path, int folder) {
  const auto text = procFile(path, folder);
  // The second field is the program's name in parentheses, which may have any characters in it.
  const auto nameEnd = text ? text->rfind(") ") : std::string::npos;
  if (nameEnd == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream rest(text->substr(nameEnd + 2)); // the third field, the state, comes first
  std::string skipped;
  ProcessStat stat;
  rest >> skipped >> stat.parent;
  for (int field = 5; field <= 13; ++field) {
    rest >> skipped;
  }
  std::int64_t ticks = 0;
  for (int field = 14; field <= 17; ++field) { // utime, stime, cutime, cstime
    std::int64_t part = 0;
    rest >> part;
    ticks += part;
  }
  rest >> skipped >> skipped >> stat.threads;
  if (!rest) {
    return std::nullopt;
  }
  static const auto ticksInSecond = ::sysconf(_SC_CLK_TCK);
  stat.cpu = std::chrono::milliseconds(ticks * 1000 / ticksInSecond);
  return stat;
}

std::uint64_t lineValue(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    const bool begins = at == 0 || text[at - 1] == '\n';
    auto rest = text.substr(at + key.size());
    if (begins && rest.starts_with(':')) {
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t", 1), rest.size()));
      std::uint64_t value = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), value);
      return value;
    }
  }
  return 0;
}

} // namespace waybill::services
