// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/data.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace waybill::cli {

/// How long tokens may be good at instances, unless they are configured otherwise. One for somebody else has to be good
/// when its turn comes.
constexpr std::chrono::seconds longestTokenLife{3600};
/// How long a token has to be good for a message with so many bytes, over the slowest link that is worth using.
[[nodiscard]] std::chrono::seconds tokenLifeFor(std::uint64_t bytes);

/// The resources that a token for these paths names: the paths, or, when they are many, the folder that they are all
/// in; a token has to stay small.
[[nodiscard]] std::vector<std::string> resourcesFor(const std::vector<std::string> &paths);
/// The same for data named by Path or Id; nothing, which is no limit, for many of which some are named by Id.
[[nodiscard]] std::vector<std::string> resourcesFor(const std::vector<Data> &data);

} // namespace waybill::cli
