// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "storage/renew_ledger.hpp"

#include <nlohmann/json.hpp>

namespace waybill::cli {

namespace {

int runRenewLedger(Context &context) {
  const auto birth = storage::renewLedger(context.home(), context.clock());
  // Tokens are refused until then; whoever is told that it is done may make one at once.
  sleepUnlessInterrupted(std::chrono::ceil<std::chrono::milliseconds>(birth - context.clock().now()));
  if (context.globals().json) {
    printJson({{"ledgerBirth", formatUtc(birth)}});
  } else {
    printText("tokens issued before " + formatUtc(birth) + " are refused from now on\n");
  }
  return 0;
}

} // namespace

void addRenewLedger(CLI::App &app, Work &work) {
  auto *command = app.add_subcommand("renew-ledger", "after a restore: refuse all tokens that were issued before now");
  command->footer("A restored catalog does not know which tokens were used after the backup was made. Stop the daemon "
                  "first.\n\nExample:\n  waybill --home /var/lib/waybill renew-ledger");
  command->callback([&work] { work = runRenewLedger; });
}

} // namespace waybill::cli
