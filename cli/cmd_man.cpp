// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/local_file.hpp"
#include "cli/man_page.hpp"
#include "cli/output.hpp"
#include "services/version.hpp"

#include <memory>

namespace waybill::cli {

namespace {

constexpr std::uint64_t helpLimit = 1ULL << 20U;

/// The help of `app` itself: App::help() would give that of the command that was chosen, of `man`.
std::string helpOf(const CLI::App &app, const std::string &name) {
  return app.get_formatter()->make_help(&app, name, CLI::AppFormatMode::Normal);
}

/// waybill(1): the general help, then each command's.
std::string ownPage(const CLI::App &app) {
  ManPage page("waybill", 1, services::versionText, "put, get and administer data of Waybill instances");
  page.add("SYNOPSIS AND COMMANDS", helpOf(app, "waybill"));
  for (const auto *command :
       app.get_subcommands([](const CLI::App *candidate) { return !candidate->get_group().empty(); })) {
    const auto name = "waybill " + command->get_name();
    page.add(name, helpOf(*command, name));
  }
  page.add("SEE ALSO", "waybilld(8)");
  return page.text();
}

/// waybilld(8), from what its --help prints.
std::string daemonPage(const std::string &help) {
  ManPage page("waybilld", 8, services::versionText, "serve a Waybill instance");
  page.add("DESCRIPTION", help);
  page.add("SEE ALSO", "waybill(1)");
  return page.text();
}

int runMan(const std::string &file, const CLI::App &app) {
  printText(file.empty() ? ownPage(app) : daemonPage(readWholeFile(file, helpLimit)));
  return 0;
}

} // namespace

void addMan(CLI::App &app, Work &work) {
  auto file = std::make_shared<std::string>();
  auto *command = app.add_subcommand("man", "print this program's man page, or waybilld's");
  command->group(""); // for the build; not shown
  command->add_option("--of", *file, "what 'waybilld --help' printed")->option_text("FILE");
  command->callback([file, &app, &work] { work = [file, &app](Context &) { return runMan(*file, app); }; });
}

} // namespace waybill::cli
