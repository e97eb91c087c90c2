// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sha256.hpp"

#include "domain/fault.hpp"

#include <openssl/evp.h>

#include <array>

namespace waybill::cli {

namespace {

void need(int result) {
  if (result != 1) {
    throw Fault(FaultCode::Internal, "OpenSSL cannot compute SHA-256");
  }
}

} // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  need(context_ ? EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) : 0);
}

void Sha256::update(ByteView bytes) { need(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())); }

std::string Sha256::hex() {
  std::array<std::byte, 32> digest{};
  need(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char *>(digest.data()), nullptr));
  return toHex(digest);
}

std::string sha256Of(ByteView bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.hex();
}

} // namespace waybill::cli
