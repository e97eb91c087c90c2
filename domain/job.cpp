// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/job.hpp"

namespace waybill {

std::string_view name(JobPhase phase) noexcept { return phase == JobPhase::Run ? "Run" : "Delivery"; }

} // namespace waybill
