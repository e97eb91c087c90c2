// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/data.hpp"

#include <string>
#include <vector>

namespace waybill::cli {

/// The resources that a token for these paths names: the paths, or, when they are many, the folder that they are all
/// in; a token has to stay small.
[[nodiscard]] std::vector<std::string> resourcesFor(const std::vector<std::string> &paths);
/// The same for data named by Path or Id; nothing, which is no limit, for many of which some are named by Id.
[[nodiscard]] std::vector<std::string> resourcesFor(const std::vector<Data> &data);

} // namespace waybill::cli
