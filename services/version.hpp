// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace waybill::services {

/// The program's version (CMakeLists.txt).
inline constexpr const char *versionText = WAYBILL_VERSION;

} // namespace waybill::services
