// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace waybill::cli {

/// The resources that a token for these paths names: the paths, or, when they are many, the folder that they are all
/// in; a token has to stay small.
[[nodiscard]] std::vector<std::string> resourcesFor(const std::vector<std::string> &paths);

} // namespace waybill::cli
