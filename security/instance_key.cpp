// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/instance_key.hpp"

#include "domain/fault.hpp"
#include "security/key_files.hpp"
#include "security/openssl.hpp"
#include "security/self_signed.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <sys/stat.h>

#include <filesystem>

namespace waybill::security {

namespace {

std::string keyFileOf(const std::string &home) { return home + "/instance.key"; }
std::string certificateFileOf(const std::string &home) { return home + "/instance.crt"; }

PkeyPtr makeKey(KeyType type) {
  PkeyPtr key(type == KeyType::P256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(3072));
  if (!key) {
    opensslFailed("making a key pair");
  }
  return key;
}

Bytes privatePem(EVP_PKEY &key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    opensslFailed("writing the private key");
  }
  return contentsOf(*bio);
}

void makeFolder(const std::string &home) {
  std::error_code error;
  std::filesystem::create_directories(home, error);
  if (error) {
    throw Fault(FaultCode::Internal,
                "creating the folder failed: " + error.message() + "; make its parent writable for this user", home);
  }
}

void refuseExisting(const std::string &home) {
  std::error_code ignored;
  const bool key = std::filesystem::exists(keyFileOf(home), ignored);
  const bool certificate = std::filesystem::exists(certificateFileOf(home), ignored);
  if (key && certificate) {
    throw Fault(FaultCode::AlreadyExists,
                "there is a key pair already, and it is never overwritten; choose another home", keyFileOf(home));
  }
  if (key || certificate) {
    throw Fault(FaultCode::AlreadyExists,
                std::string("there is ") +
                    (key ? "instance.key without instance.crt" : "instance.crt without instance.key") +
                    ", and neither is ever overwritten; restore the other from a backup, or, when making the pair was "
                    "interrupted, remove this file",
                key ? keyFileOf(home) : certificateFileOf(home));
  }
}

std::shared_ptr<evp_pkey_st> readKey(const std::string &home) {
  const auto file = keyFileOf(home);
  const auto pem = readSmallFile(
      file, Readers::OwnerOnly, "make a key pair with 'waybill --home " + home + " init', or restore it from a backup");
  const auto bio = memoryBio(asBytes(pem));
  PkeyPtr key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char *, int, int, void *) { return 0; }, nullptr));
  if (!key) {
    throw Fault(FaultCode::Internal,
                "there is no private key in PEM without a pass phrase in this file; restore it from a backup", file, {},
                LogText(takeOpensslErrors()));
  }
  return {std::move(key)};
}

Certificate readCertificate(const std::string &home) {
  const auto file = certificateFileOf(home);
  const auto pem = readSmallFile(file, Readers::Anybody, "restore it from a backup, with its instance.key");
  try {
    return Certificate::fromPem(pem);
  } catch (const Fault &fault) {
    throw Fault(FaultCode::Internal, fault.reason(), file, {}, fault.log());
  }
}

} // namespace

InstanceKey::InstanceKey(Certificate certificate, std::shared_ptr<evp_pkey_st> key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {}

InstanceKey InstanceKey::generate(const std::string &home, const std::string &name,
                                  const std::vector<std::string> &hosts, KeyType type) {
  makeFolder(home);
  refuseExisting(home);
  const auto key = makeKey(type);
  const auto x509 = selfSigned(*key, name, hosts);
  writeNewFile(keyFileOf(home), privatePem(*key), S_IRUSR | S_IWUSR);
  writeNewFile(certificateFileOf(home), asBytes(pemOf(*x509)), S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  syncFolder(home);
  return load(home);
}

InstanceKey InstanceKey::load(const std::string &home) {
  auto key = readKey(home);
  auto certificate = readCertificate(home);
  if (X509_check_private_key(certificate.native(), key.get()) != 1) {
    throw Fault(FaultCode::Internal,
                "instance.key and instance.crt do not belong together; restore the pair from a backup", home, {},
                LogText(takeOpensslErrors()));
  }
  return {std::move(certificate), std::move(key)};
}

void SystemRandom::fill(std::span<std::byte> into) {
  if (RAND_bytes(reinterpret_cast<unsigned char *>(into.data()), static_cast<int>(into.size())) != 1) {
    opensslFailed("drawing random bytes");
  }
}

} // namespace waybill::security
