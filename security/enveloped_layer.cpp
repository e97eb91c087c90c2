// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/enveloped_layer.hpp"

#include "domain/fault.hpp"
#include "security/content_key.hpp"
#include "security/der.hpp"
#include "security/layer.hpp"

namespace waybill::security {

namespace {

using namespace der;

constexpr std::size_t nonceSize = 12;
constexpr unsigned char tagSize = 16;
constexpr std::size_t wrappedKeySize = 40;
constexpr std::size_t pointSize = 65; // an uncompressed point of P-256

// What refusals say in the log; the peer never reads it.
constexpr const char *otherRecipient = "it is for another key, or names its recipient otherwise than by key identifier";
constexpr const char *otherVersion = "it has a version that this layer does not have";

bool isRsa(EVP_PKEY &key) { return EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA; }

/// RSAES-OAEP, RFC 4055 section 4.1, with `sha256` in both places.
Bytes oaepWith(const Bytes &sha256) {
  const auto mask = algorithm(NID_mgf1, sha256);
  return algorithm(NID_rsaesOaep, element(Sequence, joined({element(Explicit0, sha256), element(Explicit1, mask)})));
}

Bytes agreementAlgorithm() { return algorithm(NID_dhSinglePass_stdDH_sha256kdf_scheme, algorithm(NID_id_aes256_wrap)); }

/// KeyTransRecipientInfo, RFC 5652 section 6.2.1.
Bytes writeTransport(const SecretKey &key, const Certificate &recipient) {
  const auto encrypted = transport(key, *X509_get0_pubkey(recipient.native()));
  return element(Sequence, joined({smallInteger(2), element(Primitive0, recipient.subjectKeyId()),
                                   oaepWith(algorithm(NID_sha256)), element(OctetString, encrypted)}));
}

SecretKey readTransport(Reader info, const Certificate &recipient, EVP_PKEY &key) {
  info.expect(smallInteger(2), otherRecipient); // the version goes by how the recipient is named
  info.expect(element(Primitive0, recipient.subjectKeyId()), otherRecipient);
  if (!info.takeIf(oaepWith(algorithm(NID_sha256)))) {
    // RFC 4055 section 2.1: NULL parameters mean the same.
    info.expect(oaepWith(algorithm(NID_sha256, element(Null, {}))), "the key is not encrypted by OAEP with SHA-256");
  }
  const auto encrypted = info.take(OctetString, static_cast<std::size_t>(EVP_PKEY_get_size(&key)));
  info.end();
  return transportedKey(encrypted, key);
}

/// KeyAgreeRecipientInfo, RFC 5652 section 6.2.2, as RFC 5753 section 3.1.1 says.
Bytes writeAgreement(const SecretKey &key, const Certificate &recipient) {
  const auto agreed = agreeOn(key, *X509_get0_pubkey(recipient.native()));
  const auto point = element(BitString, joined({Bytes{std::byte{0}}, agreed.point}));
  const auto originator = element(Explicit1, joined({algorithm(NID_X9_62_id_ecPublicKey), point}));
  const auto keyId = element(Explicit0, element(OctetString, recipient.subjectKeyId()));
  const auto encryptedKey = element(Sequence, joined({keyId, element(OctetString, agreed.wrapped)}));
  return element(Explicit1, joined({smallInteger(3), element(Explicit0, originator), agreementAlgorithm(),
                                    element(Sequence, encryptedKey)}));
}

/// The uncompressed point of the sender's ephemeral key.
ByteView readOriginator(Reader originator) {
  auto key = originator.enter(Explicit1);
  originator.end();
  if (!key.takeIf(algorithm(NID_X9_62_id_ecPublicKey))) {
    key.expect(algorithm(NID_X9_62_id_ecPublicKey, objectId(NID_X9_62_prime256v1)),
               "its ephemeral key is not of P-256");
  }
  Reader bits(key.take(BitString, 1 + pointSize));
  key.end();
  bits.expect(Bytes{std::byte{0}}, "its ephemeral key is no point");
  return bits.rest();
}

SecretKey readAgreement(Reader info, const Certificate &recipient, EVP_PKEY &key) {
  info.expect(smallInteger(3), otherVersion);
  const auto point = readOriginator(info.enter(Explicit0));
  info.expect(agreementAlgorithm(), "the key is not agreed by ECDH with SHA-256 and wrapped by AES-256");
  auto encryptedKeys = info.enter(Sequence);
  info.end();
  auto encryptedKey = encryptedKeys.enter(Sequence);
  encryptedKeys.end();
  encryptedKey.expect(element(Explicit0, element(OctetString, recipient.subjectKeyId())), otherRecipient);
  const auto wrapped = encryptedKey.take(OctetString, wrappedKeySize);
  encryptedKey.end();
  return agreedKey(point, wrapped, key);
}

/// EncryptedContentInfo, RFC 5652 section 6.1, with AES-256-GCM as RFC 5084 section 3.2 says, and the full tag.
Bytes writeContent(const Encrypted &encrypted) {
  const auto parameters = joined({element(OctetString, encrypted.nonce), smallInteger(tagSize)});
  return element(Sequence, joined({objectId(NID_pkcs7_data), algorithm(NID_aes_256_gcm, element(Sequence, parameters)),
                                   element(Primitive0, encrypted.text)}));
}

struct Content {
  ByteView nonce;
  ByteView text;
};

Content readContent(Reader content) {
  content.expect(objectId(NID_pkcs7_data), "the encrypted content is not id-data");
  auto algorithm = content.enter(Sequence);
  algorithm.expect(objectId(NID_aes_256_gcm), "the content is not encrypted by AES-256-GCM");
  auto parameters = algorithm.enter(Sequence);
  algorithm.end();
  const auto nonce = parameters.take(OctetString, nonceSize);
  parameters.expect(smallInteger(tagSize), "its authentication tag has not 16 bytes");
  parameters.end();
  const auto text = content.take(Primitive0);
  content.end();
  return {nonce, text};
}

/// ContentInfo, RFC 5652 section 3, around AuthEnvelopedData, RFC 5083 section 2.1.
Reader readInfo(ByteView layer) {
  Reader outside(layer);
  auto info = outside.enter(Sequence);
  outside.end();
  info.expect(objectId(NID_id_smime_ct_authEnvelopedData), "it is no AuthEnvelopedData");
  auto wrapping = info.enter(Explicit0);
  info.end();
  auto body = wrapping.enter(Sequence);
  wrapping.end();
  return body;
}

} // namespace

Bytes encryptLayer(ByteView content, const Certificate &recipient) {
  if (X509_get0_subject_key_id(recipient.native()) == nullptr) {
    throw Fault(FaultCode::BadParameter,
                "the recipient's certificate has no subject key identifier, by which a token names its recipient; ask "
                "its owner for one that has (openssl req -x509 adds it)",
                recipient.instanceId());
  }
  const auto key = randomKey();
  const auto info =
      isRsa(*X509_get0_pubkey(recipient.native())) ? writeTransport(key, recipient) : writeAgreement(key, recipient);
  const auto encrypted = encryptContent(key, content);
  const auto body = element(Sequence, joined({smallInteger(0), element(Set, info), writeContent(encrypted),
                                              element(OctetString, encrypted.tag)}));
  return element(Sequence, joined({objectId(NID_id_smime_ct_authEnvelopedData), element(Explicit0, body)}));
}

Bytes decryptLayer(ByteView layer, const Certificate &recipient, EVP_PKEY &key) {
  auto body = readInfo(layer);
  body.expect(smallInteger(0), otherVersion);
  auto recipients = body.enter(Set);
  const auto content = readContent(body.enter(Sequence));
  const auto tag = body.take(OctetString, tagSize);
  body.end();
  auto info = recipients.enter(isRsa(key) ? Sequence : Explicit1);
  recipients.end();
  const auto contentKey = isRsa(key) ? readTransport(info, recipient, key) : readAgreement(info, recipient, key);
  return decryptContent(contentKey, content.nonce, content.text, tag);
}

} // namespace waybill::security
