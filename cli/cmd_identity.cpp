// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/identity.hpp"
#include "cli/output.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace waybill::cli {

void printIdentity(Context &context) {
  const auto &certificate = context.key().certificate();
  if (context.globals().json) {
    printJson({{"name", certificate.commonName()},
               {"id", certificate.instanceId()},
               {"keyType", certificate.keyType()},
               {"home", context.home()},
               {"certificate", certificate.pem()}});
    return;
  }
  printText("name         " + forTerminal(certificate.commonName()) + "\nid           " + certificate.instanceId() +
            "\nfingerprint  " + security::fingerprintForPeople(certificate.instanceId()) + "\nkey type     " +
            certificate.keyType() + "\nhome         " + context.home() + "\n");
}

namespace {

int runIdentity(bool pem, Context &context) {
  if (pem) {
    printText(context.key().certificate().pem());
  } else {
    printIdentity(context);
  }
  return 0;
}

} // namespace

void addIdentity(CLI::App &app, Work &work) {
  auto pem = std::make_shared<bool>(false);
  auto *command = app.add_subcommand("identity", "show who this home is: id, fingerprint, certificate");
  command->add_flag("--pem", *pem, "print the certificate, for others to trust");
  command->footer("The id is the SHA-256 of the public key.\n\nExample:\n  waybill identity --pem > alice.pem");
  command->callback([pem, &work] { work = [pem](Context &context) { return runIdentity(*pem, context); }; });
}

} // namespace waybill::cli
