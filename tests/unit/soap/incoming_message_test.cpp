// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/incoming_message.hpp"

#include "message_support.hpp"

namespace waybill::soap {
namespace {

using test::ChunkSource;
using test::CountingSpool;
using test::everything;
using test::expectFault;

const std::string xml = "<E/>";

IncomingMessage read(const std::string &contentType, const std::string &body, const Limits &limits = {}) {
  ChunkSource source(body);
  CountingSpool spool;
  auto message = IncomingMessage::read(contentType, source, limits, spool.spool());
  message.attachments.reset(); // it must not outlive the source
  return message;
}

/// A multipart message whose root part has this Content-Type line, or none.
std::string around(const std::string &rootType) {
  return "--b\r\n" + (rootType.empty() ? "" : "Content-Type: " + rootType + "\r\n") + "Content-ID: <r>\r\n\r\n" + xml +
         "\r\n--b--";
}

void refuse(const std::string &contentType, const std::string &body, std::string_view why) {
  expectFault(FaultCode::InvalidMessage, why, [&] { read(contentType, body); });
}

class IncomingMessageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingMessageTest);
  CPPUNIT_TEST(readsPlainMessages);
  CPPUNIT_TEST(readsSwaMessages);
  CPPUNIT_TEST(readsMtomMessages);
  CPPUNIT_TEST(findsTheAction);
  CPPUNIT_TEST(refusesActionsThatDisagree);
  CPPUNIT_TEST(findsTheRootByStart);
  CPPUNIT_TEST(takesTheOuterTypeForARootWithoutOne);
  CPPUNIT_TEST(refusesOtherTypes);
  CPPUNIT_TEST(refusesMultipartWithoutBoundary);
  CPPUNIT_TEST(refusesMultipartWithoutRoot);
  CPPUNIT_TEST(refusesALargeEnvelope);
  CPPUNIT_TEST(largeEnvelopesShareMemory);
  CPPUNIT_TEST(decodesTheRoot);
  CPPUNIT_TEST(readsNoFurtherThanTheRoot);
  CPPUNIT_TEST_SUITE_END();

  /// Three bytes of memory for each of an envelope, plain or in a multipart message.
  void largeEnvelopesShareMemory() {
    Limits limits;
    limits.memory = std::make_shared<Budget>(10'000, 300);
    const std::string large(2'000, ' ');
    const auto multipart = "--b\r\nContent-Type: text/xml\r\n\r\n" + large + "\r\n--b--";
    const auto inParts = [&] { return read("multipart/related; boundary=b", multipart, limits); };
    auto first = inParts();
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{6'000}, first.memory.taken());
    expectFault(FaultCode::Busy, "limits.memory_bytes", [&] { (void)inParts(); });
    expectFault(FaultCode::Busy, "limits.memory_bytes", [&] { (void)read("text/xml", large, limits); });
    CPPUNIT_ASSERT_EQUAL(std::size_t{100}, read("text/xml", large.substr(0, 100), limits).root.size());
    first.memory.giveBack();
    const auto second = read("text/xml", large, limits);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{6'000}, second.memory.taken());
    expectFault(FaultCode::Busy, "limits.memory_bytes", [&] { (void)inParts(); });
  }

  void readsPlainMessages() {
    auto message = read("text/xml; charset=\"utf-8\"", xml);
    CPPUNIT_ASSERT_EQUAL(xml, message.root);
    CPPUNIT_ASSERT(message.version == Version::Soap11);
    CPPUNIT_ASSERT(message.packaging == Packaging::Plain);
    CPPUNIT_ASSERT_EQUAL(std::string("utf-8"), message.charset);
    CPPUNIT_ASSERT(!message.action);

    message = read("Application/SOAP+XML; action=\"urn:a\"", xml);
    CPPUNIT_ASSERT(message.version == Version::Soap12);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:a"), message.action.value());
    CPPUNIT_ASSERT_EQUAL(std::string(), message.charset);

    CPPUNIT_ASSERT(!read("application/xml", xml).version);
    message = read("application/xop+xml; type=\"application/soap+xml\"", xml);
    CPPUNIT_ASSERT(message.version == Version::Soap12);
    CPPUNIT_ASSERT(message.packaging == Packaging::Plain);
    CPPUNIT_ASSERT_EQUAL(std::string(), read("text/xml", "").root);
  }

  void readsSwaMessages() {
    auto message = read("multipart/related; boundary=b", around("text/xml; charset=iso-8859-1"));
    CPPUNIT_ASSERT_EQUAL(xml, message.root);
    CPPUNIT_ASSERT(message.packaging == Packaging::SwA);
    CPPUNIT_ASSERT(message.version == Version::Soap11);
    CPPUNIT_ASSERT_EQUAL(std::string("iso-8859-1"), message.charset);
    // The root part itself has the last word over the label of the whole.
    message = read("Multipart/Related; type=\"text/xml\"; boundary=\"b\"", around("application/soap+xml"));
    CPPUNIT_ASSERT(message.version == Version::Soap12);
    CPPUNIT_ASSERT(message.packaging == Packaging::SwA);
  }

  void readsMtomMessages() {
    auto message = read("multipart/related; boundary=b; type=\"application/xop+xml\"; start-info=\"text/xml\"",
                        around("application/xop+xml; charset=utf-8; type=\"application/soap+xml\""));
    CPPUNIT_ASSERT(message.packaging == Packaging::Mtom);
    CPPUNIT_ASSERT(message.version == Version::Soap12);
    CPPUNIT_ASSERT_EQUAL(std::string("utf-8"), message.charset);
    message = read("multipart/related; boundary=b; start-info=\"text/xml\"", around("application/xop+xml"));
    CPPUNIT_ASSERT(message.version == Version::Soap11);
    CPPUNIT_ASSERT(!read("multipart/related; boundary=b", around("application/xop+xml")).version);
  }

  void findsTheAction() {
    const std::string quoted = R"("application/soap+xml;action=\"urn:a\"")";
    const auto action = [](const std::string &outer, const std::string &rootType) {
      return read("multipart/related; boundary=b" + outer, around(rootType)).action.value_or("none");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("urn:a"), action("; start-info=" + quoted, "application/xop+xml"));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:a"), action("", "application/xop+xml; type=" + quoted));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:a"), action("; action=\"urn:a\"", "application/xop+xml; type=\"text/xml\""));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:a"), action("", "application/soap+xml; action=urn:a"));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:a"),
                         action("; action=\"urn:a\"; start-info=" + quoted, "application/xop+xml; type=" + quoted));
    CPPUNIT_ASSERT_EQUAL(std::string("none"),
                         action("; start-info=\"application/soap+xml\"", "application/soap+xml; action=\"\""));
  }

  void refusesActionsThatDisagree() {
    refuse("multipart/related; boundary=b; action=\"urn:a\"", around("application/soap+xml; action=\"urn:b\""),
           "'urn:a'");
  }

  void findsTheRootByStart() {
    const std::string body =
        "--b\r\nContent-ID: <other>\r\n\r\nother\r\n--b\r\nContent-Type: text/xml\r\nContent-Id:<r@x>\r\n\r\n" + xml +
        "\r\n--b--";
    CPPUNIT_ASSERT_EQUAL(xml, read("multipart/related; boundary=b; start=\"<r@x>\"", body).root);
    CPPUNIT_ASSERT_EQUAL(xml, read("multipart/related; boundary=b; start=r@x", body).root);
    refuse("multipart/related; boundary=b; start=\"<none>\"", body, "start parameter");
    refuse("multipart/related; boundary=b", body, "Content-Type of the root part");
  }

  void takesTheOuterTypeForARootWithoutOne() {
    CPPUNIT_ASSERT(read("multipart/related; boundary=b; type=\"text/xml\"", around("")).version == Version::Soap11);
    refuse("multipart/related; boundary=b", around(""), "root part is missing");
  }

  void refusesOtherTypes() {
    refuse("", xml, "Content-Type of the message is missing");
    for (const auto *type : {"text/plain", "xml", "text/xml; a", "multipart/form-data; boundary=b",
                             "multipart/mixed; boundary=b", "application/json", "application/x-www-form-urlencoded"}) {
      refuse(type, around("text/xml"), "send text/xml");
    }
    for (const auto *type : {"text/plain", "image/png", "text/xml; charset", "multipart/related; boundary=c"}) {
      refuse("multipart/related; boundary=b", around(type), "root part");
    }
  }

  void refusesMultipartWithoutBoundary() {
    refuse("multipart/related", around("text/xml"), "boundary");
    refuse("multipart/related; boundary=\"\"", around("text/xml"), "boundary");
    refuse("multipart/related; boundary=" + std::string(71, 'b'), around("text/xml"), "boundary");
    refuse("multipart/related; boundary=b; boundary=c", around("text/xml"), "Content-Type");
    refuse("multipart/related; boundary=c", around("text/xml"), "'--c'");
  }

  void refusesMultipartWithoutRoot() {
    refuse("multipart/related; boundary=b", "--b--\r\n", "no part");
    refuse("multipart/related; boundary=b", "", "'--b'");
    refuse("multipart/related; boundary=b", "--b\r\nContent-Type: text/xml\r\n\r\n<E", "closing line");
  }

  void refusesALargeEnvelope() {
    Limits limits;
    limits.envelopeBytes = 10;
    const std::string large(11, 'x');
    expectFault(FaultCode::TooLarge, "limits.envelope_bytes", [&] { read("text/xml", large, limits); });
    expectFault(FaultCode::TooLarge, "limits.envelope_bytes", [&] {
      read("multipart/related; boundary=b", "--b\r\nContent-Type: text/xml\r\n\r\n" + large + "\r\n--b--", limits);
    });
    CPPUNIT_ASSERT_EQUAL(std::size_t{10}, read("text/xml", large.substr(1), limits).root.size());
  }

  void decodesTheRoot() {
    const auto message =
        read("multipart/related; boundary=b",
             "--b\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<E=\r\n/>\r\n--b--");
    CPPUNIT_ASSERT_EQUAL(xml, message.root);
  }

  void readsNoFurtherThanTheRoot() {
    // The token is checked before gigabytes are read: only the boundary line behind the root may have been asked for.
    const std::string front = "--b\r\nContent-Type: text/xml\r\n\r\n" + xml + "\r\n--b\r\n";
    ChunkSource source(front + "Content-ID: <a>\r\n\r\nlots\r\n--b--", 1);
    const auto message = IncomingMessage::read("multipart/related; boundary=b", source, {}, {});
    CPPUNIT_ASSERT_EQUAL(front.size(), source.used());
    CPPUNIT_ASSERT_EQUAL(std::string("lots"), everything(*message.attachments->open("cid:a")));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingMessageTest);

} // namespace
} // namespace waybill::soap
