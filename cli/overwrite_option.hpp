// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"

#include <CLI/CLI.hpp>

namespace waybill::cli {

/// Adds --overwrite never|always|if-different, which sets `overwrite`.
void addOverwrite(CLI::App &command, Overwrite &overwrite);

} // namespace waybill::cli
