// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/algorithm.hpp"

#include <string>
#include <vector>

namespace waybill::cli {

/// Algorithms for people to read: a line of titles, and a line each. Fit for a terminal.
[[nodiscard]] std::string algorithmTable(const std::vector<AlgorithmDescription> &algorithms);

/// All that is known of one: what it reads, makes and wants to be told, its limits, and how it is run when it is called
/// `name` ("lab:/text/sort"). Fit for a terminal.
[[nodiscard]] std::string algorithmBlock(const AlgorithmDescription &algorithm, const std::string &name);

} // namespace waybill::cli
