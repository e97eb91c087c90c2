// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/certificate.hpp"

#include "domain/fault.hpp"
#include "security/openssl.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace waybill::security {

namespace {

constexpr int leastRsaBits = 3072;

bool isP256(EVP_PKEY &key) {
  char group[64];
  std::size_t length = 0;
  return EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(&key, group, sizeof group, &length) == 1 &&
         std::string_view(group, length) == "prime256v1";
}

void checkKey(EVP_PKEY *key) {
  if (key == nullptr ||
      (!isP256(*key) && (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < leastRsaBits))) {
    (void)takeOpensslErrors();
    throw Fault(FaultCode::BadParameter,
                "a certificate needs a key on the curve P-256 or an RSA key of at least 3072 bits; make one with "
                "'waybill init'",
                "Certificate");
  }
}

Bytes keyIdOf(X509 &x509) {
  if (const auto *id = X509_get0_subject_key_id(&x509)) {
    const auto view = ByteView(reinterpret_cast<const std::byte *>(ASN1_STRING_get0_data(id)),
                               static_cast<std::size_t>(ASN1_STRING_length(id)));
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
    (void)takeOpensslErrors();
    throw Fault(FaultCode::BadParameter,
                "there is no X.509 certificate in this PEM text; it begins with -----BEGIN CERTIFICATE-----",
                "Certificate");
  }
  checkKey(X509_get0_pubkey(x509.get()));
  Certificate certificate;
  BioPtr out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_X509(out.get(), x509.get()) != 1) {
    opensslFailed("writing a certificate");
  }
  certificate.pem_ = std::string(asText(contentsOf(*out)));
  certificate.instanceId_ = toHex(sha256(publicKeyInfo(*X509_get0_pubkey(x509.get()))));
  certificate.subjectKeyId_ = keyIdOf(*x509);
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
