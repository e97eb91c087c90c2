// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/transfer.hpp"

#include <string>
#include <vector>

namespace waybill::cli {

/// Transfers for people to read: a line of titles, a line each, and below it what it failed for last. Fit for a
/// terminal.
[[nodiscard]] std::string transferTable(const std::vector<Transfer> &transfers, Time now);
/// All that is known of one.
[[nodiscard]] std::string transferBlock(const Transfer &transfer);
/// One line, when its state has changed.
[[nodiscard]] std::string transferLine(const Transfer &transfer);

} // namespace waybill::cli
