// SPDX-License-Identifier: GPL-3.0-or-later
// Whole messages against real services: what a client sends, and what it gets.
#include "lab.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <fstream>
#include <latch>
#include <thread>

namespace {

using namespace waybill;
using test::Lab;
using test::RecordedResponse;

const std::string helloBase64 = "aGVsbG8=";
const std::string helloSha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

bool has(const RecordedResponse &response, const std::string &text) {
  return response.body.find(text) != std::string::npos;
}

void assertSuccess(const RecordedResponse &response) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(response.body, 200, response.status);
}

void assertFault(const RecordedResponse &response, const std::string &code) {
  CPPUNIT_ASSERT_MESSAGE("expected " + code + " in " + response.body, has(response, code));
  CPPUNIT_ASSERT_MESSAGE(response.body, response.status == 500 || response.status == 400);
}

std::string dataAt(const std::string &path) { return "<wb:Data><wb:Path>" + path + "</wb:Path></wb:Data>"; }

std::string elementText(const std::string &xml, const std::string &name) {
  const auto open = xml.find(name + ">");
  CPPUNIT_ASSERT_MESSAGE("no " + name + " in " + xml, open != std::string::npos);
  const auto begin = open + name.size() + 1;
  return xml.substr(begin, xml.find('<', begin) - begin);
}

/// WS-Addressing headers of a message of that name.
std::string addressed(const std::string &operation, const std::string &name) {
  return "<wsa:MessageID>urn:uuid:" + name + "</wsa:MessageID><wsa:Action>urn:waybill:1/" + operation + "</wsa:Action>";
}

/// Text that runs `pause`, once, when it has been read up to `at`.
class PausedSource final : public Source {
public:
  PausedSource(std::string text, std::size_t at, std::function<void()> pause)
      : text_(std::move(text)), at_(at), pause_(std::move(pause)) {}
  std::size_t read(std::span<std::byte> into) override {
    if (next_ == at_) {
      std::exchange(pause_, [] {})();
    }
    const auto end = next_ < at_ ? at_ : text_.size();
    const auto count = std::min(into.size(), end - next_);
    std::copy_n(asBytes(text_).subspan(next_).begin(), count, into.begin());
    next_ += count;
    return count;
  }

private:
  std::string text_;
  std::size_t at_;
  std::function<void()> pause_;
  std::size_t next_ = 0;
};

class ExchangeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExchangeTest);
  CPPUNIT_TEST(receiveGivesAReceipt);
  CPPUNIT_TEST(copyInlineGivesTheBytesBack);
  CPPUNIT_TEST(copyAsMtomAndAsSwA);
  CPPUNIT_TEST(copyByReferenceOnlyWhenNotSecure);
  CPPUNIT_TEST(attachmentsInAnyOrderRootNotFirst);
  CPPUNIT_TEST(batchOfAThousand);
  CPPUNIT_TEST(onePartForTwoData);
  CPPUNIT_TEST(absentAttachmentFallsOverToReference);
  CPPUNIT_TEST(bytesBesideAnAttachmentAreRefused);
  CPPUNIT_TEST(unresolvableDataListsWhatWasTried);
  CPPUNIT_TEST(missingLastBoundaryStoresNothing);
  CPPUNIT_TEST(sizeAndDigestThatDoNotMatch);
  CPPUNIT_TEST(overwriting);
  CPPUNIT_TEST(badPaths);
  CPPUNIT_TEST(deleteIsAllOrNothing);
  CPPUNIT_TEST(listInPagesWhileDataComesAndGoes);
  CPPUNIT_TEST(listShowsOnlyWhatIsAllowed);
  CPPUNIT_TEST(describeHasNoBytes);
  CPPUNIT_TEST(expiredDataIsGone);
  CPPUNIT_TEST(withoutTokenOrWithAStrangers);
  CPPUNIT_TEST(tokenForAnotherOperationPathOrInstance);
  CPPUNIT_TEST(tokenShownTwice);
  CPPUNIT_TEST(replayCanBeMetWithSilence);
  CPPUNIT_TEST(tokenShownByThirtyTwoThreadsAtOnce);
  CPPUNIT_TEST(sameMessageWhileTheFirstIsAtWork);
  CPPUNIT_TEST(receiptOutlivesItsToken);
  CPPUNIT_TEST(aCutDownloadIsGoodForThatDownloadAlone);
  CPPUNIT_TEST(failedCallLeavesTheTokenUsable);
  CPPUNIT_TEST(sameMessageAgainGetsTheFirstReceipt);
  CPPUNIT_TEST(sameMessageIdWithAnotherBodyIsReplayed);
  CPPUNIT_TEST(addressingOfTheReply);
  CPPUNIT_TEST(replyToWhereNothingMayGoIsRefused);
  CPPUNIT_TEST(replyToNone);
  CPPUNIT_TEST(actionsThatDisagree);
  CPPUNIT_TEST(unknownOperationAndWrongNamespace);
  CPPUNIT_TEST(schemaFaultNamesElementAndLine);
  CPPUNIT_TEST(mustUnderstand);
  CPPUNIT_TEST(refusedUploadIsNotRead);
  CPPUNIT_TEST(publicDataByHttp);
  CPPUNIT_TEST(secureDataLooksLikeNoData);
  CPPUNIT_TEST(malformedHostIsABadRequest);
  CPPUNIT_TEST(accessServiceNeedsAnAdministrator);
  CPPUNIT_TEST(administratorTrustsGrantsAndRevokes);
  CPPUNIT_TEST(sameAccessMessageAgainGetsTheFirstReceipt);
  CPPUNIT_TEST(accessChangeAndSpentTokenAreOneCommit);
  CPPUNIT_TEST(auditHasALineForEachOperation);
  CPPUNIT_TEST(auditTellsTheWorkFromTheDelivery);
  CPPUNIT_TEST(noStagingFileStays);
  CPPUNIT_TEST_SUITE_END();

public:
  void receiveGivesAReceipt() {
    const auto reply = lab.put("/a.txt", helloBase64, "<wb:ContentType>text/plain</wb:ContentType>");
    assertSuccess(reply);
    CPPUNIT_ASSERT(has(reply, "https://lab.test:8443/data/"));
    CPPUNIT_ASSERT(has(reply, helloSha256));
    CPPUNIT_ASSERT_EQUAL(std::string("5"), elementText(reply.body, "Size"));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/a.txt"));
  }

  void copyInlineGivesTheBytesBack() {
    assertSuccess(lab.put("/a.txt", helloBase64));
    const auto reply = copy("/a.txt", "Inline");
    assertSuccess(reply);
    CPPUNIT_ASSERT(has(reply, helloBase64));
    CPPUNIT_ASSERT(reply.ended);
  }

  void copyAsMtomAndAsSwA() {
    assertSuccess(lab.put("/a.txt", helloBase64));
    const auto mtom = copy("/a.txt", "MTOM");
    assertSuccess(mtom);
    CPPUNIT_ASSERT(mtom.headers.get("Content-Type").value().find("application/xop+xml") != std::string::npos);
    CPPUNIT_ASSERT(has(mtom, "Include") && has(mtom, "\r\n\r\nhello\r\n--"));
    CPPUNIT_ASSERT_EQUAL(mtom.length.value(), static_cast<std::uint64_t>(mtom.body.size()));
    const auto swa = copy("/a.txt", "SwA");
    assertSuccess(swa);
    CPPUNIT_ASSERT(has(swa, "Attachment>cid:") && has(swa, "\r\n\r\nhello\r\n--"));
  }

  void copyByReferenceOnlyWhenNotSecure() {
    assertSuccess(lab.put("/s.txt", helloBase64));
    assertFault(copy("/s.txt", "Reference"), "NotAllowed");
    assertSuccess(lab.put("/p.txt", helloBase64, "<wb:Secure>false</wb:Secure>"));
    const auto reply = copy("/p.txt", "Reference");
    assertSuccess(reply);
    CPPUNIT_ASSERT(elementText(reply.body, "Href").starts_with("https://lab.test:8443/data/"));
  }

  void attachmentsInAnyOrderRootNotFirst() {
    const auto envelope =
        Lab::envelope("<wb:Receive><wb:Data><wb:Path>/1</wb:Path><wb:Attachment>cid:one</wb:Attachment></wb:Data>"
                      "<wb:Data><wb:Path>/2</wb:Path><wb:Href>two.bin</wb:Href></wb:Data>"
                      "<wb:Data><wb:Path>/3</wb:Path><wb:Content><x:Include "
                      "xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:thr%65e'/>"
                      "</wb:Content></wb:Data></wb:Receive>",
                      lab.token(lab.alice, "Receive"));
    const auto body = part("Content-ID: <three>", "3333") +
                      part("Content-Location: two.bin\r\nContent-Transfer-Encoding: base64", "MjI=") +
                      part("Content-ID: <root>\r\nContent-Type: text/xml", envelope) + part("Content-ID: <one>", "1") +
                      "--b--";
    assertSuccess(lab.post("data", body, "multipart/related; type=\"text/xml\"; start=\"<root>\"; boundary=b"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), contentOf("/1"));
    CPPUNIT_ASSERT_EQUAL(std::string("22"), contentOf("/2"));
    CPPUNIT_ASSERT_EQUAL(std::string("3333"), contentOf("/3"));
  }

  void batchOfAThousand() {
    std::string data;
    std::string parts;
    std::string wanted;
    for (int i = 0; i < 1000; ++i) {
      const auto n = std::to_string(i);
      data += "<wb:Data><wb:Path>/b/" + n + "</wb:Path><wb:Attachment>cid:" + n + "</wb:Attachment></wb:Data>";
      parts += part("Content-ID: <" + n + ">", "content of " + n);
      wanted += dataAt("/b/" + n);
    }
    assertSuccess(lab.post("data",
                           part("Content-Type: text/xml", Lab::envelope("<wb:Receive>" + data + "</wb:Receive>",
                                                                        lab.token(lab.alice, "Receive"))) +
                               parts + "--b--\r\n",
                           "multipart/related; boundary=b"));
    const auto reply =
        lab.post("data", Lab::envelope("<wb:Copy>" + wanted + "</wb:Copy>", lab.token(lab.alice, "Copy")));
    assertSuccess(reply);
    CPPUNIT_ASSERT(has(reply, "\r\n\r\ncontent of 0\r\n") && has(reply, "\r\n\r\ncontent of 999\r\n"));
  }

  void onePartForTwoData() {
    const auto reference = std::string("<wb:Attachment>cid:one</wb:Attachment></wb:Data>");
    assertSuccess(lab.post(
        "data",
        part("Content-Type: text/xml", Lab::envelope("<wb:Receive><wb:Data><wb:Path>/1</wb:Path>" + reference +
                                                         "<wb:Data><wb:Path>/2</wb:Path>" + reference + "</wb:Receive>",
                                                     lab.token(lab.alice, "Receive"))) +
            part("Content-ID: <one>", std::string(200'000, 'x')) + "--b--",
        "multipart/related; boundary=b"));
    CPPUNIT_ASSERT_EQUAL(std::string(200'000, 'x'), contentOf("/1"));
    CPPUNIT_ASSERT_EQUAL(std::string(200'000, 'x'), contentOf("/2"));
  }

  void absentAttachmentFallsOverToReference() {
    const auto id = elementText(lab.put("/a.txt", helloBase64).body, "Id");
    assertSuccess(
        receive("<wb:Path>/b.txt</wb:Path><wb:Href>" + id + "</wb:Href><wb:Attachment>cid:absent</wb:Attachment>"));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/b.txt"));
  }

  void bytesBesideAnAttachmentAreRefused() {
    for (const auto *bytes : {"", "eA=="}) {
      const auto envelope = Lab::envelope("<wb:Receive><wb:Data><wb:Path>/two</wb:Path><wb:Attachment>cid:one</"
                                          "wb:Attachment><wb:Content>" +
                                              std::string(bytes) + "</wb:Content></wb:Data></wb:Receive>",
                                          lab.token(lab.alice, "Receive"));
      assertFault(lab.post("data", part("Content-Type: text/xml", envelope) + part("Content-ID: <one>", "1") + "--b--",
                           "multipart/related; boundary=b"),
                  "InvalidMessage");
      assertNothingAt("/two");
    }
  }

  void unresolvableDataListsWhatWasTried() {
    const auto reply = receive("<wb:Path>/b.txt</wb:Path><wb:Href>https://elsewhere.test/x</"
                               "wb:Href><wb:Attachment>cid:absent</wb:Attachment>");
    assertFault(reply, "UnresolvableData");
    CPPUNIT_ASSERT(has(reply, "cid:absent") && has(reply, "elsewhere.test"));
    assertNothingAt("/b.txt");
    // But not what makes a URL a secret.
    for (const auto *url : {"https://elsewhere.test/lease/s3cret/0", "https://elsewhere.test/x?Signature=s3cret"}) {
      const auto hidden = receive("<wb:Href>" + std::string(url) + "</wb:Href>");
      assertFault(hidden, "UnresolvableData");
      CPPUNIT_ASSERT_MESSAGE(hidden.body, has(hidden, "elsewhere.test") && !has(hidden, "s3cret"));
      assertFault(receive("<wb:Id>" + std::string(url) + "</wb:Id><wb:Token>AAAA</wb:Token>"), "UnresolvableData");
      CPPUNIT_ASSERT(!has(receive("<wb:Id>" + std::string(url) + "</wb:Id><wb:Token>AAAA</wb:Token>"), "s3cret"));
    }
  }

  void missingLastBoundaryStoresNothing() {
    const auto envelope = Lab::envelope(
        "<wb:Receive><wb:Data><wb:Path>/cut</wb:Path><wb:Attachment>cid:one</wb:Attachment></wb:Data></wb:Receive>",
        lab.token(lab.alice, "Receive"));
    for (const auto *tail : {"", "--b", "--b-"}) {
      assertFault(lab.post("data", part("Content-Type: text/xml", envelope) + part("Content-ID: <one>", "1") + tail,
                           "multipart/related; boundary=b"),
                  "InvalidMessage");
      assertNothingAt("/cut");
    }
  }

  void sizeAndDigestThatDoNotMatch() {
    assertFault(lab.put("/a", helloBase64, "<wb:Size>4</wb:Size>"), "DigestMismatch");
    assertFault(lab.put("/a", helloBase64, "<wb:Size>6</wb:Size>"), "DigestMismatch");
    assertFault(lab.put("/a", helloBase64, "<wb:Digest algorithm='sha-256'>" + std::string(64, '0') + "</wb:Digest>"),
                "DigestMismatch");
    assertFault(lab.put("/a", helloBase64, "<wb:Digest algorithm='adler32'>00000000</wb:Digest>"), "DigestMismatch");
    assertNothingAt("/a");
    assertSuccess(lab.put("/a", helloBase64,
                          "<wb:Size>5</wb:Size><wb:Digest algorithm='sha-256'>" + helloSha256 + "</wb:Digest>"));
    assertSuccess(lab.put("/b", helloBase64, "<wb:Digest algorithm='adler32'>062c0215</wb:Digest>"));
  }

  void overwriting() {
    assertSuccess(lab.put("/a", helloBase64));
    assertFault(lab.put("/a", "eA=="), "AlreadyExists");
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/a"));
    const auto before = lab.catalog->objectAt("/a").value();
    assertSuccess(receive("<wb:Path>/a</wb:Path><wb:Content>" + helloBase64 + "</wb:Content>", "IfDifferent"));
    CPPUNIT_ASSERT_EQUAL(before.id, lab.catalog->objectAt("/a").value().id);
    assertSuccess(receive("<wb:Path>/a</wb:Path><wb:Content>eA==</wb:Content>", "IfDifferent"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), contentOf("/a"));
    assertSuccess(receive("<wb:Path>/a</wb:Path><wb:Content>eXk=</wb:Content>", "Always"));
    CPPUNIT_ASSERT_EQUAL(std::string("yy"), contentOf("/a"));
    CPPUNIT_ASSERT_THROW((void)lab.store->open(before.id), Fault);
    assertFault(
        lab.post("data", Lab::envelope("<wb:Receive><wb:Data><wb:Path>/t</wb:Path><wb:Content/></"
                                       "wb:Data><wb:Data><wb:Path>/t</wb:Path><wb:Content/></wb:Data></wb:Receive>",
                                       lab.token(lab.alice, "Receive"))),
        "BadParameter");
  }

  void badPaths() {
    for (const auto &path : std::vector<std::string>{"/../x", "/a/../b", "/a//b", "//a", "/a/", "/", "/a/./b",
                                                     "/" + std::string(4000, 'x'), "/a&#10;b", "/a&#127;b"}) {
      const auto reply = lab.put(path, helloBase64);
      CPPUNIT_ASSERT_MESSAGE(path + ": " + reply.body, reply.status == 500);
      CPPUNIT_ASSERT_MESSAGE(path + ": " + reply.body, has(reply, "BadParameter") || has(reply, "InvalidMessage"));
    }
    assertFault(lab.put("/a&#0;b", helloBase64), "InvalidMessage");
    assertFault(lab.put("/a\xff"
                        "b",
                        helloBase64),
                "InvalidMessage");
    CPPUNIT_ASSERT(lab.catalog->list("/", "", 10).empty());
  }

  void deleteIsAllOrNothing() {
    assertSuccess(lab.put("/a", helloBase64));
    assertSuccess(lab.put("/b", helloBase64));
    assertFault(remove(dataAt("/a") + dataAt("/absent")), "NoSuchData");
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/a"));
    const auto id = lab.catalog->objectAt("/a").value().id;
    assertSuccess(remove(dataAt("/a") + dataAt("/b")));
    assertNothingAt("/a");
    assertNothingAt("/b");
    CPPUNIT_ASSERT_THROW((void)lab.store->open(id), Fault);
  }

  void listInPagesWhileDataComesAndGoes() {
    for (const auto *path : {"/l/b", "/l/d", "/l/f", "/l/h", "/l-not-below"}) {
      assertSuccess(lab.put(path, helloBase64));
    }
    const auto first = list("<wb:Prefix>/l</wb:Prefix><wb:Limit>2</wb:Limit>");
    CPPUNIT_ASSERT(has(first, ">/l/b<") && has(first, ">/l/d<") && !has(first, ">/l/f<"));
    assertSuccess(remove(dataAt("/l/d")));
    assertSuccess(lab.put("/l/a", helloBase64));
    assertSuccess(lab.put("/l/e", helloBase64));
    const auto second = list("<wb:Prefix>/l/</wb:Prefix><wb:Limit>9</wb:Limit><wb:PageToken>" +
                             elementText(first.body, "NextPageToken") + "</wb:PageToken>");
    CPPUNIT_ASSERT(has(second, ">/l/e<") && has(second, ">/l/f<") && has(second, ">/l/h<") && !has(second, ">/l/b<") &&
                   !has(second, ">/l/a<"));
    CPPUNIT_ASSERT(!has(second, "NextPageToken") && !has(second, "not-below"));
    assertFault(list("<wb:PageToken>zz</wb:PageToken>"), "BadParameter");
    assertFault(list("<wb:PageToken>00</wb:PageToken>"), "BadParameter");
  }

  void listShowsOnlyWhatIsAllowed() {
    for (const auto *path : {"/x/1", "/y/1", "/y/2", "/z/1"}) {
      assertSuccess(lab.put(path, helloBase64));
    }
    const test::Party bob{"bob"};
    lab.makeKnown(bob, "bob");
    lab.allow("bob", "list", "/x");
    lab.allow("bob", "list", "/y");
    const auto reply =
        lab.post("data", Lab::envelope("<wb:List><wb:Limit>2</wb:Limit></wb:List>", lab.token(bob, "List")));
    assertSuccess(reply);
    CPPUNIT_ASSERT(has(reply, ">/x/1<") && has(reply, ">/y/1<") && !has(reply, ">/z/1<"));
    const auto next =
        lab.post("data", Lab::envelope("<wb:List><wb:PageToken>" + elementText(reply.body, "NextPageToken") +
                                           "</wb:PageToken></wb:List>",
                                       lab.token(bob, "List")));
    CPPUNIT_ASSERT(has(next, ">/y/2<") && !has(next, ">/x/1<") && !has(next, ">/z/1<"));
    assertFault(lab.post("data", Lab::envelope("<wb:List><wb:Prefix>/z</wb:Prefix></wb:List>", lab.token(bob, "List"))),
                "NotAllowed");
    const auto narrowed = lab.post("data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List", {"/z"})));
    CPPUNIT_ASSERT(has(narrowed, ">/z/1<") && !has(narrowed, ">/x/1<"));
  }

  void describeHasNoBytes() {
    assertSuccess(
        lab.put("/a", helloBase64, "<wb:Metadata><wb:Name>run</wb:Name><wb:Value>7 &lt; 8</wb:Value></wb:Metadata>"));
    const auto reply = lab.post(
        "data", Lab::envelope("<wb:Describe>" + dataAt("/a") + "</wb:Describe>", lab.token(lab.alice, "Describe")));
    assertSuccess(reply);
    CPPUNIT_ASSERT(has(reply, "7 &lt; 8") && has(reply, helloSha256) && has(reply, lab.alice.key.id()) &&
                   !has(reply, helloBase64));
  }

  void expiredDataIsGone() {
    const auto soon = [&] {
      return "<wb:Expires>" + formatUtc(lab.clock.now() + std::chrono::minutes(1)) + "</wb:Expires>";
    };
    assertSuccess(lab.put("/old", helloBase64, soon()));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/old"));
    lab.clock.advance(std::chrono::minutes(2));
    assertFault(copy("/old", "Inline"), "NoSuchData");
    CPPUNIT_ASSERT(!has(list(""), "/old"));
    assertSuccess(lab.put("/old", helloBase64));
    assertSuccess(lab.put("/older", helloBase64, soon()));
    lab.clock.advance(std::chrono::minutes(2));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.manager.removeExpired());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, lab.manager.removeExpired());
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/old"));
  }

  void withoutTokenOrWithAStrangers() {
    assertFault(lab.post("data", Lab::envelope("<wb:List/>")), "NoToken");
    const test::Party stranger{"stranger"};
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", lab.token(stranger, "List"))), "UntrustedKey");
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", "bm90IGEgdG9rZW4=")), "BadToken");
    lab.revokeKey("alice");
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"))), "UntrustedKey");
  }

  void tokenForAnotherOperationPathOrInstance() {
    assertSuccess(lab.put("/a/1", helloBase64));
    assertSuccess(lab.put("/b/1", helloBase64));
    assertFault(
        lab.post("data", Lab::envelope("<wb:Copy>" + dataAt("/a/1") + "</wb:Copy>", lab.token(lab.alice, "Delete"))),
        "NotAllowed");
    assertFault(lab.post("data", Lab::envelope("<wb:Copy>" + dataAt("/b/1") + "</wb:Copy>",
                                               lab.token(lab.alice, "Copy", {"/a"}))),
                "NotAllowed");
    assertSuccess(lab.post(
        "data", Lab::envelope("<wb:Copy>" + dataAt("/a/1") + "</wb:Copy>", lab.token(lab.alice, "Copy", {"/a"}))));
    Lab other;
    auto claims = lab.claims(lab.alice, {"List"});
    claims.audience = other.server.key.id();
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", security::sealToken(claims, lab.alice.key,
                                                                                 other.server.key.certificate()))),
                "BadToken");
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", security::sealToken(claims, lab.alice.key,
                                                                                 lab.server.key.certificate()))),
                "BadToken");
  }

  void tokenShownTwice() {
    const auto message = Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"));
    assertSuccess(lab.post("data", message));
    assertFault(lab.post("data", message), "TokenReplayed");
  }

  void replayCanBeMetWithSilence() {
    services::Config config;
    config.replay = services::ReplayAnswer::Silence;
    Lab silent(config);
    const auto message = Lab::envelope("<wb:List/>", silent.token(silent.alice, "List"));
    assertSuccess(silent.post("data", message));
    const auto again = silent.post("data", message);
    CPPUNIT_ASSERT_EQUAL(202, again.status);
    CPPUNIT_ASSERT_EQUAL(std::string(), again.body);
  }

  void tokenShownByThirtyTwoThreadsAtOnce() {
    const auto token = lab.token(lab.alice, "Receive");
    std::vector<RecordedResponse> replies(32);
    std::latch start(static_cast<std::ptrdiff_t>(replies.size()));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto path = "/t/" + std::to_string(i);
        // Half of them are messages of their own, half have no MessageID at all.
        const auto headers = i % 2 == 0 ? std::string() : addressed("Receive", std::to_string(i));
        const auto message = Lab::envelope("<wb:Receive><wb:Data><wb:Path>" + path +
                                               "</wb:Path><wb:Content>eA==</wb:Content></wb:Data></wb:Receive>",
                                           token, headers);
        start.arrive_and_wait();
        replies[i] = lab.post("data", message);
      });
    }
    threads.clear();
    std::size_t won = 0;
    for (const auto &reply : replies) {
      if (reply.status == 200) {
        ++won;
      } else {
        assertFault(reply, "TokenReplayed");
      }
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, won);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.catalog->list("/t", "", 100).size());
  }

  void sameMessageWhileTheFirstIsAtWork() {
    const auto message = Lab::envelope("<wb:Receive><wb:Data><wb:Path>/w</wb:Path><wb:Attachment>cid:one"
                                       "</wb:Attachment></wb:Data></wb:Receive>",
                                       lab.token(lab.alice, "Receive"), addressed("Receive", "w"));
    const auto whole = part("Content-Type: text/xml", message) + part("Content-ID: <one>", "1") + "--b--";
    std::optional<RecordedResponse> second;
    std::optional<RecordedResponse> third;
    std::jthread waiting;
    // The first attempt stands still before its attachment; meanwhile the same message comes twice.
    PausedSource body(whole, whole.find("Content-ID: <one>"), [&] {
      second = lab.post("data", whole, "multipart/related; boundary=b");
      waiting = std::jthread([&] {
        do {
          third = lab.post("data", whole, "multipart/related; boundary=b");
        } while (has(*third, "Busy"));
      });
    });
    const auto first = lab.post("data", body, "multipart/related; boundary=b");
    waiting.join();
    assertSuccess(first);
    assertFault(second.value(), "Busy");
    assertSuccess(third.value());
    CPPUNIT_ASSERT_EQUAL(elementText(first.body, "Id"), elementText(third->body, "Id"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.catalog->list("/w", "", 100).size());
  }

  void receiptOutlivesItsToken() {
    const auto body = "<wb:Receive><wb:Data><wb:Path>/o</wb:Path><wb:Content>eA==</wb:Content></wb:Data></wb:Receive>";
    const auto token = lab.token(lab.alice, "Receive");
    const auto first = lab.post("data", Lab::envelope(body, token, addressed("Receive", "o")));
    assertSuccess(first);
    lab.clock.advance(std::chrono::minutes(60));
    lab.ledger.prune(lab.clock.now());
    const auto again = lab.post("data", Lab::envelope(body, token, addressed("Receive", "o")));
    assertSuccess(again);
    CPPUNIT_ASSERT_EQUAL(elementText(first.body, "Id"), elementText(again.body, "Id"));
    assertFault(lab.post("data", Lab::envelope(body, token, addressed("Receive", "other"))), "TokenExpired");
    assertFault(lab.post("data", Lab::envelope(body, token)), "TokenExpired");
    assertFault(lab.post("data", Lab::envelope(body, lab.token(lab.alice, "Receive"), addressed("Receive", "o"))),
                "AlreadyExists"); // another token is another call
    lab.revokeKey("alice");
    assertFault(lab.post("data", Lab::envelope(body, token, addressed("Receive", "o"))), "UntrustedKey");
  }

  void aCutDownloadIsGoodForThatDownloadAlone() {
    assertSuccess(lab.put("/a.txt", helloBase64));
    assertSuccess(lab.put("/b.txt", "Ynll"));
    const auto token = lab.token(lab.alice, "Copy");
    const auto message = [&](const std::string &path) {
      return Lab::envelope("<wb:Copy>" + dataAt(path) + "<wb:Attach>MTOM</wb:Attach></wb:Copy>", token);
    };
    const auto cut = lab.postToClosedPeer("data", message("/a.txt"), "hello");
    CPPUNIT_ASSERT_MESSAGE(cut.body, has(cut, "hello") && !cut.ended);
    assertFault(lab.post("data", message("/b.txt")), "TokenReplayed");
    assertFault(lab.post("data", Lab::envelope("<wb:Copy>" + dataAt("/a.txt") + "</wb:Copy>", token)), "TokenReplayed");
    const auto again = lab.post("data", message("/a.txt"));
    assertSuccess(again);
    CPPUNIT_ASSERT(has(again, "hello") && again.ended);
    assertFault(lab.post("data", message("/a.txt")), "TokenReplayed");
  }

  void failedCallLeavesTheTokenUsable() {
    const auto token = lab.token(lab.alice, "Receive");
    const auto good = Lab::envelope(
        "<wb:Receive><wb:Data><wb:Path>/r</wb:Path><wb:Attachment>cid:one</wb:Attachment></wb:Data></wb:Receive>",
        token);
    const auto whole = part("Content-Type: text/xml", good) + part("Content-ID: <one>", "1") + "--b--";
    assertFault(lab.post("data", whole.substr(0, whole.size() - 6), "multipart/related; boundary=b"), "InvalidMessage");
    assertSuccess(lab.post("data", whole, "multipart/related; boundary=b"));
    assertFault(lab.post("data", whole, "multipart/related; boundary=b"), "TokenReplayed");
  }

  void sameMessageAgainGetsTheFirstReceipt() {
    const auto headers = "<wsa:MessageID>urn:uuid:1</wsa:MessageID><wsa:Action>urn:waybill:1/Receive</wsa:Action>";
    const auto token = lab.token(lab.alice, "Receive");
    const auto body = "<wb:Receive><wb:Data><wb:Path>/m</wb:Path><wb:Content>eA==</wb:Content></wb:Data></wb:Receive>";
    const auto first = lab.post("data", Lab::envelope(body, token, headers));
    assertSuccess(first);
    const auto second = lab.post("data", Lab::envelope(body, token, headers));
    assertSuccess(second);
    CPPUNIT_ASSERT_EQUAL(elementText(first.body, "Id"), elementText(second.body, "Id"));
    assertFault(
        lab.post(
            "data",
            Lab::envelope(body, token,
                          "<wsa:MessageID>urn:uuid:2</wsa:MessageID><wsa:Action>urn:waybill:1/Receive</wsa:Action>")),
        "TokenReplayed");
  }

  void sameMessageIdWithAnotherBodyIsReplayed() {
    const auto token = lab.token(lab.alice, "Receive");
    const auto send = [&](const std::string &path, const std::string &partId) {
      const auto envelope =
          Lab::envelope("<wb:Receive><wb:Data> <wb:Path>" + path + "</wb:Path><wb:Attachment>cid:" + partId +
                            "</wb:Attachment></wb:Data></wb:Receive>",
                        token, addressed("Receive", "1"));
      return lab.post("data",
                      part("Content-Type: text/xml", envelope) + part("Content-ID: <" + partId + ">", "1") + "--b--",
                      "multipart/related; boundary=b");
    };
    const auto first = send("/m1", "one");
    assertSuccess(first);
    const auto other = send("/m2", "one");
    assertFault(other, "TokenReplayed");
    CPPUNIT_ASSERT(has(other, "asked for something else"));
    assertNothingAt("/m2");
    const auto packedAnew = send("/m1", "two");
    assertSuccess(packedAnew);
    CPPUNIT_ASSERT_EQUAL(elementText(first.body, "Id"), elementText(packedAnew.body, "Id"));
    lab.clock.advance(std::chrono::minutes(30)); // past the end of the token
    assertFault(send("/m2", "one"), "TokenExpired");
    assertSuccess(send("/m1", "one"));
  }

  void addressingOfTheReply() {
    const auto reply = lab.post(
        "data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"),
                              "<wsa:MessageID>urn:uuid:7</wsa:MessageID><wsa:Action>urn:waybill:1/List</wsa:Action>"
                              "<wsa:To>https://lab.test:8443/services/data</wsa:To>"
                              "<wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address>"
                              "<wsa:ReferenceParameters><k:K xmlns:k='urn:k' a='1 &amp; "
                              "2'>v</k:K></wsa:ReferenceParameters></wsa:ReplyTo>"));
    assertSuccess(reply);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:7"), elementText(reply.body, "RelatesTo"));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/ListResponse"), elementText(reply.body, "Action"));
    CPPUNIT_ASSERT(has(reply, "urn:k") && has(reply, "1 &amp; 2") && has(reply, "IsReferenceParameter=\"true\""));
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"),
                                               "<wsa:MessageID>urn:uuid:8</wsa:MessageID>")),
                "MessageAddressingHeaderRequired");
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"),
                                               "<wsa:MessageID>urn:uuid:9</wsa:MessageID>"
                                               "<wsa:Action>urn:waybill:1/List</wsa:Action>"
                                               "<wsa:To>https://lab.test:8443/elsewhere</wsa:To>")),
                "DestinationUnreachable");
  }

  void replyToWhereNothingMayGoIsRefused() {
    for (const auto *header : {"ReplyTo", "FaultTo"}) {
      const auto name = "wsa:" + std::string(header);
      assertFault(
          lab.post("data", Lab::envelope(
                               "<wb:List/>", lab.token(lab.alice, "List"),
                               "<wsa:MessageID>urn:uuid:8</wsa:MessageID><wsa:Action>urn:waybill:1/List</wsa:Action><" +
                                   name + "><wsa:Address>https://elsewhere.test/</wsa:Address></" + name + ">")),
          "AddressNotAllowed");
    }
    CPPUNIT_ASSERT(
        lab.catalog->transfers(storage::TransferKind::Transfer, std::nullopt, std::nullopt, std::nullopt, 10).empty());
  }

  void replyToNone() {
    const auto reply = lab.post(
        "data",
        Lab::envelope("<wb:Receive><wb:Data><wb:Path>/n</wb:Path><wb:Content>eA==</wb:Content></wb:Data></wb:Receive>",
                      lab.token(lab.alice, "Receive"),
                      "<wsa:Action>urn:waybill:1/Receive</wsa:Action><wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/"
                      "08/addressing/none</wsa:Address></wsa:ReplyTo>"));
    CPPUNIT_ASSERT_EQUAL(202, reply.status);
    CPPUNIT_ASSERT_EQUAL(std::string(), reply.body);
    CPPUNIT_ASSERT_EQUAL(std::string("x"), contentOf("/n"));
  }

  void actionsThatDisagree() {
    const auto envelope = [&] { return Lab::envelope("<wb:List/>", lab.token(lab.alice, "List")); };
    assertFault(lab.post("data", envelope(), "text/xml", {{"SOAPAction", "\"urn:waybill:1/Copy\""}}), "SOAPAction");
    assertSuccess(lab.post("data", envelope(), "text/xml", {{"SOAPAction", "\"urn:waybill:1/List\""}}));
    assertSuccess(lab.post("data", envelope(), "text/xml", {{"SOAPAction", "\"\""}}));
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"),
                                               "<wsa:Action>urn:waybill:1/Copy</wsa:Action>")),
                "ActionMismatch");
  }

  void unknownOperationAndWrongNamespace() {
    const auto unknown = lab.post("data", Lab::envelope("<wb:Fly/>", lab.token(lab.alice, "List")));
    assertFault(unknown, "InvalidMessage");
    CPPUNIT_ASSERT(has(unknown, "Fly") && has(unknown, "Receive"));
    assertFault(lab.post("data", Lab::envelope("<List xmlns='urn:other'/>")), "InvalidMessage");
    assertFault(lab.post("data", Lab::envelope("<wb:Grant/>")), "InvalidMessage");
    assertFault(lab.post("data", "this is not XML"), "InvalidMessage");
    assertFault(lab.post("data", Lab::envelope("<wb:List/>"), "application/json"), "InvalidMessage");
  }

  void schemaFaultNamesElementAndLine() {
    const auto reply = lab.post("data", Lab::envelope("<wb:Copy>\n<wb:Data>\n<wb:Pth>/a</wb:Pth></wb:Data></wb:Copy>"));
    assertFault(reply, "InvalidMessage");
    CPPUNIT_ASSERT_MESSAGE(reply.body, has(reply, "Pth") && has(reply, "line 3"));
  }

  void mustUnderstand() {
    assertFault(lab.post("data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"),
                                               "<x:Odd xmlns:x='urn:x' s:mustUnderstand='1'/>")),
                "MustUnderstand");
    assertSuccess(
        lab.post("data", Lab::envelope("<wb:List/>", lab.token(lab.alice, "List"), "<x:Odd xmlns:x='urn:x'/>")));
  }

  void refusedUploadIsNotRead() {
    struct Endless final : Source {
      explicit Endless(std::string text) : head(std::move(text)) {}
      std::size_t read(std::span<std::byte> into) override {
        if (const auto count = head.read(into)) {
          return count;
        }
        served += into.size();
        CPPUNIT_ASSERT_MESSAGE("a refused upload is being read", served < 4U << 20U);
        return into.size();
      }
      StringSource head;
      std::uint64_t served = 0;
    };
    const test::Party stranger{"stranger"};
    Endless body(part("Content-Type: text/xml",
                      Lab::envelope("<wb:Receive><wb:Data><wb:Path>/e</wb:Path><wb:Attachment>cid:one</wb:Attachment></"
                                    "wb:Data></wb:Receive>",
                                    lab.token(stranger, "Receive"))) +
                 "--b\r\nContent-ID: <one>\r\n\r\n");
    transport::Request request;
    request.method = "POST";
    request.path = "/services/data";
    request.headers = {{"Host", "lab.test"}, {"Content-Type", "multipart/related; boundary=b"}};
    request.body = &body;
    RecordedResponse response;
    lab.dataEndpoint.handle(request, response);
    assertFault(response, "UntrustedKey");
  }

  void publicDataByHttp() {
    assertSuccess(
        lab.put("/p.txt", helloBase64, "<wb:ContentType>text/plain</wb:ContentType><wb:Secure>false</wb:Secure>"));
    const auto path = "/data/" + lab.catalog->objectAt("/p.txt").value().id;
    const auto whole = lab.get(path, {{"Want-Digest", "SHA-256, adler32"}});
    CPPUNIT_ASSERT_EQUAL(200, whole.status);
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), whole.body);
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), whole.headers.get("content-type").value());
    CPPUNIT_ASSERT_EQUAL("\"" + helloSha256 + "\"", whole.headers.get("ETag").value());
    CPPUNIT_ASSERT_EQUAL(std::string("sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=,adler32=062c0215"),
                         whole.headers.get("Digest").value());
    const auto part = lab.get(path, {{"Range", "bytes=1-3"}});
    CPPUNIT_ASSERT_EQUAL(206, part.status);
    CPPUNIT_ASSERT_EQUAL(std::string("ell"), part.body);
    CPPUNIT_ASSERT_EQUAL(std::string("bytes 1-3/5"), part.headers.get("Content-Range").value());
    CPPUNIT_ASSERT_EQUAL(std::string("sandbox"), whole.headers.get("Content-Security-Policy").value());
    CPPUNIT_ASSERT_EQUAL(std::string("sandbox"), part.headers.get("Content-Security-Policy").value());
    CPPUNIT_ASSERT_EQUAL(206, lab.get(path, {{"Range", "Bytes=1-3"}}).status);
    CPPUNIT_ASSERT_EQUAL(416, lab.get(path, {{"Range", "bytes=9-"}}).status);
    CPPUNIT_ASSERT_EQUAL(416, lab.get(path, {{"Range", "bytes=99999999999999999999-"}}).status);
    CPPUNIT_ASSERT_EQUAL(200, lab.get(path, {{"Range", "bytes=1-3"}, {"If-Range", "\"other\""}}).status);
    CPPUNIT_ASSERT_EQUAL(304, lab.get(path, {{"If-None-Match", "\"" + helloSha256 + "\""}}).status);
    for (const auto *range : {"", "bytes=1-3", "bytes=9-"}) { // a Range counts for GET alone
      const auto head = lab.get(path, {{"Range", range}}, "HEAD");
      CPPUNIT_ASSERT_EQUAL(200, head.status);
      CPPUNIT_ASSERT_EQUAL(std::string(), head.body);
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{5}, head.length.value());
    }
    CPPUNIT_ASSERT_EQUAL(405, lab.get(path, {}, "PUT").status);
  }

  void secureDataLooksLikeNoData() {
    assertSuccess(lab.put("/s.txt", helloBase64));
    const auto secure = lab.get("/data/" + lab.catalog->objectAt("/s.txt").value().id);
    const auto absent = lab.get("/data/" + std::string(32, '0'));
    const auto malformed = lab.get("/data/../catalog.sqlite");
    const auto notText = lab.get("/data/" + std::string(32, '\xff'));
    const auto asked = lab.get("/data/" + lab.catalog->objectAt("/s.txt").value().id,
                               {{"Range", "bytes=1-"}, {"Want-Digest", "sha-256"}, {"If-None-Match", "*"}});
    const auto butDate = [](const RecordedResponse &reply) {
      auto fields = reply.headers.all();
      std::erase_if(fields, [](const auto &field) { return field.first == "Date"; });
      return fields;
    };
    for (const auto *reply : {&secure, &absent, &malformed, &notText, &asked}) {
      CPPUNIT_ASSERT_EQUAL(404, reply->status);
      CPPUNIT_ASSERT_EQUAL(absent.body, reply->body);
      CPPUNIT_ASSERT(butDate(absent) == butDate(*reply));
    }
  }

  void malformedHostIsABadRequest() {
    for (const auto &[host, status] : {std::pair{"lab.test:8443", 200}, {"lab.test/<x>", 400}, {"", 400}}) {
      transport::Request request;
      request.method = "GET";
      request.path = "/services/data";
      request.query = "wsdl";
      request.headers = {{"Host", host}};
      RecordedResponse response;
      lab.dataEndpoint.handle(request, response);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(host, status, response.status);
    }
  }

  void accessServiceNeedsAnAdministrator() {
    const auto open = lab.post("access", Lab::envelope("<wb:GetInstance/>"));
    assertSuccess(open);
    CPPUNIT_ASSERT(has(open, lab.server.key.id()) && has(open, "BEGIN CERTIFICATE") &&
                   has(open, "https://lab.test:8443/services/data"));
    assertFault(lab.post("access", Lab::envelope("<wb:ListKeys/>", lab.token(lab.alice, "ListKeys"))), "NotAllowed");
    assertFault(lab.post("access", Lab::envelope("<wb:ListKeys/>")), "NoToken");
    const auto own = lab.post("access", Lab::envelope("<wb:ListGrants/>", lab.token(lab.alice, "ListGrants")));
    assertSuccess(own);
    CPPUNIT_ASSERT(has(own, lab.alice.key.id()));
  }

  void administratorTrustsGrantsAndRevokes() {
    const test::Party bob{"bob"};
    assertSuccess(lab.post("access", Lab::envelope("<wb:TrustKey><wb:Certificate>" + bob.key.certificate().pem() +
                                                       "</wb:Certificate><wb:Alias>bob</wb:Alias></wb:TrustKey>",
                                                   lab.token(lab.server, "TrustKey"))));
    const auto listNow = [&] { return lab.post("data", Lab::envelope("<wb:List/>", lab.token(bob, "List"))); };
    assertFault(listNow(), "NotAllowed");
    const auto granted = lab.post(
        "access",
        Lab::envelope(
            "<wb:Grant><wb:Principal>bob</wb:Principal><wb:Rights>list</wb:Rights><wb:Prefix>/</wb:Prefix></wb:Grant>",
            lab.token(lab.server, "Grant")));
    assertSuccess(granted);
    assertSuccess(listNow());
    const auto id = lab.catalog->grantsOf(bob.key.id()).at(0).id;
    assertSuccess(lab.post("access", Lab::envelope("<wb:Revoke><wb:Grant>" + id + "</wb:Grant></wb:Revoke>",
                                                   lab.token(lab.server, "Revoke"))));
    assertFault(listNow(), "NotAllowed");
    assertSuccess(lab.post("access", Lab::envelope("<wb:RevokeKey><wb:Key>bob</wb:Key></wb:RevokeKey>",
                                                   lab.token(lab.server, "RevokeKey"))));
    assertFault(listNow(), "UntrustedKey");
    assertSuccess(lab.post("access", Lab::envelope("<wb:ListKeys/>", lab.token(lab.server, "ListKeys"))));
  }

  void sameAccessMessageAgainGetsTheFirstReceipt() {
    const auto twice = [&](const std::string &operation, const std::string &body) {
      const auto message =
          Lab::envelope("<wb:" + operation + ">" + body + "</wb:" + operation + ">", lab.token(lab.server, operation),
                        "<wsa:MessageID>urn:uuid:" + operation + "</wsa:MessageID><wsa:Action>urn:waybill:1/" +
                            operation + "</wsa:Action>");
      const auto first = lab.post("access", message);
      assertSuccess(first);
      const auto second = lab.post("access", message);
      assertSuccess(second);
      const auto response = "<wb:" + operation + "Response";
      CPPUNIT_ASSERT_MESSAGE(first.body, has(first, response));
      CPPUNIT_ASSERT_EQUAL(first.body.substr(first.body.find(response)),
                           second.body.substr(second.body.find(response)));
    };
    const test::Party bob{"bob"};
    twice("TrustKey", "<wb:Certificate>" + bob.key.certificate().pem() + "</wb:Certificate><wb:Alias>bob</wb:Alias>");
    twice("Grant", "<wb:Principal>bob</wb:Principal><wb:Rights>list</wb:Rights><wb:Prefix>/</wb:Prefix>");
    const auto grants = lab.catalog->grantsOf(bob.key.id());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, grants.size());
    twice("Revoke", "<wb:Grant>" + grants.at(0).id + "</wb:Grant>");
    twice("RevokeKey", "<wb:Key>bob</wb:Key>");
    CPPUNIT_ASSERT(lab.catalog->key("bob")->revoked);
  }

  void accessChangeAndSpentTokenAreOneCommit() {
    const auto call = [&](const std::string &operation) {
      services::Call made;
      made.operation = operation;
      made.principal = {lab.server.key.id(), std::nullopt};
      made.claims = lab.claims(lab.server, {operation});
      made.reservation.emplace(std::get<security::Reservation>(
          lab.ledger.reserve(made.claims, {format(made.principal), operation, {}, ""})));
      return made;
    };
    const auto before = lab.catalog->grants();
    const auto refused = [&](const auto &work) {
      try {
        work();
        CPPUNIT_FAIL("a call whose token cannot be spent has succeeded");
      } catch (const Fault &fault) {
        CPPUNIT_ASSERT_EQUAL(std::string("TokenReplayed"), std::string(name(fault.code())));
      }
      CPPUNIT_ASSERT(lab.catalog->grants() == before);
      CPPUNIT_ASSERT(!lab.catalog->key("alice")->revoked);
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lab.catalog->keys().size());
    };
    auto grant = call("Grant");
    auto revoke = call("Revoke");
    auto trustKey = call("TrustKey");
    auto revokeKey = call("RevokeKey");
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, lab.ledger.recover()); // takes the tokens away from under the calls
    refused([&] { (void)lab.access.grant(grant, {"alice", {Right::Read}, "/", std::nullopt}); });
    refused([&] { (void)lab.access.revoke(revoke, {before.at(0).id}); });
    refused([&] { (void)lab.access.trustKey(trustKey, {lab.server.key.certificate().pem(), "x", std::nullopt}); });
    refused([&] { (void)lab.access.revokeKey(revokeKey, {"alice"}); });
  }

  void auditHasALineForEachOperation() {
    assertSuccess(lab.put("/a", helloBase64));
    assertFault(lab.put("/a", helloBase64), "AlreadyExists");
    std::ifstream file(lab.home.path() + "/audit.log");
    std::string first;
    std::string second;
    CPPUNIT_ASSERT(std::getline(file, first) && std::getline(file, second));
    CPPUNIT_ASSERT(first.find("\"outcome\":\"Success\"") != std::string::npos &&
                   first.find("\"subjects\":[\"/a\"]") != std::string::npos);
    CPPUNIT_ASSERT(first.find(lab.alice.key.id()) != std::string::npos &&
                   first.find("\"bytes_in\":5") != std::string::npos);
    CPPUNIT_ASSERT(second.find("\"outcome\":\"AlreadyExists\"") != std::string::npos);
  }

  void auditTellsTheWorkFromTheDelivery() {
    const auto message = [&] {
      return Lab::envelope(
          "<wb:Receive><wb:Data><wb:Path>/a</wb:Path><wb:Content>aGVsbG8=</wb:Content></wb:Data></wb:Receive>",
          lab.token(lab.alice, "Receive"));
    };
    CPPUNIT_ASSERT(!lab.postToClosedPeer("data", message(), "ReceiveResponse").ended);
    CPPUNIT_ASSERT(!lab.postToClosedPeer("data", message(), "AlreadyExists").ended);
    std::ifstream file(lab.home.path() + "/audit.log");
    std::string first;
    std::string second;
    std::string third;
    CPPUNIT_ASSERT(std::getline(file, first) && std::getline(file, second) && !std::getline(file, third));
    const auto says = [](const std::string &line, const char *text) { return line.find(text) != std::string::npos; };
    CPPUNIT_ASSERT_MESSAGE(first, says(first, "\"outcome\":\"Success\"") &&
                                      says(first, "\"undelivered\":\"InvalidMessage: the peer"));
    CPPUNIT_ASSERT_MESSAGE(second, says(second, "\"outcome\":\"AlreadyExists\"") &&
                                       says(second, "\"undelivered\":\"InvalidMessage: the peer"));
  }

  void noStagingFileStays() {
    assertSuccess(lab.put("/a", helloBase64));
    assertFault(lab.put("/a", helloBase64), "AlreadyExists");
    assertFault(lab.put("/b", helloBase64, "<wb:Size>4</wb:Size>"), "DigestMismatch");
    CPPUNIT_ASSERT(std::filesystem::is_empty(lab.home.path() + "/staging"));
  }

private:
  static std::string part(const std::string &headers, const std::string &body) {
    return "--b\r\n" + headers + "\r\n\r\n" + body + "\r\n";
  }

  RecordedResponse copy(const std::string &path, const std::string &how) {
    return lab.post("data", Lab::envelope("<wb:Copy>" + dataAt(path) + "<wb:Attach>" + how + "</wb:Attach></wb:Copy>",
                                          lab.token(lab.alice, "Copy")));
  }
  RecordedResponse receive(const std::string &fields, const std::string &overwrite = "Never") {
    return lab.post("data", Lab::envelope("<wb:Receive><wb:Data>" + fields + "</wb:Data><wb:Overwrite>" + overwrite +
                                              "</wb:Overwrite></wb:Receive>",
                                          lab.token(lab.alice, "Receive")));
  }
  RecordedResponse remove(const std::string &data) {
    return lab.post("data", Lab::envelope("<wb:Delete>" + data + "</wb:Delete>", lab.token(lab.alice, "Delete")));
  }
  RecordedResponse list(const std::string &fields) {
    return lab.post("data", Lab::envelope("<wb:List>" + fields + "</wb:List>", lab.token(lab.alice, "List")));
  }

  std::string contentOf(const std::string &path) {
    const auto row = lab.catalog->objectAt(path);
    CPPUNIT_ASSERT_MESSAGE(path, row.has_value());
    auto content = lab.store->open(row->id);
    return readAll(*content, 1U << 20U, path);
  }
  void assertNothingAt(const std::string &path) { CPPUNIT_ASSERT_MESSAGE(path, !lab.catalog->objectAt(path)); }

  Lab lab;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExchangeTest);

} // namespace
