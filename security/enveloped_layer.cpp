// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/enveloped_layer.hpp"

#include "domain/fault.hpp"
#include "security/der.hpp"
#include "security/layer.hpp"

#include <openssl/rsa.h>

namespace waybill::security {

namespace {

constexpr std::size_t nonceSize = 12;
constexpr unsigned char tagSize = 16;
constexpr std::size_t wrappedKeySize = 40; // AES-256 key wrap of a 256-bit key, RFC 3394
constexpr std::size_t pointSize = 65;      // an uncompressed point of P-256

[[noreturn]] void refuse(const std::string &why) { throw LayerRefused{withOpensslErrors(why)}; }

/// OpenSSL's defaults here are SHA-1: say SHA-256 for the key derivation (EC) and for OAEP (RSA).
void useSha256(CMS_RecipientInfo &recipient) {
  auto *context = CMS_RecipientInfo_get0_pkey_ctx(&recipient);
  const bool elliptic = CMS_RecipientInfo_type(&recipient) == CMS_RECIPINFO_AGREE;
  const bool good =
      context != nullptr && (elliptic ? EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) > 0
                                      : EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
                                            EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) > 0);
  if (!good) {
    opensslFailed("choosing SHA-256 for the recipient's key");
  }
}

/// KeyTransRecipientInfo, RFC 5652 section 6.2.1, with RSAES-OAEP as RFC 4055 section 4.1 says, SHA-256 in both places.
void checkTransport(der::Reader info, const Certificate &recipient, std::size_t keySize) {
  using namespace der;
  const auto oaepWith = [](const Bytes &sha256) {
    const auto mask = algorithm(NID_mgf1, sha256);
    return algorithm(NID_rsaesOaep, element(Sequence, joined({element(Explicit0, sha256), element(Explicit1, mask)})));
  };
  info.expect(smallInteger(2));
  info.expect(element(Primitive0, recipient.subjectKeyId()));
  if (!info.takeIf(oaepWith(algorithm(NID_sha256)))) {
    info.expect(oaepWith(algorithm(NID_sha256, element(Null, {})))); // RFC 4055 section 2.1: the same
  }
  (void)info.take(OctetString, keySize);
  info.end();
}

/// KeyAgreeRecipientInfo, RFC 5652 section 6.2.2, as RFC 5753 section 3.1.1 says: ephemeral P-256, X9.63 KDF with
/// SHA-256, AES-256 key wrap.
void checkAgreement(der::Reader info, const Certificate &recipient) {
  using namespace der;
  info.expect(smallInteger(3));
  auto originator = info.enter(Explicit0);
  auto key = originator.enter(Explicit1);
  originator.end();
  if (!key.takeIf(algorithm(NID_X9_62_id_ecPublicKey))) {
    key.expect(algorithm(NID_X9_62_id_ecPublicKey, objectId(NID_X9_62_prime256v1)));
  }
  (void)key.take(BitString, 1 + pointSize);
  key.end();
  info.expect(algorithm(NID_dhSinglePass_stdDH_sha256kdf_scheme, algorithm(NID_id_aes256_wrap)));
  auto encryptedKeys = info.enter(Sequence);
  auto encryptedKey = encryptedKeys.enter(Sequence);
  encryptedKeys.end();
  encryptedKey.expect(element(Explicit0, element(OctetString, recipient.subjectKeyId())));
  (void)encryptedKey.take(OctetString, wrappedKeySize);
  encryptedKey.end();
  info.end();
}

/// Refuses whatever is not the one shape of a token's AuthEnvelopedData (RFC 5083 section 2.1) for that recipient: one
/// recipient by subject key identifier, AES-256-GCM with the full tag (RFC 5084), nothing that is optional. OpenSSL by
/// itself would accept weaker algorithms.
void checkShape(ByteView layer, const Certificate &recipient, EVP_PKEY &key) {
  using namespace der;
  Reader outside(layer);
  auto info = outside.enter(Sequence);
  outside.end();
  info.expect(objectId(NID_id_smime_ct_authEnvelopedData));
  auto wrapping = info.enter(Explicit0);
  info.end();
  auto body = wrapping.enter(Sequence);
  wrapping.end();
  body.expect(smallInteger(0));
  auto recipients = body.enter(Set);
  if (EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA) {
    checkTransport(recipients.enter(Sequence), recipient, static_cast<std::size_t>(EVP_PKEY_get_size(&key)));
  } else {
    checkAgreement(recipients.enter(Explicit1), recipient);
  }
  recipients.end();
  auto content = body.enter(Sequence);
  content.expect(objectId(NID_pkcs7_data));
  auto algorithm = content.enter(Sequence);
  algorithm.expect(objectId(NID_aes_256_gcm));
  auto parameters = algorithm.enter(Sequence);
  algorithm.end();
  (void)parameters.take(OctetString, nonceSize);
  parameters.expect(smallInteger(tagSize));
  parameters.end();
  (void)content.take(Primitive0);
  content.end();
  (void)body.take(OctetString, tagSize);
  body.end();
}

void recoverContentKey(CMS_ContentInfo &cms, EVP_PKEY &key) {
  auto *info = sk_CMS_RecipientInfo_value(CMS_get0_RecipientInfos(&cms), 0);
  bool good = false;
  if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS) {
    good = EVP_PKEY_up_ref(&key) == 1 && CMS_RecipientInfo_set0_pkey(info, &key) == 1 &&
           CMS_RecipientInfo_decrypt(&cms, info) == 1;
  } else {
    auto *encryptedKey = sk_CMS_RecipientEncryptedKey_value(CMS_RecipientInfo_kari_get0_reks(info), 0);
    good = CMS_RecipientInfo_kari_set0_pkey(info, &key) == 1 &&
           CMS_RecipientInfo_kari_decrypt(&cms, info, encryptedKey) == 1;
  }
  if (!good) {
    refuse("the content's key could not be decrypted");
  }
}

} // namespace

Bytes encryptLayer(ByteView content, const Certificate &recipient) {
  if (X509_get0_subject_key_id(recipient.native()) == nullptr) {
    throw Fault(FaultCode::BadParameter,
                "the recipient's certificate has no subject key identifier, by which a token names its recipient; ask "
                "its owner for one that has (openssl req -x509 adds it)",
                recipient.instanceId());
  }
  constexpr unsigned int flags = CMS_BINARY | CMS_PARTIAL;
  const auto data = memoryBio(content);
  const CmsPtr cms(CMS_encrypt(nullptr, nullptr, EVP_aes_256_gcm(), flags));
  auto *info = cms ? CMS_add1_recipient_cert(cms.get(), recipient.native(), CMS_USE_KEYID | CMS_KEY_PARAM) : nullptr;
  if (info == nullptr) {
    opensslFailed("encrypting a token");
  }
  useSha256(*info);
  if (CMS_final(cms.get(), data.get(), nullptr, flags) != 1) {
    opensslFailed("encrypting a token");
  }
  return encoded<i2d_CMS_ContentInfo>(*cms, "a layer of the token");
}

Bytes decryptLayer(ByteView layer, const Certificate &recipient, EVP_PKEY &key) {
  checkShape(layer, recipient, key);
  const auto cms = parseLayer(layer, NID_id_smime_ct_authEnvelopedData);
  recoverContentKey(*cms, key);
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out || CMS_decrypt(cms.get(), nullptr, nullptr, nullptr, out.get(), CMS_BINARY) != 1) {
    refuse("the content could not be decrypted");
  }
  return contentsOf(*out);
}

} // namespace waybill::security
