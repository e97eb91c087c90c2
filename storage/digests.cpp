// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/digests.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <array>
#include <libdeflate.h>
#include <openssl/evp.h>

namespace waybill::storage {

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX *context) const noexcept { EVP_MD_CTX_free(context); }
};

[[noreturn]] void noSha256() {
  throw Fault(FaultCode::Internal, "computing SHA-256 failed in OpenSSL; check that its default provider is available");
}

} // namespace

struct Digester::State {
  std::unique_ptr<EVP_MD_CTX, FreeContext> sha256{EVP_MD_CTX_new()};
  std::uint32_t adler32 = 1; // RFC 1950: of nothing
  std::uint64_t size = 0;
};

Digester::Digester() : state_(std::make_unique<State>()) {
  if (!state_->sha256 || EVP_DigestInit_ex(state_->sha256.get(), EVP_sha256(), nullptr) != 1) {
    noSha256();
  }
}

Digester::~Digester() = default;
Digester::Digester(Digester &&) noexcept = default;
Digester &Digester::operator=(Digester &&) noexcept = default;

void Digester::update(ByteView bytes) {
  // Small steps: the second digest finds the bytes in the cache.
  static constexpr std::size_t step = 32UL * 1024;
  state_->size += bytes.size();
  while (!bytes.empty()) {
    const auto now = bytes.first(std::min(step, bytes.size()));
    if (EVP_DigestUpdate(state_->sha256.get(), now.data(), now.size()) != 1) {
      noSha256();
    }
    state_->adler32 = libdeflate_adler32(state_->adler32, now.data(), now.size());
    bytes = bytes.subspan(now.size());
  }
}

std::uint64_t Digester::size() const noexcept { return state_->size; }

std::string Digester::sha256Hex() {
  std::array<std::byte, 32> digest{};
  if (EVP_DigestFinal_ex(state_->sha256.get(), reinterpret_cast<unsigned char *>(digest.data()), nullptr) != 1) {
    noSha256();
  }
  return toHex(digest);
}

std::string Digester::adler32Hex() const {
  std::array<std::byte, 4> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::byte>(state_->adler32 >> (24 - 8 * i));
  }
  return toHex(digest);
}

} // namespace waybill::storage
