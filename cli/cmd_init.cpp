// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/choice.hpp"
#include "cli/identity.hpp"
#include "cli/output.hpp"

#include <unistd.h>

#include <array>
#include <memory>

namespace waybill::cli {

namespace {

struct InitOptions {
  std::string name;
  std::vector<std::string> hosts;
  security::KeyType type = security::KeyType::P256;
};

std::string hostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && name.front() != '\0' ? name.data() : "localhost";
}

int runInit(const InitOptions &options, Context &context) {
  makeHome(context.home());
  auto hosts = options.hosts;
  for (const auto &always : {std::string("localhost"), std::string("127.0.0.1"), std::string("::1"), hostName()}) {
    if (std::find(hosts.begin(), hosts.end(), always) == hosts.end()) {
      hosts.push_back(always);
    }
  }
  static_cast<void>(security::InstanceKey::generate(context.home(), options.name.empty() ? hostName() : options.name,
                                                    hosts, options.type));
  static_cast<void>(context.catalog()); // made now, so that a home that cannot hold one is found now
  printIdentity(context);
  return 0;
}

} // namespace

void addInit(CLI::App &app, Work &work) {
  auto options = std::make_shared<InitOptions>();
  auto *command = app.add_subcommand("init", "make a key pair and a home: for a server, or for a client");
  command->add_option("--name", options->name, "what the instance calls itself; the host's name when left out")
      ->option_text("NAME");
  command
      ->add_option("--host", options->hosts,
                   "name or address under which it is reached, for its TLS certificate; may be given again")
      ->option_text("HOST")
      ->expected(1)
      ->take_all();
  command->add_option("--key-type", options->type, "what its key is; p256 when left out")
      ->transform(
          choice<security::KeyType>({{"p256", security::KeyType::P256}, {"rsa3072", security::KeyType::Rsa3072}}))
      ->option_text("p256|rsa3072");
  command->footer("An existing key is never overwritten.\n\nExample:\n  waybill --home /var/lib/waybill init --name "
                  "lab --host lab.example.org");
  command->callback([options, &work] { work = [options](Context &context) { return runInit(*options, context); }; });
}

} // namespace waybill::cli
