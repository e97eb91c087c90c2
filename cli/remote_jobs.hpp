// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/job.hpp"
#include "services/remote_instance.hpp"

#include <functional>
#include <optional>
#include <string>

namespace waybill::cli {

/// Calls `each` for the caller's jobs at that instance, the newest first, without their logs; of one state, when that
/// is given.
void listJobs(services::RemoteInstance &remote, std::optional<TransferState> state,
              const std::function<void(const Job &)> &each);
/// With its log and its receipt. Throws Fault NoSuchTransfer.
[[nodiscard]] Job jobOf(services::RemoteInstance &remote, const std::string &id);

} // namespace waybill::cli
