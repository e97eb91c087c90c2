// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/egress.hpp"
#include "transport/fetch.hpp"
#include "transport/fetch_checks.hpp"
#include "transport/plain_peer.hpp"
#include "transport/tls_peer.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using namespace waybill::transport;
using std::chrono::milliseconds;

std::string lettersOf(std::uint64_t size) {
  std::string text(size, '\0');
  for (std::uint64_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 26);
  }
  return text;
}

/// Just enough of RFC 959 and RFC 2428 for one file "thing".
struct FtpPlay {
  std::string content;
  std::string time = "20200101000000";
  std::string timeAfterCut = "20200101000000";
  std::size_t cutFirstAt = SIZE_MAX; ///< the first transfer ends there
  bool knowsRest = true;
  int transfers = 0;
  std::uint64_t rest = 0;

  void operator()(PlainConversation &c) {
    c.write("220 ready\r\n");
    LoopbackListener data;
    for (;;) {
      const auto line = c.readTo("\r\n");
      if (line.empty() || !answer(c, data, line.substr(0, line.size() - 2))) {
        return;
      }
    }
  }

  bool answer(PlainConversation &c, LoopbackListener &data, const std::string &line) {
    const auto is = [&](std::string_view verb) { return line.starts_with(verb); };
    if (is("USER")) {
      c.write("230 welcome\r\n");
    } else if (is("PWD")) {
      c.write("257 \"/\"\r\n");
    } else if (is("EPSV")) {
      c.write("229 go on (|||" + std::to_string(data.port()) + "|)\r\n");
    } else if (is("TYPE I")) {
      c.write("200 binary\r\n");
    } else if (is("MDTM") && line.ends_with("thing")) {
      c.write("213 " + (transfers == 0 ? time : timeAfterCut) + "\r\n");
    } else if (is("SIZE") && line.ends_with("thing")) {
      c.write("213 " + std::to_string(content.size()) + "\r\n");
    } else if (is("REST")) {
      rest = std::stoull(line.substr(5));
      c.write(knowsRest ? "350 from there\r\n" : "502 what?\r\n");
    } else if (is("RETR") && line.ends_with("thing")) {
      transfer(c, data);
    } else if (is("QUIT")) {
      return false;
    } else {
      c.write("550 no\r\n");
    }
    return true;
  }

  void transfer(PlainConversation &c, LoopbackListener &data) {
    c.write("150 here it comes\r\n");
    const auto length = transfers++ == 0 ? cutFirstAt : std::string::npos;
    {
      const PlainConversation stream(data.accept());
      stream.write(std::string_view(content).substr(rest, length));
    }
    rest = 0;
    c.write(length == std::string::npos ? "226 done\r\n" : "426 cut\r\n");
  }
};

FetchOptions open(std::vector<std::string> schemes, std::vector<std::string> allow = {"127.0.0.1"}) {
  FetchOptions options;
  options.firstPause = milliseconds(1);
  options.attempts = 3;
  EgressRules rules;
  rules.schemes = std::move(schemes);
  rules.allow = std::move(allow);
  options.client.guard = std::make_shared<const EgressPolicy>(rules);
  return options;
}

/// http and ftp, which are spoken only where the guard allows them.
class FetchSchemesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FetchSchemesTest);
  CPPUNIT_TEST(httpWhereAllowed);
  CPPUNIT_TEST(httpMayLeadToHttps);
  CPPUNIT_TEST(ftpStreams);
  CPPUNIT_TEST(ftpEmptyFile);
  CPPUNIT_TEST(ftpGoesOnAfterACut);
  CPPUNIT_TEST(ftpChangedFileIsAFault);
  CPPUNIT_TEST(ftpWithoutRestIsAFault);
  CPPUNIT_TEST(ftpRanges);
  CPPUNIT_TEST(ftpAbsentFile);
  CPPUNIT_TEST(notWithoutTheGuardsWord);
  CPPUNIT_TEST_SUITE_END();

public:
  void httpWhereAllowed() {
    int requests = 0;
    PlainPeer peer([&](PlainConversation &c) {
      static_cast<void>(c.readTo("\r\n\r\n"));
      c.write(++requests == 1 ? "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 4\r\n\r\nhe"
                              : "HTTP/1.1 206 Part\r\nETag: \"a\"\r\nContent-Length: 2\r\nContent-Range: bytes "
                                "2-3/4\r\n\r\nre");
    });
    Fetcher fetcher(open({"https", "http"}));
    CPPUNIT_ASSERT_EQUAL(std::string("here"), allOf(fetcher.open({peer.url("http", "x"), {}, {}})));
  }

  void httpMayLeadToHttps() {
    TlsPeer secure([](Conversation &c) {
      c.readHead();
      c.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    PlainPeer peer([&](PlainConversation &c) {
      static_cast<void>(c.readTo("\r\n\r\n"));
      c.write("HTTP/1.1 301 There\r\nContent-Length: 0\r\nLocation: " + secure.url("x") + "\r\n\r\n");
    });
    auto options = open({});
    EgressRules rules;
    rules.schemes = {"http"};
    rules.allow = {"127.0.0.1"};
    options.client.guard = std::make_shared<const EgressPolicy>(
        rules, [&](const std::string &, const std::string &, std::uint16_t) -> std::optional<PeerIdentity> {
          return PeerIdentity{secure.pin(), ""};
        });
    Fetcher fetcher(options);
    const auto fetched = fetcher.open({peer.url("http", "x"), {}, {}});
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), allOf(fetched));
    CPPUNIT_ASSERT_EQUAL(secure.url("x"), fetched.url);
  }

  void ftpStreams() {
    const FtpPlay play{lettersOf(3 * mebibyte)};
    PlainPeer peer(play);
    Fetcher fetcher(open({"ftp"}));
    const auto fetched = fetcher.open({peer.url("ftp", "a/thing"), {}, {}});
    CPPUNIT_ASSERT(fetched.size == std::optional<std::uint64_t>(3 * mebibyte));
    CPPUNIT_ASSERT(allOf(fetched) == play.content);
  }

  void ftpEmptyFile() {
    PlainPeer peer(FtpPlay{});
    Fetcher fetcher(open({"ftp"}));
    CPPUNIT_ASSERT_EQUAL(std::string(), allOf(fetcher.open({peer.url("ftp", "thing"), {}, {}})));
  }

  void ftpGoesOnAfterACut() {
    FtpPlay play{lettersOf(3 * mebibyte)};
    play.cutFirstAt = 1'234'567;
    PlainPeer peer(play);
    Fetcher fetcher(open({"ftp"}));
    CPPUNIT_ASSERT(allOf(fetcher.open({peer.url("ftp", "thing"), {}, {}})) == play.content);
  }

  void ftpChangedFileIsAFault() {
    FtpPlay play{lettersOf(mebibyte)};
    play.cutFirstAt = 1000;
    play.timeAfterCut = "20200101000001";
    PlainPeer peer(play);
    Fetcher fetcher(open({"ftp"}));
    const auto fault = faultOf([&] { static_cast<void>(allOf(fetcher.open({peer.url("ftp", "thing"), {}, {}}))); });
    CPPUNIT_ASSERT(fault.code() == FaultCode::DeliveryFailed);
    CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find("changed meanwhile") != std::string::npos);
  }

  void ftpWithoutRestIsAFault() {
    FtpPlay play{lettersOf(mebibyte)};
    play.cutFirstAt = 1000;
    play.knowsRest = false;
    PlainPeer peer(play);
    Fetcher fetcher(open({"ftp"}));
    CPPUNIT_ASSERT(faultOf([&] {
                     static_cast<void>(allOf(fetcher.open({peer.url("ftp", "thing"), {}, {}})));
                   }).code() == FaultCode::DeliveryFailed);
  }

  void ftpRanges() {
    const FtpPlay play{lettersOf(100)};
    PlainPeer peer(play);
    Fetcher fetcher(open({"ftp"}));
    std::string got;
    fetcher.fetchRanges({peer.url("ftp", "thing"), {}, {}}, 100, {{10, 20}},
                        [&](std::uint64_t, ByteView bytes) { got += asText(bytes); });
    CPPUNIT_ASSERT_EQUAL(play.content.substr(10, 10), got);
  }

  void ftpAbsentFile() {
    PlainPeer peer(FtpPlay{});
    Fetcher fetcher(open({"ftp"}));
    const auto fault = faultOf([&] { static_cast<void>(fetcher.open({peer.url("ftp", "other"), {}, {}})); });
    CPPUNIT_ASSERT_MESSAGE(fault.what(), fault.reason().find("no such file") != std::string::npos);
    for (const std::string path : {"folder/", "", "thing;type=a", "thing%0d%0aDELE%20thing"}) {
      CPPUNIT_ASSERT(faultOf([&] {
                       static_cast<void>(fetcher.open({peer.url("ftp", path), {}, {}}));
                     }).code() != FaultCode::Internal);
    }
  }

  void notWithoutTheGuardsWord() {
    PlainPeer peer(FtpPlay{});
    for (const std::string scheme : {"http", "ftp"}) {
      Fetcher guarded(open({"https"}));
      CPPUNIT_ASSERT(faultOf([&] {
                       static_cast<void>(guarded.open({peer.url(scheme, "thing"), {}, {}}));
                     }).code() == FaultCode::AddressNotAllowed);
      Fetcher other(open({scheme}, {"127.0.0.2"}));
      CPPUNIT_ASSERT(faultOf([&] {
                       static_cast<void>(other.open({peer.url(scheme, "thing"), {}, {}}));
                     }).code() == FaultCode::AddressNotAllowed);
      Fetcher unguarded(FetchOptions{});
      CPPUNIT_ASSERT_THROW(static_cast<void>(unguarded.open({peer.url(scheme, "thing"), {}, {}})), Fault);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FetchSchemesTest);

} // namespace
