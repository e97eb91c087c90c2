// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/disk_room.hpp"
#include "soap/attachments.hpp"

#include <string>

namespace waybill::services {

/// Spool files in `home`/staging for parts that come before they are asked for; they leave the reserve of `room`, which
/// must outlive them.
[[nodiscard]] soap::Spool spoolIn(const std::string &home, const DiskRoom &room);

} // namespace waybill::services
