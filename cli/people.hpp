// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::cli {

/// "12.3 MB" (powers of 1,000).
[[nodiscard]] std::string sizeForPeople(std::uint64_t bytes);
/// "0:07", "12:34", "3:05:09".
[[nodiscard]] std::string durationForPeople(std::chrono::seconds time);

/// "45s", "30m", "2h", "7d", or seconds. Throws WrongUsage naming `option`.
[[nodiscard]] std::chrono::seconds parseDuration(std::string_view text, std::string_view option);
/// A time of UTC ("2027-01-31T00:00:00Z"), a day ("2027-01-31"), or a duration from `now`. Throws WrongUsage.
[[nodiscard]] Time parseExpiry(std::string_view text, Time now);

/// "1 file", "2 files".
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view thing);

} // namespace waybill::cli
