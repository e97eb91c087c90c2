// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/self_signed.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

namespace waybill::security {

namespace {

constexpr long tenYears = 10L * 365 * 24 * 3600;
constexpr long agoForClocks = 300;
constexpr std::size_t mostNameBytes = 64;  // ub-common-name, RFC 5280 appendix A
constexpr std::size_t mostHostBytes = 253; // RFC 1035 section 2.3.4, as text

bool isAddress(const std::string &host) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 || inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

void checkName(const std::string &name) {
  if (name.empty() || name.size() > mostNameBytes || !isUtf8(name) || hasControlCharacters(name)) {
    throw Fault(FaultCode::BadParameter,
                "the name in a certificate is UTF-8 text of 1 to 64 bytes without control characters",
                printable(name, 80));
  }
}

/// In the notation of OpenSSL's x509v3_config, in which a comma would begin another name.
std::string alternativeName(const std::string &host) {
  static constexpr std::string_view allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._*";
  if (isAddress(host)) {
    return "IP:" + host;
  }
  if (host.empty() || host.size() > mostHostBytes || host.find_first_not_of(allowed) != std::string::npos) {
    throw Fault(FaultCode::BadParameter,
                "a host for the certificate is a DNS name (without port) or an IP address; this is neither",
                printable(host, 100));
  }
  return "DNS:" + host;
}

std::string alternativeNames(const std::vector<std::string> &hosts) {
  std::string names;
  for (const auto &host : hosts) {
    names += (names.empty() ? "" : ",") + alternativeName(host);
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

void setSerialNumber(X509 &x509) {
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) {
    opensslFailed("drawing a serial number");
  }
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3FU) | 0x40U); // positive and always 16 bytes
  const std::unique_ptr<BIGNUM, FreeWith<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&x509)) == nullptr) {
    opensslFailed("setting a serial number");
  }
}

void fillIn(X509 &x509, EVP_PKEY &key, const std::string &name) {
  auto *subject = X509_get_subject_name(&x509);
  const auto *bytes = reinterpret_cast<const unsigned char *>(name.data());
  setSerialNumber(x509);
  if (X509_set_version(&x509, X509_VERSION_3) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(&x509), -agoForClocks) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(&x509), tenYears) == nullptr ||
      X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, bytes, static_cast<int>(name.size()), -1, 0) !=
          1 ||
      X509_set_issuer_name(&x509, subject) != 1 || X509_set_pubkey(&x509, &key) != 1) {
    opensslFailed("filling in a certificate for '" + name + "'");
  }
}

} // namespace

X509Ptr selfSigned(EVP_PKEY &key, const std::string &name, const std::vector<std::string> &hosts) {
  checkName(name);
  const auto names = alternativeNames(hosts);
  X509Ptr x509(X509_new());
  if (!x509) {
    opensslFailed("making a certificate");
  }
  fillIn(*x509, key, name);
  addExtension(*x509, NID_subject_key_identifier, "hash");
  addExtension(*x509, NID_authority_key_identifier, "keyid:always");
  addExtension(*x509, NID_basic_constraints, "critical,CA:FALSE");
  const bool rsa = EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA;
  addExtension(*x509, NID_key_usage,
               rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature,keyAgreement");
  if (!names.empty()) {
    addExtension(*x509, NID_subject_alt_name, names);
  }
  if (X509_sign(x509.get(), &key, EVP_sha256()) <= 0) {
    opensslFailed("signing the certificate");
  }
  return x509;
}

} // namespace waybill::security
