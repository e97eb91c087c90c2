// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/remote_groups.hpp"

#include <algorithm>

namespace waybill::cli {

std::vector<RemoteGroup> groupByInstance(const std::vector<std::string> &names) {
  std::vector<RemoteGroup> groups;
  for (const auto &text : names) {
    auto name = parseRemoteName(text);
    const auto group = std::find_if(groups.begin(), groups.end(),
                                    [&](const RemoteGroup &known) { return known.first.instance == name.instance; });
    if (group == groups.end()) {
      groups.push_back({name, {name}});
    } else {
      group->names.push_back(std::move(name));
    }
  }
  return groups;
}

} // namespace waybill::cli
