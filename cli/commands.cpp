// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/help_format.hpp"
#include "services/version.hpp"

#include <memory>

namespace waybill::cli {

void addAll(CLI::App &app, Globals &globals, Work &work) {
  app.require_subcommand(1);
  app.fallthrough();
  app.formatter(std::make_shared<HelpFormat>());
  app.add_option("--home", globals.home, "folder of the key pair and the catalog; else $WAYBILL_HOME, else ~/.waybill")
      ->option_text("DIR");
  app.add_flag("--json", globals.json, "print facts as JSON");
  app.add_flag("-q,--quiet", globals.quiet, "no progress and no summary");
  app.set_version_flag("--version", std::string("waybill ") + services::versionText, "print the version");
  app.footer("Remote things are ALIAS:/path, with an alias given by 'waybill trust', or https://host:port/path.\n"
             "Exit codes: 0 done, 1 refused or failed, 2 wrong usage.\n\n"
             "Example:\n"
             "  waybill init --name alice\n"
             "  waybill trust https://lab.example.org:8443 --as lab\n"
             "  waybill put paper.pdf lab:/docs/\n"
             "  waybill get lab:/docs/paper.pdf copy.pdf\n"
             "  waybill copy lab:/docs/paper.pdf archive:/docs/\n"
             "  waybill run lab:/text/sort text=words.txt");
  for (const auto add : {addInit, addIdentity, addTrust, addKeys,        addRevokeKey,  addGrant, addGrants, addRevoke,
                         addPut,  addGet,      addCopy,  addTransfers,   addAlgorithms, addRun,   addJobs,   addLs,
                         addStat, addRm,       addToken, addRenewLedger, addCompletion, addMan}) {
    add(app, work);
  }
}

} // namespace waybill::cli
