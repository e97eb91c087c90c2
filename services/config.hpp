// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "security/token.hpp"
#include "services/run_turns.hpp"
#include "services/transfer_policy.hpp"
#include "soap/limits.hpp"
#include "transport/egress.hpp"
#include "transport/server.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace waybill::services {

/// Who may read /metrics.
enum class MetricsAudience : std::uint8_t { Off, Loopback, All };
/// What a token shown again gets: the fault TokenReplayed, or an empty 202.
enum class ReplayAnswer : std::uint8_t { Fault, Silence };

/// Everything an operator can set, with its defaults. docs/operations.md explains each key; configTemplate() is its
/// source.
struct Config {
  std::string name;                   ///< empty: the common name of the certificate
  std::string publicUrl;              ///< "https://host:port"; empty: the address that the client asked on
  std::vector<std::string> otherUrls; ///< further URL prefixes that mean this instance
  MetricsAudience metrics = MetricsAudience::Loopback;
  transport::ServerOptions server;
  soap::Limits limits;
  std::uint64_t memoryBytes = 48ULL << 20U;    ///< that large envelopes may take together, by estimate
  std::uint64_t inlineBytes = 8ULL << 20U;     ///< most that one Copy returns as inline base64
  std::uint64_t objectBytes = 0;               ///< most that one object may have; 0: no limit
  std::uint64_t minimumFreeBytes = 64U << 20U; ///< uploads are refused when less would be left on the disk
  security::TokenPolicy tokens;
  TransferPolicy transfers;
  RunTurns::Bounds runs;
  std::size_t queuedJobs = 1000;               ///< that one principal may have waiting
  std::vector<std::string> algorithmsReadOnly; ///< further files and folders that programs may read
  transport::EgressRules egress;
  std::string egressCaFile; ///< who vouches for hosts that are no trusted instances; empty: the system's CAs
  ReplayAnswer replay = ReplayAnswer::Fault;
  std::string logLevel = "info";
  std::string auditFile; ///< empty: audit.log in the home
};

/// Reads `file`. Throws Fault BadParameter "<file>:<line>: ..." for what is no readable file of at most 1 MiB, TOML
/// that does not parse, an unknown key, a value of the wrong type or out of its range.
[[nodiscard]] Config loadConfig(const std::string &file);

/// The same of waybill.toml in `home`; the defaults where it is not there.
[[nodiscard]] Config configOf(const std::string &home);

/// Reads "HOST:PORT" or "[v6]:PORT" into `options`; what is written like an address has to be one. Throws Fault
/// BadParameter.
void parseListen(const std::string &value, transport::ServerOptions &options);

/// A commented TOML file with every key at its default.
[[nodiscard]] std::string configTemplate();

} // namespace waybill::services
