// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"
#include "services/job_runner.hpp"

#include <nlohmann/json.hpp>

namespace waybill::services {

std::string print(const JobNote &note) {
  nlohmann::json value{{"algorithm", note.algorithm}, {"log", note.log}};
  if (note.exitStatus) {
    value["exit_status"] = *note.exitStatus;
  }
  return value.dump();
}

JobNote parseJobNote(std::string_view text) {
  try {
    const auto value = nlohmann::json::parse(text);
    JobNote note{value.at("algorithm"), std::nullopt, value.at("log")};
    if (value.contains("exit_status")) {
      note.exitStatus = value["exit_status"].get<std::int32_t>();
    }
    return note;
  } catch (const nlohmann::json::exception &error) {
    throw Fault(FaultCode::Internal,
                "the catalog keeps a job that this program cannot read; was it written by a newer one?", {}, {},
                LogText(error.what()));
  }
}

} // namespace waybill::services
