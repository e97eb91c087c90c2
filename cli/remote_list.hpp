// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/remote_name.hpp"
#include "domain/data.hpp"
#include "services/remote_instance.hpp"

#include <functional>
#include <string>

namespace waybill::cli {

/// Calls `each` for all data at or below `prefix`, page after page. Throws Fault InvalidMessage when the instance lists
/// what is not below it, or no data path: names come from the other side, and files are made of them.
void listAll(services::RemoteInstance &remote, const std::string &prefix,
             const std::function<void(const Data &)> &each);

/// What the instance knows of one object: with Id and Path. Throws what it answers (NoSuchData), and InvalidMessage.
[[nodiscard]] Data describeOne(services::RemoteInstance &remote, const RemoteName &name);

} // namespace waybill::cli
