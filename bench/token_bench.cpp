// SPDX-License-Identifier: GPL-3.0-or-later
// Tokens made and opened, on one core (Google Benchmark). bench/run sets them beside `openssl speed` of the same curve.
#include "domain/clock.hpp"
#include "domain/random.hpp"
#include "security/instance_key.hpp"
#include "security/token.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace {

using namespace waybill;

/// Two instances' keys, in a folder that goes away at the end.
class Keys {
public:
  explicit Keys(security::KeyType type)
      : folder_(makeFolder()), caller_(make("caller", type)), instance_(make("instance", type)),
        opener_(instance_, finder(), clock_, {}) {}
  ~Keys() { std::filesystem::remove_all(folder_); }
  Keys(const Keys &) = delete;
  Keys &operator=(const Keys &) = delete;

  [[nodiscard]] std::string mint() {
    TokenClaims claims;
    claims.id = randomId(random_);
    claims.issuer = caller_.id();
    claims.audience = instance_.id();
    claims.operations = {"Copy"};
    claims.resources = {"/docs"};
    claims.notBefore = clock_.now();
    claims.notAfter = claims.notBefore + std::chrono::minutes(10);
    return security::sealToken(claims, caller_, instance_.certificate());
  }
  [[nodiscard]] TokenClaims open(const std::string &token) const { return opener_.open(token); }

private:
  static std::filesystem::path makeFolder() {
    auto name = (std::filesystem::temp_directory_path() / "waybill-token-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("cannot make a folder for keys below " + name);
    }
    return name;
  }
  security::InstanceKey make(const char *name, security::KeyType type) {
    const auto home = folder_ / name;
    std::filesystem::create_directory(home);
    return security::InstanceKey::generate(home, name, {"localhost"}, type);
  }
  security::FindKeys finder() {
    return [this](ByteView) { return std::vector{caller_.certificate()}; };
  }

  SystemClock clock_;
  security::SystemRandom random_;
  std::filesystem::path folder_;
  security::InstanceKey caller_;
  security::InstanceKey instance_;
  security::TokenOpener opener_;
};

void mint(benchmark::State &state, security::KeyType type) {
  Keys keys(type);
  for (auto _ : state) {
    benchmark::DoNotOptimize(keys.mint());
  }
  state.SetItemsProcessed(state.iterations());
}

void open(benchmark::State &state, security::KeyType type) {
  Keys keys(type);
  const auto token = keys.mint();
  for (auto _ : state) {
    benchmark::DoNotOptimize(keys.open(token));
  }
  state.SetItemsProcessed(state.iterations());
}

} // namespace

int main(int argc, char **argv) {
  benchmark::RegisterBenchmark("mint/P-256", mint, waybill::security::KeyType::P256);
  benchmark::RegisterBenchmark("open/P-256", open, waybill::security::KeyType::P256);
  benchmark::RegisterBenchmark("mint/RSA-3072", mint, waybill::security::KeyType::Rsa3072);
  benchmark::RegisterBenchmark("open/RSA-3072", open, waybill::security::KeyType::Rsa3072);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
