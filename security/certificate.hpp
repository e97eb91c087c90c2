// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <memory>
#include <string>
#include <string_view>

// OpenSSL's own opaque names, so that its headers stay out of ours.
struct x509_st;
struct evp_pkey_st;

namespace waybill::security {

/// An instance's X.509 certificate: its public key in a wrapping. Nothing in it but the key is believed. Copyable,
/// immutable, thread-safe.
class Certificate {
public:
  /// Reads the first certificate in PEM text. Throws Fault BadParameter when there is none, its key is neither P-256
  /// nor RSA of 3072 to 8192 bits, the key is not encoded in the usual way (RFC 5480: named curve, uncompressed point),
  /// its extensions are malformed, or the subject key identifier is longer than 64 bytes.
  [[nodiscard]] static Certificate fromPem(std::string_view pem);
  [[nodiscard]] const std::string &pem() const noexcept { return pem_; }
  /// Lower-case hex SHA-256 of the SubjectPublicKeyInfo: who it is.
  [[nodiscard]] const std::string &instanceId() const noexcept { return instanceId_; }
  /// Subject key identifier (extension, else SHA-1 of the key as RFC 5280 4.2.1.2 says): finds a key, proves nothing.
  [[nodiscard]] const Bytes &subjectKeyId() const noexcept { return subjectKeyId_; }
  [[nodiscard]] std::string commonName() const;
  /// "P-256" or "RSA-3072".
  [[nodiscard]] std::string keyType() const;
  [[nodiscard]] x509_st *native() const noexcept { return x509_.get(); }

private:
  Certificate() = default;
  std::shared_ptr<x509_st> x509_;
  std::string pem_;
  std::string instanceId_;
  Bytes subjectKeyId_;
};

/// "ab12 cd34 ..." groups of an instance id for people to compare.
[[nodiscard]] std::string fingerprintForPeople(std::string_view instanceId);

} // namespace waybill::security
