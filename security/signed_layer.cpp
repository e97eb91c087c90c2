// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/signed_layer.hpp"

#include "security/der.hpp"

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

/// How a signer says what was done; the first is how `openssl cms` and we say it.
struct Algorithms {
  Bytes digest;
  Bytes signature;
};

/// RFC 5754 section 2: the parameters of SHA-256 should be absent, and NULL has to be accepted. Section 3.2: an RSA
/// PKCS #1 v1.5 signature may be named by the key's type or by the signature's. ECDSA has no such choice.
std::vector<Algorithms> algorithmsOf(EVP_PKEY &key) {
  const auto null = der::element(der::Null, {});
  std::vector<Algorithms> result;
  for (const auto &digest : {der::algorithm(NID_sha256), der::algorithm(NID_sha256, null)}) {
    if (EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA) {
      result.push_back({digest, der::algorithm(NID_rsaEncryption, null)});
      result.push_back({digest, der::algorithm(NID_sha256WithRSAEncryption, null)});
    } else {
      result.push_back({digest, der::algorithm(NID_ecdsa_with_SHA256)});
    }
  }
  return result;
}

/// The bytes of a token's SignedData (RFC 5652 section 5.1): what signing writes and what verifying expects. Fields
/// that the signature does not cover (versions, algorithm identifiers) could otherwise be altered without notice, and
/// certificates or attributes slipped in.
Bytes signedData(ByteView content, ByteView keyId, const Algorithms &algorithms, ByteView signature) {
  using namespace der;
  const auto three = smallInteger(3);
  const auto inside =
      element(Sequence, joined({objectId(NID_pkcs7_data), element(Explicit0, element(OctetString, content))}));
  const auto signer = element(Sequence, joined({three, element(Primitive0, keyId), algorithms.digest,
                                                algorithms.signature, element(OctetString, signature)}));
  const auto body = element(Sequence, joined({three, element(Set, algorithms.digest), inside, element(Set, signer)}));
  return element(Sequence, joined({objectId(NID_pkcs7_signed), element(Explicit0, body)}));
}

/// The likeliest reason why a layer is not the one that signedData() writes, for the log.
std::string oddity(CMS_ContentInfo &cms, CMS_SignerInfo &signer, const Certificate &expected) {
  const std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * all) { sk_X509_pop_free(all, X509_free); })>
      certificates(CMS_get1_certs(&cms));
  X509_ALGOR *digest = nullptr;
  CMS_SignerInfo_get0_algs(&signer, nullptr, nullptr, &digest, nullptr);
  if (keyIdOf(signer) != expected.subjectKeyId()) {
    return "it is signed by another key than the layer around it";
  }
  if (sk_X509_num(certificates.get()) > 0) {
    return "it has certificates inside";
  }
  if (CMS_signed_get_attr_count(&signer) > 0 || CMS_unsigned_get_attr_count(&signer) > 0) {
    return "it has attributes";
  }
  if (digest == nullptr || OBJ_obj2nid(digest->algorithm) != NID_sha256) {
    return "its digest is not SHA-256";
  }
  return "its content is not id-data, its signature is not of the one kind for such a key, or it is not DER";
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
  const auto allowed = algorithmsOf(*key);
  if (std::none_of(allowed.begin(), allowed.end(), [&](const Algorithms &algorithms) {
        return std::ranges::equal(signedData(inside, signer.subjectKeyId(), algorithms, signature), der_);
      })) {
    refuse(oddity(*cms_, *signer_, signer));
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
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(signer.native())));
  auto size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, signer.native()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size, octets(content),
                     content.size()) != 1) {
    opensslFailed("signing a token");
  }
  signature.resize(size);
  const auto algorithms = algorithmsOf(*signer.native());
  return signedData(content, signer.certificate().subjectKeyId(), algorithms.front(), signature);
}

} // namespace waybill::security
