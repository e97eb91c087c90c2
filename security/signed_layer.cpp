// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/signed_layer.hpp"

#include <algorithm>

namespace waybill::security {

namespace {

[[noreturn]] void refuse(const std::string &why) { throw LayerRefused{withOpensslErrors(why)}; }

CMS_SignerInfo &onlySigner(CMS_ContentInfo &cms) {
  auto *signers = CMS_get0_SignerInfos(&cms);
  if (sk_CMS_SignerInfo_num(signers) != 1) {
    refuse("not exactly one signer");
  }
  return *sk_CMS_SignerInfo_value(signers, 0);
}

Bytes keyIdOf(CMS_SignerInfo &signer) {
  ASN1_OCTET_STRING *keyId = nullptr;
  if (CMS_SignerInfo_get0_signer_id(&signer, &keyId, nullptr, nullptr) != 1 || keyId == nullptr) {
    refuse("the signer is not named by subject key identifier");
  }
  const auto view = viewOf(*keyId);
  return {view.begin(), view.end()};
}

void append(Bytes &to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

/// One DER element (X.690 section 10): tag, definite length in the fewest bytes, content.
Bytes element(unsigned char tag, ByteView content) {
  Bytes result{std::byte{tag}};
  const auto size = content.size();
  if (size < 0x80) {
    result.push_back(static_cast<std::byte>(size));
  } else {
    Bytes length;
    for (auto rest = size; rest != 0; rest >>= 8U) {
      length.insert(length.begin(), static_cast<std::byte>(rest & 0xFFU));
    }
    result.push_back(static_cast<std::byte>(0x80U | length.size()));
    append(result, length);
  }
  append(result, content);
  return result;
}

Bytes joined(std::initializer_list<Bytes> pieces) {
  Bytes all;
  for (const auto &piece : pieces) {
    append(all, piece);
  }
  return all;
}

Bytes objectId(int nid) {
  const auto *object = OBJ_nid2obj(nid);
  const auto view = ByteView(reinterpret_cast<const std::byte *>(OBJ_get0_data(object)), OBJ_length(object));
  return element(0x06, view);
}

Bytes signatureAlgorithm(EVP_PKEY &key) {
  if (EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA) {
    return element(0x30, joined({objectId(NID_rsaEncryption), element(0x05, {})}));
  }
  return element(0x30, objectId(NID_ecdsa_with_SHA256));
}

/// The only bytes that a SignedData (RFC 5652 section 5.1) of a token by this signer can have: what signing writes and
/// what verifying expects. Fields that the signature does not cover (versions, algorithm identifiers) could otherwise
/// be altered without notice.
Bytes signedData(ByteView content, ByteView keyId, EVP_PKEY &key, ByteView signature) {
  const auto three = element(0x02, Bytes{std::byte{3}});
  const auto sha256 = element(0x30, objectId(NID_sha256));
  const auto inside = element(0x30, joined({objectId(NID_pkcs7_data), element(0xA0, element(0x04, content))}));
  const auto signer =
      element(0x30, joined({three, element(0x80, keyId), sha256, signatureAlgorithm(key), element(0x04, signature)}));
  const auto body = element(0x30, joined({three, element(0x31, sha256), inside, element(0x31, signer)}));
  return element(0x30, joined({objectId(NID_pkcs7_signed), element(0xA0, body)}));
}

} // namespace

SignedLayer::SignedLayer(ByteView der)
    : der_(der), cms_(parseLayer(der, NID_pkcs7_signed)), signer_(&onlySigner(*cms_)), keyId_(keyIdOf(*signer_)) {}

Bytes SignedLayer::verified(const Certificate &signer) const {
  auto *const *content = CMS_get0_content(cms_.get());
  if (content == nullptr || *content == nullptr) {
    refuse("it has no content");
  }
  const auto inside = viewOf(**content);
  const auto signature = viewOf(*CMS_SignerInfo_get0_signature(signer_));
  auto *key = X509_get0_pubkey(signer.native());
  const auto expected = signedData(inside, signer.subjectKeyId(), *key, signature);
  if (!std::equal(expected.begin(), expected.end(), der_.begin(), der_.end())) {
    refuse("it has other fields than a token's layer by that signer");
  }
  const MdCtxPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(inside), inside.size()) != 1) {
    refuse("the signature does not hold");
  }
  return {inside.begin(), inside.end()};
}

Bytes signLayer(ByteView content, const InstanceKey &signer) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(1024);
  auto size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, signer.native()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size, octets(content),
                     content.size()) != 1) {
    opensslFailed("signing a token");
  }
  signature.resize(size);
  return signedData(content, signer.certificate().subjectKeyId(), *signer.native(), signature);
}

} // namespace waybill::security
