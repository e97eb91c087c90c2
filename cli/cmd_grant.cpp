// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/usage.hpp"
#include "domain/random.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <memory>

namespace waybill::cli {

namespace {

struct GrantOptions {
  std::string principal;
  std::string rights;
  std::string prefix;
  std::string expires;
};

/// A grant on one line, its principal by alias where it has one.
std::string line(const Grant &grant, const std::map<std::string, std::string> &aliases) {
  const auto alias = aliases.find(grant.principal.instance);
  const auto who = (alias == aliases.end() ? grant.principal.instance : alias->second) +
                   (grant.principal.subject ? "/" + *grant.principal.subject : "");
  return grant.id + "  " + who + "  " + format(grant.rights) + "  " + grant.prefix +
         (grant.expires ? "  until " + formatUtc(*grant.expires) : "") + "\n";
}

std::map<std::string, std::string> aliasesOf(Context &context) {
  std::map<std::string, std::string> aliases;
  for (const auto &key : context.trust().keys()) {
    if (key.alias) {
      aliases[key.instance] = *key.alias;
    }
  }
  return aliases;
}

void show(const Grant &grant, Context &context) {
  if (context.globals().json) {
    printJson(toJson(grant));
  } else {
    printText(line(grant, aliasesOf(context)));
  }
}

std::set<Right> rightsOf(const std::string &text) {
  try {
    return parseRights(text);
  } catch (const Fault &fault) {
    throw WrongUsage(fault.reason());
  }
}

int runGrant(const GrantOptions &options, Context &context) {
  const auto rights = rightsOf(options.rights);
  const auto expires =
      options.expires.empty() ? std::nullopt : std::optional(parseExpiry(options.expires, context.clock().now()));
  const auto grant = storage::committed(context.catalog(), [&](storage::Transaction &transaction) {
    return context.trust().grant(transaction, options.principal, rights, options.prefix, expires,
                                 randomId(context.random()));
  });
  show(grant, context);
  return 0;
}

int runGrants(const std::string &principal, Context &context) {
  auto &trust = context.trust();
  const auto grants = trust.grants(principal.empty() ? std::nullopt : std::optional(trust.resolve(principal)));
  if (!context.globals().json) {
    const auto aliases = aliasesOf(context);
    for (const auto &grant : grants) {
      printText(line(grant, aliases));
    }
    return 0;
  }
  JsonList list;
  for (const auto &grant : grants) {
    list.add(toJson(grant));
  }
  list.end();
  return 0;
}

int runRevoke(const std::string &id, Context &context) {
  const auto grant = storage::committed(
      context.catalog(), [&](storage::Transaction &transaction) { return security::Trust::revoke(transaction, id); });
  show(grant, context);
  return 0;
}

} // namespace

void addGrant(CLI::App &app, Work &work) {
  auto options = std::make_shared<GrantOptions>();
  auto *command = app.add_subcommand("grant", "let a trusted key do something with this home's data or algorithms");
  command->add_option("PRINCIPAL", options->principal, "alias or id, with /SUBJECT for one user of it")
      ->option_text("PRINCIPAL")
      ->required();
  command->add_option("RIGHTS", options->rights, "of read,write,delete,list,invoke,administer, with commas")
      ->option_text("RIGHTS")
      ->required();
  command
      ->add_option("PATH", options->prefix, "path prefix, / for everything; with invoke, an algorithm or all below one")
      ->option_text("PATH")
      ->required();
  command->add_option("--expires", options->expires, "when it ends: 30d, or a time such as 2027-01-31T00:00:00Z")
      ->option_text("WHEN");
  command->footer(
      "Holds at once, also for a daemon that runs. An algorithm is granted as a path: invoke text/sort for that "
      "one, invoke text for all below text/, invoke / for all.\n\nExample:\n  waybill --home "
      "/var/lib/waybill grant alice read,write,list,delete /\n  waybill --home /var/lib/waybill grant "
      "alice invoke text/sort");
  command->callback([options, &work] { work = [options](Context &context) { return runGrant(*options, context); }; });
}

void addGrants(CLI::App &app, Work &work) {
  auto principal = std::make_shared<std::string>();
  auto *command = app.add_subcommand("grants", "list what is granted");
  command->add_option("PRINCIPAL", *principal, "only what this one has")->option_text("PRINCIPAL");
  command->footer("One a line: id, principal, rights, path (of algorithms: /text/sort for text/sort).\n\nExample:\n  "
                  "waybill --home /var/lib/waybill grants alice");
  command->callback(
      [principal, &work] { work = [principal](Context &context) { return runGrants(*principal, context); }; });
}

void addRevoke(CLI::App &app, Work &work) {
  auto id = std::make_shared<std::string>();
  auto *command = app.add_subcommand("revoke", "take a grant back");
  command->add_option("GRANT-ID", *id, "its id, as 'waybill grants' shows it")->option_text("GRANT-ID")->required();
  command->footer("Example:\n  waybill --home /var/lib/waybill revoke 0123456789abcdef0123456789abcdef");
  command->callback([id, &work] { work = [id](Context &context) { return runRevoke(*id, context); }; });
}

} // namespace waybill::cli
