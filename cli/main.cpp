// SPDX-License-Identifier: GPL-3.0-or-later
// The client and administration program. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "cli/usage.hpp"

#include <cstdio>

namespace {

using namespace waybill::cli;

constexpr int failed = 1;
constexpr int wrongUsage = 2;

std::string chosenVerb(const CLI::App &app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? std::string() : chosen.front()->get_name();
}

void showWhereHelpIs(const std::string &verb) {
  std::fprintf(stderr, "  waybill %s%s--help shows how it is used\n", verb.c_str(), verb.empty() ? "" : " ");
}

/// Prints help and version; says what is wrong with anything else.
int answerParser(const CLI::App &app, const CLI::ParseError &error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return app.exit(error);
  }
  const auto verb = chosenVerb(app);
  const auto rest = app.remaining();
  if (verb.empty() && !rest.empty()) {
    note("there is no command '" + rest.front() + "'");
  } else {
    note((verb.empty() ? "" : verb + ": ") + error.what());
  }
  showWhereHelpIs(verb);
  return wrongUsage;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app(
      "Stores, fetches, lists and deletes data at Waybill instances, runs their algorithms, and administers them.",
      "waybill");
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
  } catch (const WrongUsage &error) {
    printError(chosenVerb(app), error);
    showWhereHelpIs(chosenVerb(app));
    return wrongUsage;
  } catch (const std::exception &error) {
    printError(chosenVerb(app), error);
    return failed;
  }
}
