// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/instance_key.hpp"

#include "domain/fault.hpp"
#include "security/openssl.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace waybill::security {

namespace {

constexpr long tenYears = 10L * 365 * 24 * 3600;

[[noreturn]] void fileFailed(const std::string &what, const std::string &file, const std::string &hint) {
  throw Fault(FaultCode::Internal, what + " failed: " + std::strerror(errno) + "; " + hint, file);
}

PkeyPtr makeKey(KeyType type) {
  PkeyPtr key(type == KeyType::P256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(3072));
  if (!key) {
    opensslFailed("making a key pair");
  }
  return key;
}

bool isAddress(const std::string &host) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 || inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

std::string alternativeNames(const std::vector<std::string> &hosts) {
  std::string names;
  for (const auto &host : hosts) {
    if (host.empty() || host.find_first_of(",\n\r ") != std::string::npos) {
      throw Fault(FaultCode::BadParameter, "a host name for the certificate has no commas, blanks or line ends", host);
    }
    names += (names.empty() ? "" : ",") + std::string(isAddress(host) ? "IP:" : "DNS:") + host;
  }
  return names;
}

void addExtension(X509 &x509, int nid, const std::string &value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &x509, &x509, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (!extension || X509_add_ext(&x509, extension.get(), -1) != 1) {
    opensslFailed("adding " + value + " to the certificate");
  }
}

X509Ptr selfSigned(EVP_PKEY &key, const std::string &name, const std::vector<std::string> &hosts) {
  X509Ptr x509(X509_new());
  unsigned char serial[16];
  if (!x509 || RAND_bytes(serial, sizeof serial) != 1) {
    opensslFailed("making a certificate");
  }
  serial[0] &= 0x7FU;
  const std::unique_ptr<BIGNUM, FreeWith<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  auto *subject = X509_get_subject_name(x509.get());
  const auto *bytes = reinterpret_cast<const unsigned char *>(name.data());
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509.get())) == nullptr ||
      X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(x509.get()), -300) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(x509.get()), tenYears) == nullptr ||
      X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, bytes, static_cast<int>(name.size()), -1, 0) !=
          1 ||
      X509_set_issuer_name(x509.get(), subject) != 1 || X509_set_pubkey(x509.get(), &key) != 1) {
    opensslFailed("filling in a certificate for '" + name + "'");
  }
  addExtension(*x509, NID_subject_key_identifier, "hash");
  addExtension(*x509, NID_authority_key_identifier, "keyid:always");
  addExtension(*x509, NID_basic_constraints, "critical,CA:FALSE");
  if (!hosts.empty()) {
    addExtension(*x509, NID_subject_alt_name, alternativeNames(hosts));
  }
  if (X509_sign(x509.get(), &key, EVP_sha256()) <= 0) {
    opensslFailed("signing the certificate");
  }
  return x509;
}

/// Writes a new file so that it is there whole and synced, or not at all.
void writeNewFile(const std::string &file, ByteView bytes, mode_t mode) {
  const auto temporary = file + ".new";
  ::unlink(temporary.c_str());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) {
    fileFailed("creating the file", temporary, "make the folder writable for this user");
  }
  const auto written = ::write(descriptor, bytes.data(), bytes.size());
  const bool good = written == static_cast<ssize_t>(bytes.size()) && ::fsync(descriptor) == 0;
  const int cause = errno;
  ::close(descriptor);
  if (!good || ::rename(temporary.c_str(), file.c_str()) != 0) {
    errno = good ? errno : cause;
    const int first = errno;
    ::unlink(temporary.c_str());
    errno = first;
    fileFailed("writing the file", file, "look whether the disk is full");
  }
}

void syncFolder(const std::string &folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int cause = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!good) {
    errno = cause;
    fileFailed("syncing the folder", folder, "look at the disk");
  }
}

Bytes privatePem(EVP_PKEY &key) {
  BioPtr bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    opensslFailed("writing the private key");
  }
  return contentsOf(*bio);
}

Bytes certificatePem(X509 &x509) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), &x509) != 1) {
    opensslFailed("writing the certificate");
  }
  return contentsOf(*bio);
}

std::string readFile(const std::string &file) {
  const std::unique_ptr<FILE, decltype([](FILE *f) { std::fclose(f); })> stream(std::fopen(file.c_str(), "rbe"));
  if (!stream) {
    fileFailed("reading the file", file, "make a key pair with 'waybill init'");
  }
  char buffer[64 * 1024];
  const auto size = std::fread(buffer, 1, sizeof buffer, stream.get());
  return {buffer, size};
}

} // namespace

InstanceKey::InstanceKey(Certificate certificate, std::shared_ptr<evp_pkey_st> key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {}

InstanceKey InstanceKey::generate(const std::string &home, const std::string &name,
                                  const std::vector<std::string> &hosts, KeyType type) {
  const auto keyFile = home + "/instance.key";
  const auto certificateFile = home + "/instance.crt";
  std::error_code error;
  std::filesystem::create_directories(home, error);
  if (error) {
    throw Fault(FaultCode::Internal,
                "creating the folder failed: " + error.message() + "; make its parent writable for this user", home);
  }
  if (std::filesystem::exists(keyFile) || std::filesystem::exists(certificateFile)) {
    throw Fault(FaultCode::AlreadyExists,
                "there is a key pair already, and it is never overwritten; choose another home", keyFile);
  }
  const auto key = makeKey(type);
  const auto x509 = selfSigned(*key, name, hosts);
  writeNewFile(keyFile, privatePem(*key), 0600);
  writeNewFile(certificateFile, certificatePem(*x509), 0644);
  syncFolder(home);
  return load(home);
}

InstanceKey InstanceKey::load(const std::string &home) {
  const auto keyFile = home + "/instance.key";
  struct stat status {};
  if (::stat(keyFile.c_str(), &status) != 0) {
    fileFailed("reading the instance's key", keyFile, "make one with 'waybill --home " + home + " init'");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Fault(FaultCode::Internal,
                "the instance's key can be read by others, so it is not used; chmod 600 it, and if others had access "
                "make a new one",
                keyFile);
  }
  const auto pem = readFile(keyFile);
  const auto bio = memoryBio(asBytes(pem));
  PkeyPtr key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char *, int, int, void *) { return 0; }, nullptr));
  if (!key) {
    throw Fault(FaultCode::Internal, "there is no private key in PEM without a pass phrase in this file", keyFile, {},
                LogText(takeOpensslErrors()));
  }
  auto certificate = Certificate::fromPem(readFile(home + "/instance.crt"));
  if (X509_check_private_key(certificate.native(), key.get()) != 1) {
    throw Fault(FaultCode::Internal,
                "instance.key and instance.crt do not belong together; restore the pair from a backup", home, {},
                LogText(takeOpensslErrors()));
  }
  return {std::move(certificate), std::shared_ptr<evp_pkey_st>(std::move(key))};
}

void SystemRandom::fill(std::span<std::byte> into) {
  if (RAND_bytes(reinterpret_cast<unsigned char *>(into.data()), static_cast<int>(into.size())) != 1) {
    opensslFailed("drawing random bytes");
  }
}

} // namespace waybill::security
