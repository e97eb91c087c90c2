// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/token.hpp"

#include "domain/random.hpp"
#include "security/der.hpp"
#include "security/enveloped_layer.hpp"
#include "security/signed_layer.hpp"
#include "support.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <openssl/err.h>

#include <thread>

namespace {

using namespace waybill;
using namespace waybill::security;
using namespace waybill::security::tests;
using std::chrono::microseconds;
using std::chrono::seconds;

class TokenTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TokenTest);
  CPPUNIT_TEST(everyPairOfKeyTypesSealsAndOpens);
  CPPUNIT_TEST(noTwoTokensAreAlike);
  CPPUNIT_TEST(theOuterLayerWithOneBitAlteredIsRefused);
  CPPUNIT_TEST(theMiddleLayerWithOneBitAlteredIsRefused);
  CPPUNIT_TEST(theInnerLayerWithOneBitAlteredIsRefused);
  CPPUNIT_TEST(layersOfRsaKeysWithOneBitAlteredAreRefused);
  CPPUNIT_TEST(aTokenCutShortAnywhereIsRefused);
  CPPUNIT_TEST(equivalentAlgorithmIdentifiersAreAccepted);
  CPPUNIT_TEST(theWindowIncludesItsEdges);
  CPPUNIT_TEST(theLongestLifetimeIsAccepted);
  CPPUNIT_TEST(theLargestSizeIsAccepted);
  CPPUNIT_TEST(anotherKeyOfTheSameIdentifierDoesNotStandInTheWay);
  CPPUNIT_TEST(anotherKeyOfTheSameIdentifierIsNotTheSigner);
  CPPUNIT_TEST(aKeyThatIsNoLongerFoundIsUntrusted);
  CPPUNIT_TEST(claimsThatNoTokenCanSayAreNotSealed);
  CPPUNIT_TEST(aRecipientWithoutKeyIdentifierIsRefused);
  CPPUNIT_TEST(refusalsLeaveNoErrorsInOpenssl);
  CPPUNIT_TEST(threadsOpenAtTheSameTime);
  CPPUNIT_TEST_SUITE_END();

  const InstanceKey &alice_ = keyOf("alice");
  const InstanceKey &lab_ = keyOf("lab");
  const InstanceKey &rita_ = keyOf("rita");
  const InstanceKey &rsalab_ = keyOf("rsalab");
  StandingClock clock_{at("2026-01-31T12:10:00Z")};
  TokenOpener opener_{lab_, finderOf({alice_.certificate(), rita_.certificate()}), clock_, {}};
  TokenOpener rsaOpener_{rsalab_, finderOf({alice_.certificate(), rita_.certificate()}), clock_, {}};

  Bytes innerOf(const InstanceKey &signer, const InstanceKey &recipient) {
    return signLayer(asBytes(printClaims(claimsFor(signer, recipient))), signer);
  }
  void refused(const TokenOpener &opener, ByteView der, const std::string &what) {
    try {
      (void)opener.open(toBase64(der));
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_MESSAGE(what, fault.code() == FaultCode::BadToken || fault.code() == FaultCode::UntrustedKey);
      return;
    }
    CPPUNIT_FAIL(what + " was accepted");
  }
  /// Calls `check` with `layer` altered in one bit, at every `step`th byte.
  template <class Check> void eachAltered(Bytes layer, std::size_t step, Check check) {
    for (std::size_t i = 0; i < layer.size(); i += step) {
      const auto mask = static_cast<std::byte>(1U << (i % 8));
      layer[i] ^= mask;
      check(layer, "byte " + std::to_string(i));
      layer[i] ^= mask;
    }
  }

public:
  void everyPairOfKeyTypesSealsAndOpens() {
    for (const auto *signer : {&alice_, &rita_}) {
      for (const auto &[recipient, opener] : {std::pair{&lab_, &opener_}, {&rsalab_, &rsaOpener_}}) {
        auto claims = claimsFor(*signer, *recipient);
        claims.subject = "bob";
        claims.resources = {"/docs", "00000000000000000000000000000001"};
        claims.replyTo = "https://example.org/?a=1&b=<2>";
        CPPUNIT_ASSERT(opener->open(sealToken(claims, *signer, recipient->certificate())) == claims);
      }
    }
  }

  void noTwoTokensAreAlike() {
    const auto claims = claimsFor(alice_, lab_);
    CPPUNIT_ASSERT(sealToken(claims, alice_, lab_.certificate()) != sealToken(claims, alice_, lab_.certificate()));
  }

  void theOuterLayerWithOneBitAlteredIsRefused() {
    const auto outer = signLayer(encryptLayer(innerOf(alice_, lab_), lab_.certificate()), alice_);
    eachAltered(outer, 1, [&](ByteView der, const std::string &where) { refused(opener_, der, where); });
  }

  void theMiddleLayerWithOneBitAlteredIsRefused() {
    const auto middle = encryptLayer(innerOf(alice_, lab_), lab_.certificate());
    eachAltered(middle, 1,
                [&](ByteView der, const std::string &where) { refused(opener_, signLayer(der, alice_), where); });
  }

  void theInnerLayerWithOneBitAlteredIsRefused() {
    const auto inner = innerOf(alice_, lab_);
    eachAltered(inner, 1, [&](ByteView der, const std::string &where) {
      refused(opener_, signLayer(encryptLayer(der, lab_.certificate()), alice_), where);
    });
  }

  void layersOfRsaKeysWithOneBitAlteredAreRefused() {
    const auto inner = innerOf(rita_, rsalab_);
    const auto middle = encryptLayer(inner, rsalab_.certificate());
    eachAltered(signLayer(middle, rita_), 7,
                [&](ByteView der, const std::string &where) { refused(rsaOpener_, der, where); });
    eachAltered(middle, 13,
                [&](ByteView der, const std::string &where) { refused(rsaOpener_, signLayer(der, rita_), where); });
    eachAltered(inner, 13, [&](ByteView der, const std::string &where) {
      refused(rsaOpener_, signLayer(encryptLayer(der, rsalab_.certificate()), rita_), where);
    });
  }

  void aTokenCutShortAnywhereIsRefused() {
    const auto outer = signLayer(encryptLayer(innerOf(alice_, lab_), lab_.certificate()), alice_);
    for (std::size_t size = 0; size < outer.size(); ++size) {
      refused(opener_, ByteView(outer).first(size), std::to_string(size) + " bytes");
    }
  }

  /// RFC 5754 section 2: NULL parameters of SHA-256 mean the same as none.
  void equivalentAlgorithmIdentifiersAreAccepted() {
    const auto plain = der::algorithm(NID_sha256);
    const auto withNull = der::algorithm(NID_sha256, der::element(der::Null, {}));
    const auto layer = signLayer(encryptLayer(innerOf(alice_, lab_), lab_.certificate()), alice_);
    // The identifier is in the layer's set of digests and in its signer: both move the lengths around them.
    der::Reader outside(layer);
    auto info = outside.enter(der::Sequence);
    info.expect(der::objectId(NID_pkcs7_signed), "another layer");
    auto wrapping = info.enter(der::Explicit0);
    auto body = wrapping.enter(der::Sequence);
    body.expect(der::smallInteger(3), "another layer");
    body.expect(der::element(der::Set, plain), "another layer");
    const auto content = der::element(der::Sequence, body.take(der::Sequence));
    auto signers = body.enter(der::Set);
    auto signer = signers.enter(der::Sequence);
    signer.expect(der::smallInteger(3), "another layer");
    const auto keyId = der::element(der::Primitive0, signer.take(der::Primitive0));
    signer.expect(plain, "another layer");
    const auto algorithm = der::element(der::Sequence, signer.take(der::Sequence));
    const auto signature = der::element(der::OctetString, signer.take(der::OctetString));
    const auto rebuilt = [&](const Bytes &inSet, const Bytes &inSigner) {
      using namespace der;
      const auto signerInfo = element(Sequence, joined({smallInteger(3), keyId, inSigner, algorithm, signature}));
      const auto all =
          element(Sequence, joined({smallInteger(3), element(Set, inSet), content, element(Set, signerInfo)}));
      return element(Sequence, joined({objectId(NID_pkcs7_signed), element(Explicit0, all)}));
    };
    CPPUNIT_ASSERT(rebuilt(plain, plain) == layer);
    CPPUNIT_ASSERT(opener_.open(toBase64(rebuilt(withNull, withNull))) == claimsFor(alice_, lab_));
    refused(opener_, rebuilt(withNull, plain), "two ways of saying SHA-256");
  }

  void theWindowIncludesItsEdges() {
    const auto claims = claimsFor(alice_, lab_);
    const auto token = sealToken(claims, alice_, lab_.certificate());
    const TokenPolicy policy;
    clock_.set(claims.notBefore - policy.clockSkew);
    CPPUNIT_ASSERT(opener_.open(token) == claims);
    clock_.set(claims.notBefore - policy.clockSkew - microseconds(1));
    expectMentions(expectFault(FaultCode::TokenExpired, [&] { (void)opener_.open(token); }), "begins at");
    clock_.set(claims.notAfter + policy.clockSkew);
    CPPUNIT_ASSERT(opener_.open(token) == claims);
    clock_.set(claims.notAfter + policy.clockSkew + microseconds(1));
    expectMentions(expectFault(FaultCode::TokenExpired, [&] { (void)opener_.open(token); }), "ended at");
  }

  void theLongestLifetimeIsAccepted() {
    auto claims = claimsFor(alice_, lab_);
    claims.notAfter = claims.notBefore + TokenPolicy{}.maximumLifetime;
    CPPUNIT_ASSERT(opener_.open(sealToken(claims, alice_, lab_.certificate())) == claims);
    claims.notAfter += microseconds(1);
    expectMentions(
        expectFault(FaultCode::BadToken, [&] { (void)opener_.open(sealToken(claims, alice_, lab_.certificate())); }),
        "3600 seconds");
  }

  void theLargestSizeIsAccepted() {
    const auto token = sealToken(claimsFor(alice_, lab_), alice_, lab_.certificate());
    TokenPolicy policy;
    policy.maximumBytes = token.size();
    const TokenOpener tight(lab_, finderOf({alice_.certificate()}), clock_, policy);
    CPPUNIT_ASSERT(tight.open(token) == claimsFor(alice_, lab_));
    (void)expectFault(FaultCode::BadToken, [&] { (void)tight.open(token + "\n"); });
  }

  void anotherKeyOfTheSameIdentifierDoesNotStandInTheWay() {
    const auto &mallory = keyOf("mallory");
    CPPUNIT_ASSERT(mallory.certificate().subjectKeyId() == alice_.certificate().subjectKeyId());
    CPPUNIT_ASSERT(mallory.id() != alice_.id());
    const TokenOpener both(lab_, finderOf({mallory.certificate(), alice_.certificate()}), clock_, {});
    const auto claims = claimsFor(alice_, lab_);
    CPPUNIT_ASSERT(both.open(sealToken(claims, alice_, lab_.certificate())) == claims);
    const auto hers = claimsFor(mallory, lab_);
    CPPUNIT_ASSERT(both.open(sealToken(hers, mallory, lab_.certificate())) == hers);
    expectMentions(
        expectFault(FaultCode::BadToken, [&] { (void)both.open(sealToken(claims, mallory, lab_.certificate())); }),
        "Issuer");
  }

  void anotherKeyOfTheSameIdentifierIsNotTheSigner() {
    const TokenOpener other(lab_, finderOf({keyOf("mallory").certificate()}), clock_, {});
    const auto token = sealToken(claimsFor(alice_, lab_), alice_, lab_.certificate());
    (void)expectFault(FaultCode::BadToken, [&] { (void)other.open(token); });
  }

  void aKeyThatIsNoLongerFoundIsUntrusted() {
    std::vector<Certificate> trusted{alice_.certificate()};
    const TokenOpener opener(lab_, [&](ByteView) { return trusted; }, clock_, {});
    const auto token = sealToken(claimsFor(alice_, lab_), alice_, lab_.certificate());
    CPPUNIT_ASSERT(opener.open(token) == claimsFor(alice_, lab_));
    trusted.clear();
    (void)expectFault(FaultCode::UntrustedKey, [&] { (void)opener.open(token); });
  }

  void claimsThatNoTokenCanSayAreNotSealed() {
    auto claims = claimsFor(alice_, lab_);
    claims.operations.clear();
    (void)expectFault(FaultCode::BadParameter, [&] { (void)sealToken(claims, alice_, lab_.certificate()); });
  }

  void aRecipientWithoutKeyIdentifierIsRefused() {
    const auto without = Certificate::fromPem(readFile(vectorFile("no-key-identifier.crt")));
    expectMentions(
        expectFault(FaultCode::BadParameter, [&] { (void)sealToken(claimsFor(alice_, lab_), alice_, without); }),
        "subject key identifier");
  }

  void refusalsLeaveNoErrorsInOpenssl() {
    const auto outer = signLayer(encryptLayer(innerOf(alice_, lab_), lab_.certificate()), alice_);
    const auto middle = encryptLayer(innerOf(alice_, lab_), keyOf("stranger").certificate());
    eachAltered(outer, 50, [&](ByteView der, const std::string &where) {
      refused(opener_, der, where);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(where, 0UL, ERR_peek_error());
    });
    refused(opener_, signLayer(middle, alice_), "another recipient");
    CPPUNIT_ASSERT_EQUAL(0UL, ERR_peek_error());
  }

  void threadsOpenAtTheSameTime() {
    const auto token = sealToken(claimsFor(alice_, lab_), alice_, lab_.certificate());
    std::atomic<int> opened{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 20; ++round) {
          opened += opener_.open(token) == claimsFor(alice_, lab_) ? 1 : 0;
          opened += opener_.open(sealToken(claimsFor(alice_, lab_), alice_, lab_.certificate())).operations.size() == 1;
        }
      });
    }
    threads.clear();
    CPPUNIT_ASSERT_EQUAL(8 * 20 * 2, opened.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TokenTest);

} // namespace
