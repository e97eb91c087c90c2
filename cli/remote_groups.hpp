// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/remote_name.hpp"

#include <string>
#include <vector>

namespace waybill::cli {

/// Names of one instance, in the order they were given.
struct RemoteGroup {
  RemoteName first;
  std::vector<RemoteName> names;
};

/// Throws WrongUsage for what is no remote name.
[[nodiscard]] std::vector<RemoteGroup> groupByInstance(const std::vector<std::string> &names);

} // namespace waybill::cli
