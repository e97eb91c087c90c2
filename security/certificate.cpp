// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/certificate.hpp"

#include "domain/fault.hpp"
#include "security/openssl.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace waybill::security {

namespace {

constexpr int leastRsaBits = 3072;
constexpr int mostRsaBits = 8192; // past that one signature check takes milliseconds
constexpr std::size_t mostKeyIdBytes = 64;

[[noreturn]] void unfit(const std::string &why) {
  (void)takeOpensslErrors();
  throw Fault(FaultCode::BadParameter, why, "Certificate");
}

bool isP256(EVP_PKEY &key) {
  char group[64];
  std::size_t length = 0;
  return EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(&key, group, sizeof group, &length) == 1 &&
         std::string_view(group, length) == "prime256v1";
}

bool isRsaOfGoodSize(EVP_PKEY &key) {
  const auto bits = EVP_PKEY_get_bits(&key);
  return EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA && bits >= leastRsaBits && bits <= mostRsaBits;
}

/// The SubjectPublicKeyInfo as it stands in the certificate. One key has one instance id, so it has one encoding: named
/// curve, uncompressed point.
Bytes publicKeyInfo(X509 &x509) {
  auto *key = X509_get0_pubkey(&x509);
  if (key == nullptr || (!isP256(*key) && !isRsaOfGoodSize(*key))) {
    unfit("a certificate needs a key on the curve P-256 or an RSA key of 3072 to 8192 bits; make one with 'waybill "
          "init'");
  }
  auto bytes = encoded<i2d_X509_PUBKEY>(*X509_get_X509_PUBKEY(&x509), "a public key");
  const auto plain = [&] {
    constexpr std::size_t p256Size = 91; // RFC 5480 section 2 with the curve's name and an uncompressed point
    constexpr std::size_t pointAt = 26;  // where that point begins
    return !isP256(*key) || (bytes.size() == p256Size && bytes[pointAt] == std::byte{4});
  };
  if (!plain() || bytes != encoded<i2d_PUBKEY>(*key, "a public key")) {
    unfit("the public key in this certificate is encoded in an unusual way; name the curve, and write the point "
          "uncompressed");
  }
  return bytes;
}

Bytes keyIdOf(X509 &x509) {
  if ((X509_get_extension_flags(&x509) & EXFLAG_INVALID) != 0) {
    unfit("this certificate is malformed inside; make one with 'waybill init'");
  }
  if (const auto *id = X509_get0_subject_key_id(&x509)) {
    const auto view = ByteView(reinterpret_cast<const std::byte *>(ASN1_STRING_get0_data(id)),
                               static_cast<std::size_t>(ASN1_STRING_length(id)));
    if (view.empty() || view.size() > mostKeyIdBytes) {
      unfit("the subject key identifier of this certificate has not 1 to 64 bytes; make one with 'waybill init'");
    }
    return {view.begin(), view.end()};
  }
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (X509_pubkey_digest(&x509, EVP_sha1(), reinterpret_cast<unsigned char *>(digest.data()), &size) != 1) {
    opensslFailed("computing a subject key identifier");
  }
  digest.resize(size);
  return digest;
}

} // namespace

Certificate Certificate::fromPem(std::string_view pem) {
  const auto bio = memoryBio(asBytes(pem));
  // Reading what a client sends must not ask for a pass phrase.
  X509Ptr x509(PEM_read_bio_X509(
      bio.get(), nullptr, [](char *, int, int, void *) { return 0; }, nullptr));
  if (!x509) {
    unfit("there is no X.509 certificate in this PEM text; it begins with -----BEGIN CERTIFICATE-----");
  }
  Certificate certificate;
  certificate.instanceId_ = toHex(sha256(publicKeyInfo(*x509)));
  certificate.subjectKeyId_ = keyIdOf(*x509);
  certificate.pem_ = pemOf(*x509);
  certificate.x509_ = std::shared_ptr<x509_st>(std::move(x509));
  return certificate;
}

std::string Certificate::commonName() const {
  auto *name = X509_get_subject_name(x509_.get());
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) {
    return {};
  }
  unsigned char *utf8 = nullptr;
  const int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (length < 0) {
    return {};
  }
  std::string text(reinterpret_cast<const char *>(utf8), static_cast<std::size_t>(length));
  OPENSSL_free(utf8);
  return text;
}

std::string Certificate::keyType() const {
  auto *key = X509_get0_pubkey(x509_.get());
  return isP256(*key) ? "P-256" : "RSA-" + std::to_string(EVP_PKEY_get_bits(key));
}

std::string fingerprintForPeople(std::string_view instanceId) {
  std::string text;
  for (std::size_t i = 0; i < instanceId.size(); i += 4) {
    text += (i == 0 ? "" : " ") + std::string(instanceId.substr(i, 4));
  }
  return text;
}

} // namespace waybill::security
