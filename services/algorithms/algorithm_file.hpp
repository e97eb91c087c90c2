// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/algorithms/algorithm.hpp"

#include <string>

namespace waybill::services {

/// Reads what `file` publishes (docs/algorithms.md has the format), as `id` unless the file says another. All of it is
/// checked, so that a call with good parameters and inputs can always be expanded (arguments.hpp). Throws Fault
/// BadParameter "<file>:<line>: ..." for TOML that does not parse, an unknown key, and whatever cannot be meant.
[[nodiscard]] Algorithm loadAlgorithm(const std::string &file, const std::string &id);

} // namespace waybill::services
