// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/job.hpp"
#include "services/remote_instance.hpp"

#include <string>
#include <string_view>

namespace waybill::cli {

/// What a program prints, told as it grows: given the ends of it, one after the other, says what is new.
class GrowingLog {
public:
  /// Whole lines that were not there the last time; with "[...]" where something was missed. `last`: the rest, too.
  [[nodiscard]] std::string news(std::string_view tail, bool last);

private:
  [[nodiscard]] std::string_view newPart(std::string_view tail) const;
  std::string seen_;    ///< the tail of the last time
  std::string waiting_; ///< the beginning of a line
};

/// Follows the job `id` of `remote` until it has ended, and returns how. With `tell`, says on standard error what it
/// does, and what its program prints. Throws what the instance answers, and Interrupted: the job goes on.
[[nodiscard]] Job followJob(services::RemoteInstance &remote, const std::string &id, bool tell);

} // namespace waybill::cli
