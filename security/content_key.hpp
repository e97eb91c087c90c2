// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "security/openssl.hpp"

#include <array>

/// The keys inside an AuthEnvelopedData: one that encrypts the content, and how its recipient gets it. OpenSSL's EVP
/// does the work. Its CMS_encrypt and CMS_decrypt would do too, but take half as long again: they check each public key
/// by a multiplication that a curve of prime order does not need. For this folder's .cpp files alone.
namespace waybill::security {

/// A 256-bit key, wiped at its end.
class SecretKey {
public:
  SecretKey() = default;
  SecretKey(SecretKey &&) = default;
  SecretKey &operator=(SecretKey &&) = default;
  ~SecretKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  [[nodiscard]] unsigned char *data() noexcept { return bytes_.data(); }
  [[nodiscard]] const unsigned char *data() const noexcept { return bytes_.data(); }
  [[nodiscard]] static constexpr std::size_t size() noexcept { return 32; }

private:
  std::array<unsigned char, 32> bytes_{};
};

/// Throws Fault Internal.
[[nodiscard]] SecretKey randomKey();

/// AES-256-GCM, RFC 5084, without additional data.
struct Encrypted {
  Bytes nonce; ///< 12 bytes
  Bytes text;
  Bytes tag; ///< 16 bytes
};
[[nodiscard]] Encrypted encryptContent(const SecretKey &key, ByteView content);
/// Throws LayerRefused when the tag does not fit.
[[nodiscard]] Bytes decryptContent(const SecretKey &key, ByteView nonce, ByteView text, ByteView tag);

/// Key agreement, RFC 5753 section 3.1: ECDH on P-256, X9.63 KDF with SHA-256, AES-256 key wrap (RFC 3394).
struct AgreedKey {
  Bytes point;   ///< the ephemeral public key, uncompressed
  Bytes wrapped; ///< 40 bytes
};
[[nodiscard]] AgreedKey agreeOn(const SecretKey &key, EVP_PKEY &recipient);
/// Throws LayerRefused.
[[nodiscard]] SecretKey agreedKey(ByteView point, ByteView wrapped, EVP_PKEY &mine);

/// Key transport, RFC 4055 section 4: RSAES-OAEP, SHA-256 as digest and in MGF1, no label.
[[nodiscard]] Bytes transport(const SecretKey &key, EVP_PKEY &recipient);
/// Throws LayerRefused.
[[nodiscard]] SecretKey transportedKey(ByteView encrypted, EVP_PKEY &mine);

} // namespace waybill::security
