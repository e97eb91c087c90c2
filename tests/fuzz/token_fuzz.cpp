// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a token, or as one of its layers: refused with a Fault, or opened. The first byte says which layer the
// rest is; the layers around it are made here by the trusted signer, so that the fuzzer gets inside. Seeds:
// corpus/token.
#include "domain/fault.hpp"
#include "security/enveloped_layer.hpp"
#include "security/signed_layer.hpp"
#include "security/token.hpp"

#include <openssl/err.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace {

using namespace waybill;
using namespace waybill::security;

class StandingClock final : public Clock {
public:
  [[nodiscard]] Time now() const override { return parseUtc("2026-01-31T12:10:00Z").value(); }
};

/// A key of tests/vectors/tokens.
InstanceKey keyNamed(const std::string &name) {
  namespace fs = std::filesystem;
  const auto vectors = fs::path(WAYBILL_SOURCE_DIR) / "tests" / "vectors" / "tokens";
  auto home = (fs::temp_directory_path() / "waybill-token-fuzz-XXXXXX").string();
  if (::mkdtemp(home.data()) == nullptr) {
    std::abort();
  }
  fs::copy_file(vectors / (name + ".key"), fs::path(home) / "instance.key");
  fs::permissions(fs::path(home) / "instance.key", fs::perms::owner_read);
  fs::copy_file(vectors / (name + ".crt"), fs::path(home) / "instance.crt");
  auto key = InstanceKey::load(home);
  fs::remove_all(home);
  return key;
}

std::string toBase64(ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text.data()), octets(bytes), static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

class Target {
public:
  void run(char layer, ByteView bytes) const {
    switch (layer) {
    case 'T': open(asText(bytes)); break;
    case 'O': open(toBase64(bytes)); break;
    case 'M': open(toBase64(signLayer(bytes, alice_))); break;
    case 'I': open(toBase64(signLayer(encryptLayer(bytes, lab_.certificate()), alice_))); break;
    case 'C': (void)parseClaims(asText(bytes)); break;
    case 'P': (void)Certificate::fromPem(asText(bytes)); break;
    default: break;
    }
  }

private:
  void open(std::string_view token) const {
    const auto claims = opener_.open(token);
    if (!(parseClaims(printClaims(claims)) == claims) || claims.issuer != alice_.id() || claims.audience != lab_.id()) {
      std::cerr << "opened, but its claims are not right: " << printClaims(claims) << '\n';
      std::abort();
    }
  }

  InstanceKey alice_ = keyNamed("alice");
  InstanceKey lab_ = keyNamed("lab");
  StandingClock clock_;
  TokenOpener opener_{lab_, [this](ByteView) { return std::vector{alice_.certificate()}; }, clock_, {}};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const Target target;
  if (size == 0 || size > 16 * 1024) {
    return 0;
  }
  try {
    target.run(static_cast<char>(data[0]), ByteView(reinterpret_cast<const std::byte *>(data + 1), size - 1));
  } catch (const Fault &) {
    // refused, as nearly all of it has to be
  }
  if (ERR_peek_error() != 0) {
    std::cerr << "an error was left in OpenSSL's queue\n";
    std::abort();
  }
  return 0;
}
