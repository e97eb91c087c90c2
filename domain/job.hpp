// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/transfer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waybill {

/// What a job does, or was doing when it ended: its inputs are fetched, its program runs, its results are delivered.
enum class JobPhase : std::uint8_t { Inputs, Run, Delivery };
/// "Inputs", "Run", "Delivery": as in wb:Phase.
[[nodiscard]] std::string_view name(JobPhase phase) noexcept;
[[nodiscard]] std::optional<JobPhase> jobPhaseNamed(std::string_view name) noexcept;

/// `wb:Job`: an Invoke whose response goes elsewhere, from the request to the receipt (wsdl/algorithms.xsd).
struct Job {
  std::string id; ///< wsa:MessageID of the Invoke
  std::string algorithm;
  std::string owner; ///< formatted Principal of the caller
  TransferState state = TransferState::Queued;
  JobPhase phase = JobPhase::Run;
  std::uint32_t attempts = 0; ///< of the phase
  std::optional<std::string> lastError;
  std::optional<std::int32_t> exitStatus; ///< of the run, once it has ended
  std::string log;                        ///< the end of what the program has printed so far
  Time started;                           ///< when the request was taken
  std::optional<Time> ended;
  std::string destination;              ///< the address that the response goes to
  std::vector<Data> receipt;            ///< what the receiver said that it stored
  std::optional<std::int32_t> priority; ///< none: it was refused, or an older instance does not say
  friend bool operator==(const Job &, const Job &) = default;
};

} // namespace waybill
