// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/algorithms/sandbox.hpp"

#include <string>
#include <vector>

namespace waybill::services {

/// The user and group that programs run as when the daemon is root: nobody, whatever its name is here.
inline constexpr unsigned nobody = 65534;

/// The descriptors that bwrap is started with, besides 0, 1 and 2.
struct SandboxDescriptors {
  static constexpr int info = 3;   ///< bwrap writes the id of the sandbox's first process there (JSON)
  static constexpr int status = 4; ///< and how the program ended there (JSON, a line each)
  static constexpr int go = 5;     ///< bwrap starts the program once it can read this to its end
  static constexpr int filter = 6; ///< seccompFilter()
};

/// Empty, or which folder that programs may read would show them the instance's home, and what to do.
[[nodiscard]] std::string exposureOf(const Sandbox::Options &options);

/// Why programs cannot be run by the name `program` now, as a clause: "there is no /usr/bin/heat on this machine";
/// empty when they can. Paths are those within.
[[nodiscard]] std::string whyNotRunnable(const Sandbox::Options &options, const std::string &program);

/// The whole command line of bwrap for `task`. Throws Fault: AlgorithmFailed for a program that cannot be run,
/// BadParameter for arguments with a zero byte, Internal for names that are no safe names.
[[nodiscard]] std::vector<std::string> sandboxCommand(const Sandbox::Options &options, const SandboxTask &task);

} // namespace waybill::services
