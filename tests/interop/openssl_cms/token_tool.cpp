// SPDX-License-Identifier: GPL-3.0-or-later
// What the scripts of this folder need of our side: making keys, sealing and opening tokens.
#include "domain/fault.hpp"
#include "security/token.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

namespace {

using namespace waybill;
using namespace waybill::security;
using Arguments = std::vector<std::string>;

Certificate certificateIn(const std::string &file) {
  std::ifstream stream(file);
  return Certificate::fromPem(std::string(std::istreambuf_iterator<char>(stream), {}));
}

/// HOME p256|rsa
void init(const Arguments &arguments) {
  const auto type = arguments.at(1) == "rsa" ? KeyType::Rsa3072 : KeyType::P256;
  const auto key = InstanceKey::generate(arguments.at(0), "waybill test", {"localhost", "127.0.0.1", "::1"}, type);
  std::cout << key.id() << '\n';
}

/// HOME AUDIENCE.crt
void seal(const Arguments &arguments) {
  const auto me = InstanceKey::load(arguments.at(0));
  const auto recipient = certificateIn(arguments.at(1));
  SystemRandom random;
  TokenClaims claims;
  claims.id = randomId(random);
  claims.issuer = me.id();
  claims.audience = recipient.instanceId();
  claims.subject = "Zoë & co";
  claims.operations = {"Copy", "Describe"};
  claims.resources = {"/docs"};
  claims.notBefore = SystemClock().now();
  claims.notAfter = claims.notBefore + std::chrono::minutes(10);
  std::cout << sealToken(claims, me, recipient) << '\n';
}

/// HOME TRUSTED.crt, the token on standard input
void open(const Arguments &arguments) {
  const auto me = InstanceKey::load(arguments.at(0));
  const auto trusted = certificateIn(arguments.at(1));
  const SystemClock clock;
  const auto find = [&](ByteView id) {
    return std::ranges::equal(id, trusted.subjectKeyId()) ? std::vector{trusted} : std::vector<Certificate>{};
  };
  const std::string token(std::istreambuf_iterator<char>(std::cin), {});
  std::cout << printClaims(TokenOpener(me, find, clock, {}).open(token)) << '\n';
}

} // namespace

int main(int argc, char **argv) {
  const std::map<std::string, void (*)(const Arguments &)> commands{{"init", init}, {"seal", seal}, {"open", open}};
  try {
    commands.at(argc > 1 ? argv[1] : "")({argv + 2, argv + argc});
    return 0;
  } catch (const Fault &fault) {
    std::cerr << fault.what() << " | " << fault.log().forLog() << '\n';
    return 1;
  } catch (const std::exception &error) {
    std::cerr << "usage: token_tool init HOME p256|rsa | seal HOME AUDIENCE.crt | open HOME TRUSTED.crt ("
              << error.what() << ")\n";
    return 2;
  }
}
