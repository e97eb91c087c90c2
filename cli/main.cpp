// SPDX-License-Identifier: GPL-3.0-or-later
// The client and administration program. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"

#include <cstdio>
#include <iostream>

namespace {

using namespace waybill::cli;

constexpr int failed = 1;
constexpr int wrongUsage = 2;

/// Prints help and version; says what is wrong with anything else.
int answerParser(const CLI::App &app, const CLI::ParseError &error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return app.exit(error);
  }
  const auto chosen = app.get_subcommands();
  const auto verb = chosen.empty() ? std::string() : " " + chosen.front()->get_name();
  std::fprintf(stderr, "waybill:%s%s %s\n  waybill%s --help shows how it is used\n", verb.c_str(),
               verb.empty() ? "" : ":", error.what(), verb.c_str());
  return wrongUsage;
}

std::string chosenVerb(const CLI::App &app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? std::string() : chosen.front()->get_name();
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Stores, fetches, lists and deletes data at Waybill instances, and administers them.", "waybill");
  Globals globals;
  Work work;
  try {
    addAll(app, globals, work);
    app.parse(argc, argv);
    catchSignals();
    Context context(globals);
    const int code = work(context);
    flushOutput();
    return code;
  } catch (const CLI::ParseError &error) {
    return answerParser(app, error);
  } catch (const Interrupted &interrupted) {
    endBySignal(interrupted.signal());
  } catch (const std::exception &error) {
    printError(chosenVerb(app), error);
    return failed;
  }
}
