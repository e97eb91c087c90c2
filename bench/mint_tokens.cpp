// SPDX-License-Identifier: GPL-3.0-or-later
// mint_tokens HOME CERTIFICATE OPERATION COUNT: prints that many tokens of the key in HOME for the instance of that
// certificate, one a line. For measurements of many calls, where starting `waybill token` for each would take longer
// than what is measured.
#include "domain/clock.hpp"
#include "domain/fault.hpp"
#include "domain/random.hpp"
#include "security/instance_key.hpp"
#include "security/token.hpp"

#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

using namespace waybill;

void mintAll(const std::string &home, const std::string &certificateFile, const std::string &operation, int count) {
  std::ifstream file(certificateFile);
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  const auto recipient = security::Certificate::fromPem(pem);
  const auto key = security::InstanceKey::load(home);
  security::SystemRandom random;
  const SystemClock clock;
  for (int n = 0; n < count; ++n) {
    TokenClaims claims;
    claims.id = randomId(random);
    claims.issuer = key.id();
    claims.audience = recipient.instanceId();
    claims.operations = {operation};
    claims.notBefore = clock.now();
    claims.notAfter = claims.notBefore + std::chrono::minutes(50);
    std::cout << security::sealToken(claims, key, recipient) << '\n';
  }
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 5) {
    std::cerr << "usage: mint_tokens HOME CERTIFICATE OPERATION COUNT\n";
    return 2;
  }
  try {
    mintAll(argv[1], argv[2], argv[3], std::stoi(argv[4]));
  } catch (const std::exception &error) {
    std::cerr << "mint_tokens: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
