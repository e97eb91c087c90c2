// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/context.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace waybill::cli {

/// What the chosen command does once the line has been read; returns the exit code.
using Work = std::function<int(Context &)>;

// Each adds one command to `app`. When it is chosen, `work` is set.
void addInit(CLI::App &app, Work &work);
void addIdentity(CLI::App &app, Work &work);
void addTrust(CLI::App &app, Work &work);
void addKeys(CLI::App &app, Work &work);
void addRevokeKey(CLI::App &app, Work &work);
void addGrant(CLI::App &app, Work &work);
void addGrants(CLI::App &app, Work &work);
void addRevoke(CLI::App &app, Work &work);
void addPut(CLI::App &app, Work &work);
void addGet(CLI::App &app, Work &work);
void addLs(CLI::App &app, Work &work);
void addStat(CLI::App &app, Work &work);
void addCopy(CLI::App &app, Work &work);
void addTransfers(CLI::App &app, Work &work);
void addAlgorithms(CLI::App &app, Work &work);
void addRun(CLI::App &app, Work &work);
void addJobs(CLI::App &app, Work &work);
void addRm(CLI::App &app, Work &work);
void addToken(CLI::App &app, Work &work);
void addRenewLedger(CLI::App &app, Work &work);
void addCompletion(CLI::App &app, Work &work);
void addMan(CLI::App &app, Work &work);

/// The whole command line: all of the above and the options that every command has, which go to `globals`.
void addAll(CLI::App &app, Globals &globals, Work &work);

} // namespace waybill::cli
