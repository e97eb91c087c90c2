// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace waybill::cli {

namespace {

int runKeys(Context &context) {
  const auto keys = context.trust().keys();
  if (context.globals().json) {
    JsonList list;
    for (const auto &key : keys) {
      list.add(toJson(key));
    }
    list.end();
    return 0;
  }
  for (const auto &key : keys) {
    printText(key.instance + "  " + key.alias.value_or("-") + "  " + forTerminal(key.url.value_or("-")) +
              (key.revoked ? "  revoked" : "") + "\n");
  }
  return 0;
}

int runRevokeKey(const std::string &name, Context &context) {
  const auto key = storage::committed(context.catalog(), [&](storage::Transaction &transaction) {
    return security::Trust::revokeKey(transaction, name);
  });
  if (context.globals().json) {
    printJson(toJson(key));
  } else {
    printText("revoked      " + key.alias.value_or(key.instance) + "\n");
  }
  return 0;
}

} // namespace

void addKeys(CLI::App &app, Work &work) {
  auto *command = app.add_subcommand("keys", "list the keys that this home trusts");
  command->footer("One a line: id, alias, URL, and 'revoked' for those that are.\n\nExample:\n  waybill keys");
  command->callback([&work] { work = runKeys; });
}

void addRevokeKey(CLI::App &app, Work &work) {
  auto name = std::make_shared<std::string>();
  auto *command = app.add_subcommand("revoke-key", "trust a key no longer: its tokens are refused from now on");
  command->add_option("KEY", *name, "alias or id")->option_text("KEY")->required();
  command->footer("'waybill trust' with the certificate makes it good again.\n\nExample:\n  waybill --home "
                  "/var/lib/waybill revoke-key alice");
  command->callback([name, &work] { work = [name](Context &context) { return runRevokeKey(*name, context); }; });
}

} // namespace waybill::cli
