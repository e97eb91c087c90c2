// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/context.hpp"

namespace waybill::cli {

/// Prints who this home is: name, id, key type, place.
void printIdentity(Context &context);

} // namespace waybill::cli
