// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/enveloped_layer.hpp"

#include "security/layer.hpp"

#include <openssl/rsa.h>

#include <algorithm>

namespace waybill::security {

namespace {

[[noreturn]] void refuse(const std::string &why) { throw LayerRefused{withOpensslErrors(why)}; }

Bytes der(CMS_ContentInfo &cms) {
  unsigned char *data = nullptr;
  const int size = i2d_CMS_ContentInfo(&cms, &data);
  if (size <= 0) {
    opensslFailed("encoding a layer of the token");
  }
  const std::unique_ptr<unsigned char, decltype([](unsigned char *p) { OPENSSL_free(p); })> owner(data);
  const auto view = ByteView(reinterpret_cast<const std::byte *>(data), static_cast<std::size_t>(size));
  return {view.begin(), view.end()};
}

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

CMS_RecipientInfo &onlyRecipient(CMS_ContentInfo &cms) {
  auto *recipients = CMS_get0_RecipientInfos(&cms);
  if (sk_CMS_RecipientInfo_num(recipients) != 1) {
    refuse("not exactly one recipient");
  }
  return *sk_CMS_RecipientInfo_value(recipients, 0);
}

bool sameKeyId(const ASN1_OCTET_STRING *keyId, const Certificate &recipient) {
  return keyId != nullptr && std::ranges::equal(recipient.subjectKeyId(), viewOf(*keyId));
}

void useTransportKey(CMS_RecipientInfo &info, const Certificate &recipient, EVP_PKEY &key) {
  ASN1_OCTET_STRING *keyId = nullptr;
  if (CMS_RecipientInfo_ktri_get0_signer_id(&info, &keyId, nullptr, nullptr) != 1 || !sameKeyId(keyId, recipient)) {
    refuse("it is not for this instance's key identifier");
  }
  X509_ALGOR *algorithm = nullptr;
  CMS_RecipientInfo_ktri_get0_algs(&info, nullptr, nullptr, &algorithm);
  if (algorithm == nullptr || OBJ_obj2nid(algorithm->algorithm) != NID_rsaesOaep || EVP_PKEY_up_ref(&key) != 1 ||
      CMS_RecipientInfo_set0_pkey(&info, &key) != 1) {
    refuse("the key is not transported by RSA-OAEP");
  }
}

void useAgreementKey(CMS_ContentInfo &cms, CMS_RecipientInfo &info, const Certificate &recipient, EVP_PKEY &key) {
  auto *encryptedKeys = CMS_RecipientInfo_kari_get0_reks(&info);
  if (sk_CMS_RecipientEncryptedKey_num(encryptedKeys) != 1) {
    refuse("not exactly one encrypted key");
  }
  auto *encryptedKey = sk_CMS_RecipientEncryptedKey_value(encryptedKeys, 0);
  ASN1_OCTET_STRING *keyId = nullptr;
  if (CMS_RecipientEncryptedKey_get0_id(encryptedKey, &keyId, nullptr, nullptr, nullptr, nullptr) != 1 ||
      !sameKeyId(keyId, recipient)) {
    refuse("it is not for this instance's key identifier");
  }
  X509_ALGOR *algorithm = nullptr;
  if (CMS_RecipientInfo_kari_get0_alg(&info, &algorithm, nullptr) != 1 ||
      OBJ_obj2nid(algorithm->algorithm) != NID_dhSinglePass_stdDH_sha256kdf_scheme) {
    refuse("the key is not agreed by ECDH with SHA-256");
  }
  if (CMS_RecipientInfo_kari_set0_pkey(&info, &key) != 1 ||
      CMS_RecipientInfo_kari_decrypt(&cms, &info, encryptedKey) != 1) {
    refuse("the key could not be unwrapped");
  }
}

} // namespace

Bytes encryptLayer(ByteView content, const Certificate &recipient) {
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
  return der(*cms);
}

Bytes decryptLayer(ByteView der, const Certificate &recipient, EVP_PKEY &key) {
  const auto cms = parseLayer(der, NID_id_smime_ct_authEnvelopedData);
  if (const auto *type = CMS_get0_eContentType(cms.get()); type == nullptr || OBJ_obj2nid(type) != NID_pkcs7_data) {
    refuse("the encrypted content is not id-data");
  }
  auto &info = onlyRecipient(*cms);
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (CMS_RecipientInfo_type(&info) == CMS_RECIPINFO_TRANS) {
    useTransportKey(info, recipient, key);
    if (CMS_RecipientInfo_decrypt(cms.get(), &info) != 1) {
      refuse("the key could not be decrypted");
    }
  } else if (CMS_RecipientInfo_type(&info) == CMS_RECIPINFO_AGREE) {
    useAgreementKey(*cms, info, recipient, key);
  } else {
    refuse("the recipient is of a kind that tokens do not have");
  }
  if (!out || CMS_decrypt(cms.get(), nullptr, nullptr, nullptr, out.get(), CMS_BINARY) != 1) {
    refuse("the content could not be decrypted");
  }
  return contentsOf(*out);
}

} // namespace waybill::security
