// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/transfer.hpp"
#include "services/remote_instance.hpp"

#include <functional>
#include <optional>
#include <string>

namespace waybill::cli {

/// Calls `each` for the caller's transfers at that instance, the newest first; of one state, when that is given.
void listTransfers(services::RemoteInstance &remote, std::optional<TransferState> state,
                   const std::function<void(const Transfer &)> &each);
/// Those that are queued or active.
void listUnderWay(services::RemoteInstance &remote, const std::function<void(const Transfer &)> &each);
/// With its receipt. Throws Fault NoSuchTransfer.
[[nodiscard]] Transfer transferOf(services::RemoteInstance &remote, const std::string &messageId);

} // namespace waybill::cli
