// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/token_resources.hpp"

#include <algorithm>
#include <numeric>

namespace waybill::cli {

namespace {

constexpr std::size_t mostPaths = 16;
constexpr std::size_t mostBytes = 2048;
/// A token has to be good until the instance reads it, and its use is remembered until it ends: as long as the slowest
/// link that is worth using needs.
constexpr std::uint64_t slowestRate = 256 * 1024;
constexpr std::chrono::seconds shortestTokenLife{600};

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

std::chrono::seconds tokenLifeFor(std::uint64_t bytes) {
  return std::clamp(std::chrono::seconds(bytes / slowestRate), shortestTokenLife, longestTokenLife);
}

std::vector<std::string> resourcesFor(const std::vector<std::string> &paths) {
  const auto bytes = std::accumulate(paths.begin(), paths.end(), std::size_t{0},
                                     [](std::size_t sum, const std::string &path) { return sum + path.size(); });
  if (paths.size() <= mostPaths && bytes <= mostBytes) {
    return paths;
  }
  return {commonFolder(paths)};
}

std::vector<std::string> resourcesFor(const std::vector<Data> &data) {
  std::vector<std::string> names;
  bool byPath = true;
  for (const auto &one : data) {
    byPath = byPath && !one.id;
    names.push_back(one.id ? *one.id : one.path.value_or("/"));
  }
  if (!byPath && names.size() > mostPaths) {
    return {};
  }
  return byPath ? resourcesFor(names) : names;
}

} // namespace waybill::cli
