// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/certificate.hpp"

#include "security/openssl.hpp"
#include "security/self_signed.hpp"
#include "support.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace {

using namespace waybill;
using namespace waybill::security;
using namespace waybill::security::tests;

class CertificateTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CertificateTest);
  CPPUNIT_TEST(theIdIsTheDigestOfThePublicKey);
  CPPUNIT_TEST(anotherCertificateOfTheSameKeyHasTheSameId);
  CPPUNIT_TEST(theKeyIdentifierIsTheExtensionElseTheDigest);
  CPPUNIT_TEST(namesAndKeyTypesAreTold);
  CPPUNIT_TEST(pemIsReadBack);
  CPPUNIT_TEST(theFirstOfSeveralIsRead);
  CPPUNIT_TEST(textWithoutCertificateIsRefused);
  CPPUNIT_TEST(weakAndOtherKeysAreRefused);
  CPPUNIT_TEST(unusualEncodingsOfAKeyAreRefused);
  CPPUNIT_TEST(longKeyIdentifiersAreRefused);
  CPPUNIT_TEST(malformedExtensionsAreRefused);
  CPPUNIT_TEST(badNamesAndHostsAreRefused);
  CPPUNIT_TEST(fingerprintsAreInGroups);
  CPPUNIT_TEST_SUITE_END();

  void refused(EVP_PKEY &key) {
    (void)expectFault(FaultCode::BadParameter, [&] { (void)Certificate::fromPem(pemOf(*selfSigned(key, "x", {}))); });
  }

public:
  void theIdIsTheDigestOfThePublicKey() {
    const auto &certificate = keyOf("alice").certificate();
    const auto spki = encoded<i2d_PUBKEY>(*X509_get0_pubkey(certificate.native()), "key");
    CPPUNIT_ASSERT_EQUAL(toHex(sha256(spki)), certificate.instanceId());
    CPPUNIT_ASSERT_EQUAL(std::size_t{64}, certificate.instanceId().size());
  }

  void anotherCertificateOfTheSameKeyHasTheSameId() {
    const auto &alice = keyOf("alice");
    const auto other = Certificate::fromPem(pemOf(*selfSigned(*alice.native(), "somebody else", {"example.org"})));
    CPPUNIT_ASSERT_EQUAL(alice.id(), other.instanceId());
    CPPUNIT_ASSERT(alice.certificate().pem() != other.pem());
  }

  void theKeyIdentifierIsTheExtensionElseTheDigest() {
    CPPUNIT_ASSERT(keyOf("mallory").certificate().subjectKeyId() == keyOf("alice").certificate().subjectKeyId());
    const auto without = Certificate::fromPem(readFile(vectorFile("no-key-identifier.crt")));
    CPPUNIT_ASSERT_EQUAL(std::size_t{20}, without.subjectKeyId().size());
    const auto *bits = X509_get0_pubkey_bitstr(without.native());
    Bytes digest(EVP_MAX_MD_SIZE);
    unsigned int size = 0;
    EVP_Digest(ASN1_STRING_get0_data(bits), static_cast<std::size_t>(ASN1_STRING_length(bits)),
               reinterpret_cast<unsigned char *>(digest.data()), &size, EVP_sha1(), nullptr);
    digest.resize(size);
    CPPUNIT_ASSERT(without.subjectKeyId() == digest);
  }

  void namesAndKeyTypesAreTold() {
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), keyOf("alice").certificate().commonName());
    CPPUNIT_ASSERT_EQUAL(std::string("P-256"), keyOf("alice").certificate().keyType());
    CPPUNIT_ASSERT_EQUAL(std::string("RSA-3072"), keyOf("rita").certificate().keyType());
    const auto unicode = Certificate::fromPem(pemOf(*selfSigned(*keyOf("alice").native(), "Zoë 漢字", {})));
    CPPUNIT_ASSERT_EQUAL(std::string("Zoë 漢字"), unicode.commonName());
  }

  void pemIsReadBack() {
    const auto &alice = keyOf("alice").certificate();
    const auto again = Certificate::fromPem("Some words before\n" + alice.pem() + "and after\n");
    CPPUNIT_ASSERT_EQUAL(alice.pem(), again.pem());
    CPPUNIT_ASSERT_EQUAL(alice.instanceId(), again.instanceId());
  }

  void theFirstOfSeveralIsRead() {
    const auto both = keyOf("lab").certificate().pem() + keyOf("alice").certificate().pem();
    CPPUNIT_ASSERT_EQUAL(keyOf("lab").id(), Certificate::fromPem(both).instanceId());
  }

  void textWithoutCertificateIsRefused() {
    auto cut = keyOf("alice").certificate().pem();
    cut.resize(cut.size() / 2);
    for (const auto &text : {std::string(), std::string("hello"), cut, readFile(vectorFile("alice.key")),
                             std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
      expectMentions(expectFault(FaultCode::BadParameter, [&] { (void)Certificate::fromPem(text); }),
                     "BEGIN CERTIFICATE");
    }
  }

  void weakAndOtherKeysAreRefused() {
    refused(*PkeyPtr(EVP_RSA_gen(2048)));
    refused(*PkeyPtr(EVP_EC_gen("P-384")));
    refused(*PkeyPtr(EVP_EC_gen("secp256k1")));
  }

  void unusualEncodingsOfAKeyAreRefused() {
    const PkeyPtr compressed(EVP_EC_gen("P-256"));
    CPPUNIT_ASSERT_EQUAL(1, EVP_PKEY_set_utf8_string_param(compressed.get(), "point-format", "compressed"));
    refused(*compressed);
    const PkeyPtr explicitCurve(EVP_EC_gen("P-256"));
    CPPUNIT_ASSERT_EQUAL(1, EVP_PKEY_set_utf8_string_param(explicitCurve.get(), "encoding", "explicit"));
    refused(*explicitCurve);
  }

  void longKeyIdentifiersAreRefused() {
    const auto x509 = selfSigned(*keyOf("alice").native(), "x", {});
    const auto without = X509_get_ext_by_NID(x509.get(), NID_subject_key_identifier, -1);
    X509_EXTENSION_free(X509_delete_ext(x509.get(), without));
    const std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>> id(ASN1_OCTET_STRING_new());
    const std::string bytes(65, 'x');
    ASN1_OCTET_STRING_set(id.get(), reinterpret_cast<const unsigned char *>(bytes.data()), 65);
    CPPUNIT_ASSERT_EQUAL(1, X509_add1_ext_i2d(x509.get(), NID_subject_key_identifier, id.get(), 0, 0));
    X509_sign(x509.get(), keyOf("alice").native(), EVP_sha256());
    expectMentions(expectFault(FaultCode::BadParameter, [&] { (void)Certificate::fromPem(pemOf(*x509)); }),
                   "subject key identifier");
  }

  void malformedExtensionsAreRefused() {
    const auto x509 = selfSigned(*keyOf("alice").native(), "x", {});
    auto *extension = X509_get_ext(x509.get(), X509_get_ext_by_NID(x509.get(), NID_subject_key_identifier, -1));
    const std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>> garbage(ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(garbage.get(), reinterpret_cast<const unsigned char *>("no DER"), 6);
    CPPUNIT_ASSERT_EQUAL(1, X509_EXTENSION_set_data(extension, garbage.get()));
    X509_sign(x509.get(), keyOf("alice").native(), EVP_sha256());
    expectMentions(expectFault(FaultCode::BadParameter, [&] { (void)Certificate::fromPem(pemOf(*x509)); }),
                   "malformed inside");
    CPPUNIT_ASSERT_EQUAL(0UL, ERR_peek_error());
  }

  void badNamesAndHostsAreRefused() {
    auto &key = *keyOf("alice").native();
    for (const std::string name : {"", "two\nlines", "\xFF"}) {
      (void)expectFault(FaultCode::BadParameter, [&] { (void)selfSigned(key, name, {}); });
    }
    (void)expectFault(FaultCode::BadParameter, [&] { (void)selfSigned(key, std::string(65, 'x'), {}); });
    for (const std::string host : {"", "a,DNS:b", "host:8443", "two words", "a\nb", "https://x/", "1::2::3"}) {
      (void)expectFault(FaultCode::BadParameter, [&] { (void)selfSigned(key, "x", {host}); });
    }
    const auto good = selfSigned(key, std::string(64, 'x'), {"localhost", "*.example.org", "127.0.0.1", "::1"});
    CPPUNIT_ASSERT_EQUAL(1, X509_check_host(good.get(), "a.example.org", 0, 0, nullptr));
    CPPUNIT_ASSERT_EQUAL(1, X509_check_ip_asc(good.get(), "::1", 0));
    CPPUNIT_ASSERT_EQUAL(0, X509_check_ip_asc(good.get(), "127.0.0.2", 0));
  }

  void fingerprintsAreInGroups() {
    CPPUNIT_ASSERT_EQUAL(std::string("ab12 cd34 ef"), fingerprintForPeople("ab12cd34ef"));
    CPPUNIT_ASSERT_EQUAL(std::string(), fingerprintForPeople(""));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CertificateTest);

} // namespace
