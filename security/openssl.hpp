// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

/// OpenSSL's types with owners, and its errors as text. For this folder's .cpp files alone.
namespace waybill::security {

template <auto Free> struct FreeWith {
  template <class T> void operator()(T *object) const noexcept { Free(object); }
};
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, FreeWith<CMS_ContentInfo_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;

/// Takes the errors of this thread off OpenSSL's queue, as one text.
[[nodiscard]] std::string takeOpensslErrors();

/// Throws Fault Internal: "<what> failed", OpenSSL's words in the log text.
[[noreturn]] void opensslFailed(const std::string &what);

[[nodiscard]] BioPtr memoryBio(ByteView bytes);
[[nodiscard]] Bytes contentsOf(BIO &memory);
[[nodiscard]] Bytes sha256(ByteView bytes);
[[nodiscard]] std::string pemOf(X509 &x509);

/// What OpenSSL's `Encode` (an i2d function) writes of `object`. Throws Fault Internal naming `what`.
template <auto Encode, class T> [[nodiscard]] Bytes encoded(T &object, const std::string &what) {
  unsigned char *data = nullptr;
  const int size = Encode(&object, &data);
  if (size <= 0) {
    opensslFailed("encoding " + what);
  }
  const std::unique_ptr<unsigned char, decltype([](unsigned char *p) { OPENSSL_free(p); })> owner(data);
  const auto view = ByteView(reinterpret_cast<const std::byte *>(data), static_cast<std::size_t>(size));
  return {view.begin(), view.end()};
}

} // namespace waybill::security
