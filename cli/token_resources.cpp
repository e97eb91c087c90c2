// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/token_resources.hpp"

#include <algorithm>
#include <numeric>

namespace waybill::cli {

namespace {

constexpr std::size_t mostBytes = 2048;

std::string commonFolder(const std::vector<std::string> &paths) {
  auto folder = paths.front();
  for (const auto &path : paths) {
    const auto [end, other] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    folder.erase(end, folder.end());
  }
  const auto slash = folder.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : folder.substr(0, slash);
}

} // namespace

std::vector<std::string> resourcesFor(const std::vector<std::string> &paths) {
  const auto bytes = std::accumulate(paths.begin(), paths.end(), std::size_t{0},
                                     [](std::size_t sum, const std::string &path) { return sum + path.size(); });
  if (paths.size() <= 16 && bytes <= mostBytes) {
    return paths;
  }
  return {commonFolder(paths)};
}

} // namespace waybill::cli
