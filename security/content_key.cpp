// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/content_key.hpp"

#include "security/der.hpp"
#include "security/layer.hpp"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>

namespace waybill::security {

namespace {

using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;

constexpr int nonceSize = 12;
constexpr int tagSize = 16;
constexpr int wrappedSize = SecretKey::size() + 8;

[[noreturn]] void refuse(const std::string &why) { throw LayerRefused{withOpensslErrors(why)}; }

unsigned char *into(Bytes &bytes) { return reinterpret_cast<unsigned char *>(bytes.data()); }
int sizeOf(ByteView bytes) { return static_cast<int>(bytes.size()); }

/// ECC-CMS-SharedInfo, RFC 5753 section 7.2: what the key is for, and its size in bits.
Bytes sharedInfo() {
  const auto bits = der::element(der::OctetString, Bytes{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}});
  return der::element(der::Sequence,
                      der::joined({der::algorithm(NID_id_aes256_wrap), der::element(der::Explicit2, bits)}));
}

/// Computes the key that wraps, from one's own private and the other's public key. The other's point is known to be on
/// the curve: OpenSSL checks it whenever it decodes one. False when OpenSSL fails.
bool deriveWrappingKey(EVP_PKEY &mine, EVP_PKEY &other, SecretKey &result) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, &mine, nullptr));
  const auto info = sharedInfo();
  // OpenSSL takes this copy over.
  auto *copy = static_cast<unsigned char *>(OPENSSL_memdup(info.data(), info.size()));
  if (!context || copy == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set0_ecdh_kdf_ukm(context.get(), copy, sizeOf(info)) != 1) {
    OPENSSL_free(copy);
    return false;
  }
  std::size_t size = SecretKey::size();
  return EVP_PKEY_CTX_set_ecdh_kdf_type(context.get(), EVP_PKEY_ECDH_KDF_X9_63) == 1 &&
         EVP_PKEY_CTX_set_ecdh_kdf_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_ecdh_kdf_outlen(context.get(), static_cast<int>(size)) == 1 &&
         EVP_PKEY_derive_set_peer_ex(context.get(), &other, 0) == 1 &&
         EVP_PKEY_derive(context.get(), result.data(), &size) == 1 && size == SecretKey::size();
}

CipherPtr wrapping() {
  CipherPtr context(EVP_CIPHER_CTX_new());
  if (context) {
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  }
  return context;
}

PkeyCtxPtr oaep(EVP_PKEY &key, int (*init)(EVP_PKEY_CTX *)) {
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, &key, nullptr));
  const bool good = context && init(context.get()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1;
  return good ? std::move(context) : nullptr;
}

/// A new key on the same curve. (EVP_EC_gen looks the curve up by name, which takes longer than the rest.)
PkeyPtr newKeyLike(EVP_PKEY &other) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, &other, nullptr));
  EVP_PKEY *key = nullptr;
  if (context && EVP_PKEY_keygen_init(context.get()) == 1) {
    (void)EVP_PKEY_keygen(context.get(), &key);
  }
  return PkeyPtr(key);
}

PkeyPtr publicKeyAt(ByteView point, EVP_PKEY &likeThis) {
  PkeyPtr key(EVP_PKEY_new());
  if (!key || EVP_PKEY_copy_parameters(key.get(), &likeThis) != 1 ||
      EVP_PKEY_set1_encoded_public_key(key.get(), octets(point), point.size()) != 1) {
    refuse("the ephemeral key is no point of P-256");
  }
  return key;
}

} // namespace

SecretKey randomKey() {
  SecretKey key;
  if (RAND_priv_bytes(key.data(), SecretKey::size()) != 1) {
    opensslFailed("drawing a key");
  }
  return key;
}

Encrypted encryptContent(const SecretKey &key, ByteView content) {
  Encrypted result{Bytes(nonceSize), Bytes(content.size()), Bytes(tagSize)};
  const CipherPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  if (!context || RAND_bytes(into(result.nonce), nonceSize) != 1 ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), octets(result.nonce)) != 1 ||
      EVP_EncryptUpdate(context.get(), into(result.text), &size, octets(content), sizeOf(content)) != 1 ||
      EVP_EncryptFinal_ex(context.get(), into(result.text) + size, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tagSize, result.tag.data()) != 1) {
    opensslFailed("encrypting a token");
  }
  return result;
}

Bytes decryptContent(const SecretKey &key, ByteView nonce, ByteView text, ByteView tag) {
  Bytes content(text.size());
  Bytes expected(tag.begin(), tag.end());
  const CipherPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  if (!context || nonce.size() != nonceSize || tag.size() != tagSize ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), octets(nonce)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tagSize, expected.data()) != 1 ||
      EVP_DecryptUpdate(context.get(), into(content), &size, octets(text), sizeOf(text)) != 1 ||
      EVP_DecryptFinal_ex(context.get(), into(content) + size, &rest) != 1) {
    refuse("the content could not be decrypted, or was altered");
  }
  return content;
}

AgreedKey agreeOn(const SecretKey &key, EVP_PKEY &recipient) {
  const auto ephemeral = newKeyLike(recipient);
  SecretKey wrapper;
  if (!ephemeral || !deriveWrappingKey(*ephemeral, recipient, wrapper)) {
    opensslFailed("agreeing on a key with the recipient");
  }
  AgreedKey result{{}, Bytes(wrappedSize)};
  const auto context = wrapping();
  int size = 0;
  if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_256_wrap(), nullptr, wrapper.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), into(result.wrapped), &size, key.data(), SecretKey::size()) != 1 ||
      size != wrappedSize) {
    opensslFailed("wrapping a key");
  }
  unsigned char *point = nullptr;
  const auto pointSize = EVP_PKEY_get1_encoded_public_key(ephemeral.get(), &point);
  const std::unique_ptr<unsigned char, decltype([](unsigned char *p) { OPENSSL_free(p); })> owner(point);
  if (pointSize == 0) {
    opensslFailed("encoding an ephemeral key");
  }
  const auto *begin = reinterpret_cast<const std::byte *>(point);
  result.point.assign(begin, begin + pointSize);
  return result;
}

SecretKey agreedKey(ByteView point, ByteView wrapped, EVP_PKEY &mine) {
  const auto ephemeral = publicKeyAt(point, mine);
  SecretKey wrapper;
  if (wrapped.size() != wrappedSize || !deriveWrappingKey(mine, *ephemeral, wrapper)) {
    refuse("no key could be agreed on");
  }
  std::array<unsigned char, wrappedSize> room{}; // OpenSSL needs as much as it is given
  SecretKey key;
  const auto context = wrapping();
  int size = 0;
  const bool good = context &&
                    EVP_DecryptInit_ex(context.get(), EVP_aes_256_wrap(), nullptr, wrapper.data(), nullptr) == 1 &&
                    EVP_DecryptUpdate(context.get(), room.data(), &size, octets(wrapped), sizeOf(wrapped)) == 1 &&
                    size == static_cast<int>(SecretKey::size());
  std::copy_n(room.begin(), SecretKey::size(), key.data());
  OPENSSL_cleanse(room.data(), room.size());
  if (!good) {
    refuse("the content's key could not be unwrapped");
  }
  return key;
}

Bytes transport(const SecretKey &key, EVP_PKEY &recipient) {
  const auto context = oaep(recipient, EVP_PKEY_encrypt_init);
  Bytes encrypted(static_cast<std::size_t>(EVP_PKEY_get_size(&recipient)));
  auto size = encrypted.size();
  if (!context || EVP_PKEY_encrypt(context.get(), into(encrypted), &size, key.data(), SecretKey::size()) != 1) {
    opensslFailed("encrypting a key for the recipient");
  }
  encrypted.resize(size);
  return encrypted;
}

SecretKey transportedKey(ByteView encrypted, EVP_PKEY &mine) {
  const auto context = oaep(mine, EVP_PKEY_decrypt_init);
  Bytes room(static_cast<std::size_t>(EVP_PKEY_get_size(&mine)));
  auto size = room.size();
  SecretKey key;
  const bool good = context &&
                    EVP_PKEY_decrypt(context.get(), into(room), &size, octets(encrypted), encrypted.size()) == 1 &&
                    size == SecretKey::size();
  std::copy_n(into(room), SecretKey::size(), key.data());
  OPENSSL_cleanse(room.data(), room.size());
  if (!good) {
    refuse("the content's key could not be decrypted");
  }
  return key;
}

} // namespace waybill::security
