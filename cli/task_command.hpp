// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/context.hpp"
#include "cli/task.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace waybill::cli {

/// What `waybill transfers` and `waybill jobs` are told.
struct TaskOptions {
  std::vector<std::string> words; ///< an instance; or show or cancel, an instance or not, and ids
  std::string at;
  std::vector<std::string> states;
  bool watch = false;
};

/// Adds the arguments and options of a command on tasks of that kind, which set `options`.
void addTaskOptions(CLI::App &command, const TaskKind &kind, TaskOptions &options);

/// Lists, watches, shows or cancels them; returns the exit code. Throws WrongUsage for what does not go together.
[[nodiscard]] int runTasks(const TaskKind &kind, const TaskOptions &options, Context &context);

} // namespace waybill::cli
