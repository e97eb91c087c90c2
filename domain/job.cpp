// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/job.hpp"

namespace waybill {

std::string_view name(JobPhase phase) noexcept {
  switch (phase) {
  case JobPhase::Inputs: return "Inputs";
  case JobPhase::Run: return "Run";
  case JobPhase::Delivery: return "Delivery";
  }
  return "";
}

std::optional<JobPhase> jobPhaseNamed(std::string_view name) noexcept {
  for (const auto phase : {JobPhase::Inputs, JobPhase::Run, JobPhase::Delivery}) {
    if (waybill::name(phase) == name) {
      return phase;
    }
  }
  return std::nullopt;
}

} // namespace waybill
