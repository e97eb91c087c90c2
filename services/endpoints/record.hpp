// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/log.hpp"

#include <string>

namespace waybill::services {

/// Writes down how an operation ended: a line for the log, one for the audit log. `cause` is for the log alone. What
/// fails is told to the log.
void writeDown(const Log &log, Audit &audit, const AuditRecord &record, const std::string &cause) noexcept;

} // namespace waybill::services
