// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/openssl.hpp"

#include "domain/fault.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <limits>

namespace waybill::security {

std::string takeOpensslErrors() {
  std::string text;
  while (const auto code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof line);
    text += (text.empty() ? "" : "; ") + std::string(line);
  }
  return text;
}

void opensslFailed(const std::string &what) {
  throw Fault(FaultCode::Internal, what + " failed", {}, {}, LogText(takeOpensslErrors()));
}

BioPtr memoryBio(ByteView bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    opensslFailed("reading more than 2 GiB into memory");
  }
  BioPtr bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  if (!bio) {
    opensslFailed("allocating a buffer");
  }
  return bio;
}

Bytes contentsOf(BIO &memory) {
  char *data = nullptr;
  const auto size = BIO_get_mem_data(&memory, &data);
  const auto view = ByteView(reinterpret_cast<const std::byte *>(data), static_cast<std::size_t>(size));
  return {view.begin(), view.end()};
}

Bytes sha256(ByteView bytes) {
  Bytes digest(SHA256_DIGEST_LENGTH);
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char *>(digest.data()), nullptr, EVP_sha256(),
                 nullptr) != 1) {
    opensslFailed("computing SHA-256");
  }
  return digest;
}

std::string pemOf(X509 &x509) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_X509(out.get(), &x509) != 1) {
    opensslFailed("writing a certificate");
  }
  return std::string(asText(contentsOf(*out)));
}

} // namespace waybill::security
