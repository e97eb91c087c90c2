// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>

namespace waybill::cli {

/// Adds --priority 1..5, which sets `priority`.
void addPriority(CLI::App &command, std::optional<std::int32_t> &priority);

} // namespace waybill::cli
