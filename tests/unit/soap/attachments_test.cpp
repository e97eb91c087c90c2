// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/attachments.hpp"

#include "message_support.hpp"
#include "soap/incoming_message.hpp"
#include "soap/part_keeper.hpp"

namespace waybill::soap {
namespace {

using test::ChunkSource;
using test::CountingSpool;
using test::everything;
using test::expectFault;
using test::randomBytes;

std::string part(const std::string &fields, const std::string &bytes) {
  return "--b\r\n" + fields + "\r\n\r\n" + bytes + "\r\n";
}
std::string withId(const std::string &id, const std::string &bytes) { return part("Content-ID: <" + id + ">", bytes); }

const std::string root = part("Content-Type: text/xml\r\nContent-ID: <root>", "<E/>");

/// A message that is being read, with what it is read from.
struct Reading {
  explicit Reading(const std::string &parts, const Limits &limits = {}, const std::string &parameters = "")
      : body(parts + "--b--\r\n"),
        message(IncomingMessage::read("multipart/related; boundary=b" + parameters, body, limits, spool.spool())) {}

  Attachments &attachments() { return *message.attachments; }
  std::string bytes(const std::string &reference) {
    const auto source = attachments().open(reference);
    CPPUNIT_ASSERT_MESSAGE(reference, source);
    return everything(*source);
  }
  bool has(const std::string &reference) { return attachments().open(reference) != nullptr; }

  CountingSpool spool;
  ChunkSource body;
  IncomingMessage message;
};

class AttachmentsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AttachmentsTest);
  CPPUNIT_TEST(opensPartsInOrderWithoutKeepingThem);
  CPPUNIT_TEST(opensPartsInAnyOrder);
  CPPUNIT_TEST(opensPartsThatComeBeforeTheRoot);
  CPPUNIT_TEST(decodesPercentEscapesOfCid);
  CPPUNIT_TEST(findsByLocationAndPlainId);
  CPPUNIT_TEST(prefersTheContentIdThatCidNames);
  CPPUNIT_TEST(givesNothingForAnAbsentPart);
  CPPUNIT_TEST(opensWithoutHavingBeenTold);
  CPPUNIT_TEST(tellsWhatTheHeaderSaid);
  CPPUNIT_TEST(opensAKeptPartAgain);
  CPPUNIT_TEST(keepsAPartThatHasTwoReferences);
  CPPUNIT_TEST(keepsAPartThatIsWantedTwice);
  CPPUNIT_TEST(passesOnAPartThatOneReferenceNamesTwice);
  CPPUNIT_TEST(refusesAPassedOnPartASecondTime);
  CPPUNIT_TEST(refusesToReadAnOldSource);
  CPPUNIT_TEST(opensInlineBytes);
  CPPUNIT_TEST(prefersInlineBytesToAPartOfThatId);
  CPPUNIT_TEST(keepsSmallPartsInMemoryAndLargeOnesInFewFiles);
  CPPUNIT_TEST(limitsWhatComesEarly);
  CPPUNIT_TEST(limitsWhatComesBeforeTheRoot);
  CPPUNIT_TEST(limitsWhatComesBeforeTheToken);
  CPPUNIT_TEST(limitsWhatMessagesWithoutTokenKeepTogether);
  CPPUNIT_TEST(limitsWhatNobodyRefersTo);
  CPPUNIT_TEST(limitsTheNamesItRemembers);
  CPPUNIT_TEST(dropsEarlyPartsThatNobodyWants);
  CPPUNIT_TEST(finishesOverAllThatIsLeft);
  CPPUNIT_TEST(refusesACutMessageAtFinish);
  CPPUNIT_TEST(needsASpoolOnlyWhenItKeepsMuch);
  CPPUNIT_TEST(reopensAtAnOffset);
  CPPUNIT_TEST_SUITE_END();

  void opensPartsInOrderWithoutKeepingThem() {
    std::string parts = root;
    std::multiset<std::string> references;
    const std::string big(70'000, 'x');
    for (int i = 0; i < 1000; ++i) {
      parts += withId(std::to_string(i) + "@x", big + std::to_string(i));
      references.insert("cid:" + std::to_string(i) + "@x");
    }
    Limits limits;
    limits.earlyBytes = 0;
    Reading reading(parts, limits);
    reading.attachments().want(references);
    for (int i = 0; i < 1000; ++i) {
      CPPUNIT_ASSERT(big + std::to_string(i) == reading.bytes("cid:" + std::to_string(i) + "@x"));
    }
    reading.attachments().finish();
    CPPUNIT_ASSERT_EQUAL(0, reading.spool.files);
  }

  void opensPartsInAnyOrder() {
    std::mt19937 random(4);
    std::vector<std::string> sent;
    std::string parts = root;
    std::multiset<std::string> references;
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < 200; ++i) {
      sent.push_back(randomBytes(random() % (i % 10 == 0 ? 300'000 : 3000), static_cast<unsigned>(i)));
      parts += withId(std::to_string(i), sent.back());
      references.insert("cid:" + std::to_string(i));
      order.push_back(i);
    }
    std::shuffle(order.begin(), order.end(), random);
    Reading reading(parts);
    reading.attachments().want(references);
    for (const auto i : order) {
      CPPUNIT_ASSERT(sent[i] == reading.bytes("cid:" + std::to_string(i)));
    }
    reading.attachments().finish();
    CPPUNIT_ASSERT_EQUAL(1, reading.spool.files);
  }

  void opensPartsThatComeBeforeTheRoot() {
    const auto large = randomBytes(100'000, 1);
    Reading reading(withId("a", "early") + withId("large", large) + root + withId("b", "late"), {},
                    "; start=\"<root>\"");
    CPPUNIT_ASSERT_EQUAL(std::string("<E/>"), reading.message.root);
    reading.attachments().want({"cid:b", "cid:a", "cid:large"});
    CPPUNIT_ASSERT_EQUAL(std::string("late"), reading.bytes("cid:b"));
    CPPUNIT_ASSERT(large == reading.bytes("cid:large"));
    CPPUNIT_ASSERT_EQUAL(std::string("early"), reading.bytes("cid:a"));
    reading.attachments().finish();
  }

  void decodesPercentEscapesOfCid() {
    Reading reading(root + withId("http://x/a b%@y", "1") + withId("100%", "2"));
    reading.attachments().want({"cid:http%3A%2f%2fx/a%20b%25%40y", "CID:100%"});
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("cid:http%3A%2f%2fx/a%20b%25%40y"));
    CPPUNIT_ASSERT_EQUAL(std::string("2"), reading.bytes("CID:100%"));
  }

  void findsByLocationAndPlainId() {
    Reading reading(root + part("Content-Location: http://x/a.bin", "1") + part("Content-Location: img/b", "2") +
                    withId("plain", "3") + withId("cid:odd", "4") + part("Content-Location: /c", "5") +
                    part("Content-Location: thismessage:/d", "6"));
    const std::multiset<std::string> references{"http://x/a.bin", "./img/b", "plain", "cid:odd", "thismessage:/c", "d"};
    reading.attachments().want(references);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("http://x/a.bin"));
    CPPUNIT_ASSERT_EQUAL(std::string("2"), reading.bytes("./img/b"));
    CPPUNIT_ASSERT_EQUAL(std::string("3"), reading.bytes("plain"));
    CPPUNIT_ASSERT_EQUAL(std::string("4"), reading.bytes("cid:odd"));
    CPPUNIT_ASSERT_EQUAL(std::string("5"), reading.bytes("thismessage:/c"));
    CPPUNIT_ASSERT_EQUAL(std::string("6"), reading.bytes("d"));
  }

  void prefersTheContentIdThatCidNames() {
    Reading reading(root + part("Content-Location: cid:a", "location") + withId("a", "id"));
    reading.attachments().want({"cid:a", "cid:none"});
    CPPUNIT_ASSERT(!reading.has("cid:none"));
    CPPUNIT_ASSERT_EQUAL(std::string("id"), reading.bytes("cid:a"));
  }

  void givesNothingForAnAbsentPart() {
    Reading reading(root + withId("a", "1"));
    reading.attachments().want({"cid:a", "cid:A", "https://x/y"});
    CPPUNIT_ASSERT(!reading.has("https://x/y"));
    CPPUNIT_ASSERT(!reading.has("cid:A"));
    CPPUNIT_ASSERT(!reading.has(""));
    CPPUNIT_ASSERT(!reading.has("cid:"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("cid:a"));
    reading.attachments().finish();
  }

  void opensWithoutHavingBeenTold() {
    Reading reading(root + withId("a", "1") + withId("b", "2"));
    CPPUNIT_ASSERT_EQUAL(std::string("2"), reading.bytes("cid:b"));
    CPPUNIT_ASSERT(!reading.has("cid:a"));
  }

  void tellsWhatTheHeaderSaid() {
    Reading reading(root + part("Content-Type: image/png\r\nContent-ID: <a>\r\nContent-Location: l", "1"));
    reading.attachments().want({"cid:a"});
    CPPUNIT_ASSERT(!reading.attachments().info("cid:a"));
    const auto source = reading.attachments().open("cid:a");
    const auto info = reading.attachments().info("cid:a");
    CPPUNIT_ASSERT(info);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), info->contentId);
    CPPUNIT_ASSERT_EQUAL(std::string("image/png"), info->contentType);
    CPPUNIT_ASSERT_EQUAL(std::string("l"), info->contentLocation);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), everything(*source));
    CPPUNIT_ASSERT(!reading.attachments().info("cid:b"));
  }

  void opensAKeptPartAgain() {
    const auto large = randomBytes(200'000, 2);
    Reading reading(root + withId("a", "small") + withId("b", large) + withId("c", "3"));
    reading.attachments().want({"cid:a", "cid:b", "cid:c"});
    CPPUNIT_ASSERT_EQUAL(std::string("3"), reading.bytes("cid:c"));
    for (int i = 0; i < 2; ++i) {
      CPPUNIT_ASSERT_EQUAL(std::string("small"), reading.bytes("cid:a"));
      CPPUNIT_ASSERT(large == reading.bytes("cid:b"));
    }
  }

  void keepsAPartThatHasTwoReferences() {
    Reading reading(root + part("Content-ID: <a>\r\nContent-Location: http://x/a", "1") + withId("b", "2"));
    reading.attachments().want({"cid:a", "http://x/a", "cid:b"});
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("cid:a"));
    CPPUNIT_ASSERT_EQUAL(std::string("2"), reading.bytes("cid:b"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("http://x/a"));
  }

  void keepsAPartThatIsWantedTwice() {
    const auto large = randomBytes(200'000, 3);
    Reading reading(root + withId("a", "small") + withId("b", large));
    reading.attachments().want({"cid:a", "cid:a", "cid:b", "cid:b", "cid:b"});
    CPPUNIT_ASSERT_EQUAL(std::string("small"), reading.bytes("cid:a"));
    CPPUNIT_ASSERT(large == reading.bytes("cid:b"));
    CPPUNIT_ASSERT_EQUAL(std::string("small"), reading.bytes("cid:a"));
    CPPUNIT_ASSERT(large == reading.bytes("cid:b"));
    CPPUNIT_ASSERT(large == reading.bytes("cid:b"));
  }

  void passesOnAPartThatOneReferenceNamesTwice() {
    Limits limits;
    limits.earlyBytes = 0;
    Reading reading(root + part("Content-ID: <x>\r\nContent-Location: x", "1"), limits);
    reading.attachments().want({"x"});
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("x"));
  }

  void refusesAPassedOnPartASecondTime() {
    Reading reading(root + withId("a", "1") + withId("b", "2"));
    reading.attachments().want({"cid:a", "cid:b"});
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("cid:a"));
    expectFault(FaultCode::InvalidMessage, "second use", [&] { (void)reading.attachments().open("cid:a"); });
    CPPUNIT_ASSERT_EQUAL(std::string("2"), reading.bytes("cid:b"));
  }

  void refusesToReadAnOldSource() {
    Reading reading(root + withId("a", "1") + withId("b", "2"));
    reading.attachments().want({"cid:a", "cid:b"});
    const auto a = reading.attachments().open("cid:a");
    const auto b = reading.attachments().open("cid:b");
    expectFault(FaultCode::Internal, "after the next one", [&] { everything(*a); });
    CPPUNIT_ASSERT_EQUAL(std::string("2"), everything(*b));
    reading.attachments().finish();
    expectFault(FaultCode::Internal, "after the next one", [&] { everything(*b); });
  }

  void opensInlineBytes() {
    ChunkSource body("<E/>");
    const auto message = IncomingMessage::read("text/xml", body, {}, {});
    message.attachments->addInline("in-1", "bytes");
    message.attachments->want({"cid:in-1", "cid:none"});
    for (int i = 0; i < 2; ++i) {
      CPPUNIT_ASSERT_EQUAL(std::string("bytes"), everything(*message.attachments->open("cid:in-1")));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("in-1"), message.attachments->info("cid:in-1").value().contentId);
    CPPUNIT_ASSERT(!message.attachments->open("cid:none"));
    message.attachments->finish();
  }

  void prefersInlineBytesToAPartOfThatId() {
    Reading reading(withId("in-1", "early") + root + withId("in-2", "late") + withId("b", "2"), {}, "; start=root");
    reading.attachments().addInline("in-1", "one");
    reading.attachments().addInline("in-2", "two");
    reading.attachments().want({"cid:in-1", "cid:in-2", "cid:b"});
    CPPUNIT_ASSERT_EQUAL(std::string("2"), reading.bytes("cid:b"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), reading.bytes("cid:in-1"));
    CPPUNIT_ASSERT_EQUAL(std::string("two"), reading.bytes("cid:in-2"));
  }

  void keepsSmallPartsInMemoryAndLargeOnesInFewFiles() {
    std::string parts = root;
    std::multiset<std::string> references;
    const auto add = [&](const std::string &id, std::size_t size) {
      parts += withId(id, std::string(size, id.front()));
      references.insert("cid:" + id);
    };
    for (int i = 0; i < 20; ++i) {
      add("s" + std::to_string(i), PartKeeper::smallPart);
    }
    add("large", PartKeeper::smallPart + 1);
    for (int i = 0; i < 600; ++i) {
      add("m" + std::to_string(i), PartKeeper::smallPart - 1);
    }
    add("last", 1);
    Reading reading(parts);
    reading.attachments().want(references);
    CPPUNIT_ASSERT_EQUAL(std::string("l"), reading.bytes("cid:last"));
    // 64 parts or so fit into the memory; the others, 36 MB, are in files of 16 MiB or a little more.
    CPPUNIT_ASSERT_EQUAL(3, reading.spool.files);
    CPPUNIT_ASSERT(reading.spool.bytes > 550 * PartKeeper::smallPart &&
                   reading.spool.bytes < 560 * PartKeeper::smallPart);
    CPPUNIT_ASSERT(std::string(PartKeeper::smallPart, 's') == reading.bytes("cid:s19"));
    CPPUNIT_ASSERT(std::string(PartKeeper::smallPart + 1, 'l') == reading.bytes("cid:large"));
    CPPUNIT_ASSERT(std::string(PartKeeper::smallPart - 1, 'm') == reading.bytes("cid:m0"));
    CPPUNIT_ASSERT(std::string(PartKeeper::smallPart - 1, 'm') == reading.bytes("cid:m599"));
  }

  void limitsWhatComesEarly() {
    Limits limits;
    limits.earlyBytes = 200'000;
    const auto parts = root + withId("a", std::string(150'000, 'a')) + withId("b", std::string(50'000, 'b')) +
                       withId("c", "3") + withId("d", "4") + withId("e", "5");
    Reading reading(parts, limits);
    reading.attachments().want({"cid:a", "cid:b", "cid:c", "cid:d", "cid:e"});
    CPPUNIT_ASSERT_EQUAL(std::string("3"), reading.bytes("cid:c"));
    expectFault(FaultCode::TooLarge, "limits.early_bytes", [&] { (void)reading.attachments().open("cid:e"); });
  }

  void limitsWhatComesBeforeTheToken() {
    Limits limits;
    limits.unopenedBytes = 100'000;
    const auto early = withId("a", std::string(100'000, 'a'));
    expectFault(FaultCode::TooLarge, "limits.unopened_bytes",
                [&] { Reading(early + withId("b", "1") + root, limits, "; start=\"<root>\""); });
    // What is kept afterwards is not counted with it: by then somebody known asks for it.
    Reading reading(early + root + withId("c", std::string(150'000, 'c')) + withId("d", "4"), limits,
                    "; start=\"<root>\"");
    reading.attachments().want({"cid:a", "cid:c", "cid:d"});
    CPPUNIT_ASSERT_EQUAL(std::string("4"), reading.bytes("cid:d"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{150'000}, reading.bytes("cid:c").size());
  }

  void limitsWhatMessagesWithoutTokenKeepTogether() {
    Limits limits;
    limits.unopened = std::make_shared<Budget>(250'000, 0);
    const auto parts = withId("a", std::string(100'000, 'a')) + root;
    const std::string start = "; start=\"<root>\"";
    Reading first(parts, limits, start);
    auto second = std::make_unique<Reading>(parts, limits, start);
    expectFault(FaultCode::Busy, "limits.unopened_bytes", [&] { Reading(parts, limits, start); });
    // Once an operation asks, the token is open.
    CPPUNIT_ASSERT_EQUAL(std::size_t{100'000}, first.bytes("cid:a").size());
    const Reading third(parts, limits, start);
    expectFault(FaultCode::Busy, "limits.unopened_bytes", [&] { Reading(parts, limits, start); });
    second.reset();
    const Reading fourth(parts, limits, start);
  }

  void limitsWhatComesBeforeTheRoot() {
    Limits limits;
    limits.earlyBytes = 100'000;
    const auto parts = withId("a", std::string(100'001, 'a')) + root;
    expectFault(FaultCode::TooLarge, "limits.early_bytes", [&] { Reading(parts, limits, "; start=\"<root>\""); });
  }

  void limitsWhatNobodyRefersTo() {
    Limits limits;
    limits.unreferencedBytes = 100'000;
    const auto junk = withId("j1", std::string(60'000, 'j'));
    const auto parts = root + junk + withId("a", std::string(200'000, 'a')) + part("X: y", std::string(40'000, 'j'));
    Reading within(parts, limits);
    within.attachments().want({"cid:a"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{200'000}, within.bytes("cid:a").size());
    within.attachments().finish();

    Reading beyond(parts + withId("j2", "j"), limits);
    beyond.attachments().want({"cid:a"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{200'000}, beyond.bytes("cid:a").size());
    expectFault(FaultCode::TooLarge, "limits.unreferenced_bytes", [&] { beyond.attachments().finish(); });

    Reading absent(parts + withId("j2", "j"), limits);
    expectFault(FaultCode::TooLarge, "limits.unreferenced_bytes", [&] { (void)absent.attachments().open("cid:none"); });
  }

  void limitsTheNamesItRemembers() {
    std::string parts;
    for (int i = 0; i < 1000; ++i) {
      parts += part("Content-Type: x/" + std::string(15'000, 'y'), "");
    }
    expectFault(FaultCode::TooLarge, "Content-Type fields", [&] { Reading(parts + root, {}, "; start=root"); });
  }

  void dropsEarlyPartsThatNobodyWants() {
    Limits limits;
    limits.unreferencedBytes = 10;
    Reading reading(withId("a", "1") + withId("junk", "0123456789") + root, limits, "; start=root");
    reading.attachments().want({"cid:a"});
    CPPUNIT_ASSERT(!reading.has("cid:junk"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), reading.bytes("cid:a"));

    Reading beyond(withId("a", "1") + withId("junk", "0123456789A") + root, limits, "; start=root");
    expectFault(FaultCode::TooLarge, "limits.unreferenced_bytes", [&] { beyond.attachments().want({"cid:a"}); });
  }

  void finishesOverAllThatIsLeft() {
    Limits limits;
    limits.unreferencedBytes = 0;
    Reading reading(root + withId("a", std::string(1'000'000, 'a')) + withId("b", std::string(1'000'000, 'b')), limits);
    reading.attachments().want({"cid:a", "cid:b"});
    const auto source = reading.attachments().open("cid:a");
    Bytes some(10);
    CPPUNIT_ASSERT(source->read(some) > 0);
    reading.attachments().finish();
    reading.attachments().finish();
    CPPUNIT_ASSERT_EQUAL(0, reading.spool.files);
  }

  void refusesACutMessageAtFinish() {
    ChunkSource body(root + "--b\r\nContent-ID: <a>\r\n\r\nwhole?");
    const auto message = IncomingMessage::read("multipart/related; boundary=b", body, {}, {});
    message.attachments->want({"cid:a"});
    for (int i = 0; i < 2; ++i) {
      expectFault(FaultCode::InvalidMessage, "closing line", [&] { message.attachments->finish(); });
    }
  }

  void needsASpoolOnlyWhenItKeepsMuch() {
    for (const std::size_t size : {PartKeeper::smallPart, PartKeeper::smallPart + 1}) {
      ChunkSource body(root + withId("a", std::string(size, 'a')) + withId("b", "2") + "--b--");
      const auto message = IncomingMessage::read("multipart/related; boundary=b", body, {}, {});
      message.attachments->want({"cid:a", "cid:b"});
      if (size == PartKeeper::smallPart) {
        CPPUNIT_ASSERT(message.attachments->open("cid:b"));
      } else {
        expectFault(FaultCode::Internal, "no place", [&] { (void)message.attachments->open("cid:b"); });
      }
    }
  }

  void reopensAtAnOffset() {
    CountingSpool spool;
    const auto file = spool.spool()();
    const auto bytes = randomBytes(600'000, 3);
    file->write(asBytes(bytes));
    for (const std::size_t offset : {0U, 1U, 300'000U, 600'000U}) {
      CPPUNIT_ASSERT(bytes.substr(offset) == everything(*file->reopenAt(offset)));
    }
    expectFault(FaultCode::Internal, "shorter", [&] { (void)file->reopenAt(600'001); });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AttachmentsTest);

} // namespace
} // namespace waybill::soap
