// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/fetch.hpp"

#include "transport/egress.hpp"
#include "transport/fetch_checks.hpp"
#include "transport/representation.hpp"
#include "transport/shelf.hpp"
#include "transport/tls_peer.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <mutex>

namespace {

using namespace waybill;
using namespace waybill::transport;

std::string headOf(int status, std::size_t length, const std::string &more = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " Word\r\nContent-Length: " + std::to_string(length) + "\r\n" + more +
         "\r\n";
}

FetchRequest to(const TlsPeer &peer, std::string_view path = "thing") {
  FetchRequest request;
  request.url = peer.url(path);
  request.peer.pinnedKey = peer.pin();
  return request;
}

/// A guard that trusts what is there under this test's hands.
std::shared_ptr<const EgressPolicy> trusting(const std::vector<const TlsPeer *> &peers, EgressRules rules = {}) {
  std::vector<std::pair<std::uint16_t, std::string>> known;
  for (const auto *peer : peers) {
    known.emplace_back(partsOf(peer->url()).port, peer->pin());
  }
  return std::make_shared<const EgressPolicy>(
      std::move(rules),
      [known](const std::string &, const std::string &host, std::uint16_t port) -> std::optional<PeerIdentity> {
        for (const auto &[knownPort, pin] : known) {
          if (host == "127.0.0.1" && port == knownPort) {
            return PeerIdentity{pin, ""};
          }
        }
        return std::nullopt;
      });
}

/// Replies to requests in turn, one a connection; remembers their heads.
class Script {
public:
  explicit Script(std::vector<std::string> replies)
      : replies_(std::move(replies)), peer_([this](Conversation &c) { play(c); }) {}
  [[nodiscard]] TlsPeer &peer() { return peer_; }
  [[nodiscard]] std::string head(std::size_t number) const {
    const std::lock_guard lock(mutex_);
    return heads_.at(number);
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return heads_.size();
  }

private:
  void play(Conversation &c) {
    const auto head = c.readHead();
    if (!head.empty()) {
      c.write(replies_.at(std::min(remember(head), replies_.size()) - 1));
    }
  }
  std::size_t remember(const std::string &head) {
    const std::lock_guard lock(mutex_);
    heads_.push_back(head);
    return heads_.size();
  }
  std::vector<std::string> replies_;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  TlsPeer peer_;
};

const std::string tagged = "ETag: \"one\"\r\n";

std::string part(const std::string &range, const std::string &body, const std::string &more = tagged) {
  return headOf(206, body.size(), more + "Content-Range: bytes " + range + "\r\n") + body;
}

class FetchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FetchTest);
  CPPUNIT_TEST(readsContentRanges);
  CPPUNIT_TEST(streamsWhatTheServerHas);
  CPPUNIT_TEST(goesOnAfterManyCuts);
  CPPUNIT_TEST(goesOnByLastModified);
  CPPUNIT_TEST(dateOfTheSameSecondTellsNoVersion);
  CPPUNIT_TEST(asksForTheRestOnCondition);
  CPPUNIT_TEST(cutWithoutRangesIsAFault);
  CPPUNIT_TEST(cutWithoutVersionIsAFault);
  CPPUNIT_TEST(changedVersionIsAFault);
  CPPUNIT_TEST(falseRangesAreFaults);
  CPPUNIT_TEST(partInsteadOfTheWholeIsAFault);
  CPPUNIT_TEST(shorterPartsAreTaken);
  CPPUNIT_TEST(busyServerIsAskedAgain);
  CPPUNIT_TEST(givesUpAfterSoManyTries);
  CPPUNIT_TEST(goesOnWhenTheServerWasAway);
  CPPUNIT_TEST(patienceEnds);
  CPPUNIT_TEST(refusalsAreNotTriedAgain);
  CPPUNIT_TEST(stallIsACut);
  CPPUNIT_TEST(cancelledWhileWaiting);
  CPPUNIT_TEST(cancelledInAPause);
  CPPUNIT_TEST(followsRedirects);
  CPPUNIT_TEST(redirectLoopEnds);
  CPPUNIT_TEST(redirectOutOfHttpsIsRefused);
  CPPUNIT_TEST(redirectToARefusedAddress);
  CPPUNIT_TEST(redirectWithoutLocation);
  CPPUNIT_TEST(headersAndKeyStayWithTheirHost);
  CPPUNIT_TEST(secretsStayOutOfFaults);
  CPPUNIT_TEST_SUITE_END();

public:
  void readsContentRanges() {
    const auto range = parseContentRange("bytes 5-9/20");
    CPPUNIT_ASSERT(range && range->begin == 5 && range->end == 10 && range->total == std::optional<std::uint64_t>(20));
    CPPUNIT_ASSERT(!parseContentRange("Bytes 0-0/*")->total);
    for (const std::string text :
         {"", "bytes", "bytes 5-9", "bytes 9-5/20", "bytes 5-20/20", "bytes -5/20", "bytes 5-/20", "bytes */20",
          "bytes 5-9/20x", "bytes 5-9/ 20", "items 5-9/20", "bytes 0-18446744073709551615/*",
          "bytes 0-1/99999999999999999999", "bytes 0--1/5"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !parseContentRange(text));
    }
  }

  void streamsWhatTheServerHas() {
    Shelf shelf(5 * mebibyte + 3);
    Fetcher fetcher(quick());
    auto request = shelf.request();
    request.headers.add("X-Asked", "yes");
    const auto fetched = fetcher.open(request);
    CPPUNIT_ASSERT(fetched.size == std::optional<std::uint64_t>(5 * mebibyte + 3));
    CPPUNIT_ASSERT_EQUAL(std::string("application/x-shelf"), fetched.contentType.value_or("none"));
    CPPUNIT_ASSERT_EQUAL(request.url, fetched.url);
    CPPUNIT_ASSERT(allOf(fetched) == shelf.content());
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), shelf.requests().at(0).asked);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, shelf.requests().size());
  }

  void goesOnAfterManyCuts() {
    Shelf shelf(20 * mebibyte);
    shelf.cutEach(mebibyte + 12345);
    auto options = quick();
    options.attempts = 3;
    Fetcher fetcher(options);
    CPPUNIT_ASSERT(allOf(fetcher.open(shelf.request())) == shelf.content());
    CPPUNIT_ASSERT(shelf.requests().size() > 10);
  }

  void goesOnByLastModified() {
    const std::string dated = "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT\r\nDate: Wed, 01 Jan 2020 00:00:01 GMT\r\n";
    Script script({headOf(200, 10, dated) + "01234", part("5-9/10", "56789", dated)});
    Fetcher fetcher(quick());
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), allOf(fetcher.open(to(script.peer()))));
    CPPUNIT_ASSERT(script.head(1).find("\r\nIf-Range: Wed, 01 Jan 2020 00:00:00 GMT\r\n") != std::string::npos);
  }

  void dateOfTheSameSecondTellsNoVersion() {
    const std::string dated = "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT\r\nDate: Wed, 01 Jan 2020 00:00:00 GMT\r\n";
    Script script({headOf(200, 10, dated) + "01234", part("5-9/10", "56789", dated)});
    Fetcher fetcher(quick());
    assertMentions(faultOf([&] { static_cast<void>(allOf(fetcher.open(to(script.peer())))); }), "begin anew");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, script.count());
  }

  void asksForTheRestOnCondition() {
    Script script({headOf(200, 10, tagged) + "01234", part("5-9/10", "56789")});
    Fetcher fetcher(quick());
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), allOf(fetcher.open(to(script.peer()))));
    CPPUNIT_ASSERT(script.head(0).find("Range") == std::string::npos);
    CPPUNIT_ASSERT(script.head(1).find("\r\nRange: bytes=5-\r\n") != std::string::npos);
    CPPUNIT_ASSERT(script.head(1).find("\r\nIf-Range: \"one\"\r\n") != std::string::npos);
  }

  void cutWithoutRangesIsAFault() {
    for (const std::string &second : {headOf(200, 10, tagged) + "0123456789", headOf(200, 10) + "0123456789"}) {
      Script script({headOf(200, 10, tagged) + "01234", second});
      Fetcher fetcher(quick());
      const auto fault = faultOf([&] { static_cast<void>(allOf(fetcher.open(to(script.peer())))); });
      CPPUNIT_ASSERT(fault.code() == FaultCode::DeliveryFailed);
      assertMentions(fault, "cut after 5 bytes");
      assertMentions(fault, "sends the whole");
      assertMentions(fault, "begin anew");
    }
    Script honest({headOf(200, 10, tagged + "Accept-Ranges: none\r\n") + "01234"});
    Fetcher fetcher(quick());
    assertMentions(faultOf([&] { static_cast<void>(allOf(fetcher.open(to(honest.peer())))); }), "no ranges");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, honest.count());
  }

  void cutWithoutVersionIsAFault() {
    for (const std::string version : {"", "ETag: W/\"weak\"\r\n"}) {
      Script script({headOf(200, 10, version) + "01234", part("5-9/10", "56789", version)});
      Fetcher fetcher(quick());
      const auto fault = faultOf([&] { static_cast<void>(allOf(fetcher.open(to(script.peer())))); });
      assertMentions(fault, "tells versions apart");
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, script.count());
    }
  }

  void changedVersionIsAFault() {
    for (const std::string &second :
         {headOf(200, 10, "ETag: \"two\"\r\n") + "abcdefghij", part("5-9/10", "fghij", "ETag: \"two\"\r\n")}) {
      Script script({headOf(200, 10, tagged) + "01234", second});
      Fetcher fetcher(quick());
      const auto fetched = fetcher.open(to(script.peer()));
      std::string got;
      const auto fault = faultOf([&] {
        Bytes block(100);
        for (;;) {
          got.append(asText(ByteView(block).first(fetched.body->read(block))));
        }
      });
      CPPUNIT_ASSERT(fault.code() == FaultCode::DeliveryFailed);
      assertMentions(fault, "changed meanwhile");
      CPPUNIT_ASSERT_EQUAL(std::string("01234"), got);
    }
  }

  void falseRangesAreFaults() {
    const std::string five = "56789";
    for (const auto &reply :
         {part("4-8/10", five), part("6-10/11", five), part("5-9/11", five), part("5-9/*", five), part("5-8/10", five),
          part("9-5/10", five), part("rubbish", five), headOf(206, 5, tagged) + five, part("0-9/10", "0123456789")}) {
      Script script({headOf(200, 10, tagged) + "01234", reply});
      Fetcher fetcher(quick());
      const auto fault = faultOf([&] { static_cast<void>(allOf(fetcher.open(to(script.peer())))); });
      CPPUNIT_ASSERT(fault.code() == FaultCode::DeliveryFailed);
      assertMentions(fault, "Content-Range");
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, script.count());
    }
  }

  void partInsteadOfTheWholeIsAFault() {
    Script script({part("5-9/10", "56789")});
    Fetcher fetcher(quick());
    assertMentions(faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); }), "206");
  }

  void shorterPartsAreTaken() {
    Script script({headOf(200, 10, tagged) + "01234", part("5-6/10", "56"), part("7-9/10", "789")});
    Fetcher fetcher(quick());
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), allOf(fetcher.open(to(script.peer()))));
  }

  void busyServerIsAskedAgain() {
    Script script({headOf(503, 0, "Retry-After: 0\r\n"), headOf(429, 0), headOf(200, 10, tagged) + "01234",
                   headOf(502, 0), part("5-9/10", "56789")});
    Fetcher fetcher(quick());
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), allOf(fetcher.open(to(script.peer()))));
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, script.count());
  }

  void givesUpAfterSoManyTries() {
    Script script({headOf(503, 0)});
    auto options = quick();
    options.attempts = 3;
    Fetcher fetcher(options);
    const auto fault = faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); });
    assertMentions(fault, "503");
    assertMentions(fault, "3 tries");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, script.count());
    // A byte now and then is not enough to be asked for ever.
    Script dripping(
        {headOf(200, 10, tagged) + "0", part("1-1/10", "1"), part("2-2/10", "2"), part("3-9/10", "3456789")});
    options.firstPause = std::chrono::milliseconds(100);
    options.longestPause = std::chrono::milliseconds(400);
    options.patience = std::chrono::milliseconds(600); // which a byte each time does not renew
    Fetcher second(options);
    assertMentions(faultOf([&] { static_cast<void>(allOf(second.open(to(dripping.peer())))); }), "3 tries");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, dripping.count());
  }

  /// However often it is tried: what has come would be lost.
  void goesOnWhenTheServerWasAway() {
    std::vector<std::string> replies{headOf(200, 10, tagged) + "01234"};
    replies.insert(replies.end(), 9, headOf(503, 0));
    replies.push_back(part("5-9/10", "56789"));
    Script script(replies);
    auto options = quick();
    options.attempts = 3;
    Fetcher fetcher(options);
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), allOf(fetcher.open(to(script.peer()))));
    // Until patience ends.
    Script gone({headOf(200, 10, tagged) + "01234", headOf(503, 0)});
    options.patience = std::chrono::milliseconds(300);
    Fetcher second(options);
    assertMentions(faultOf([&] { static_cast<void>(allOf(second.open(to(gone.peer())))); }), "5 bytes had come");
    CPPUNIT_ASSERT(gone.count() > 3);
  }

  void patienceEnds() {
    Script script({headOf(503, 0, "Retry-After: 3600\r\n")});
    auto options = quick();
    options.longestPause = std::chrono::hours(2);
    options.openPatience = std::chrono::minutes(30);
    Fetcher fetcher(options);
    assertMentions(faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); }), "1 tries");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, script.count());
  }

  void refusalsAreNotTriedAgain() {
    for (const int status : {400, 401, 403, 404, 410, 416, 304, 204}) {
      Script script({headOf(status, 0)});
      Fetcher fetcher(quick());
      const auto fault = faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); });
      CPPUNIT_ASSERT(fault.code() == FaultCode::DeliveryFailed);
      assertMentions(fault, std::to_string(status));
      assertMentions(fault, script.peer().url("thing"));
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, script.count());
    }
  }

  void stallIsACut() {
    int connection = 0;
    TlsPeer peer([&](Conversation &c) {
      if (c.readHead().empty()) {
        return;
      }
      if (++connection == 1) {
        c.write(headOf(200, 10, tagged) + "01234");
        c.readBytes(1); // until the client goes
      } else {
        c.write(part("5-9/10", "56789"));
      }
    });
    Fetcher fetcher(quick());
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), allOf(fetcher.open(to(peer))));
    CPPUNIT_ASSERT_EQUAL(2, connection);
  }

  void cancelledWhileWaiting() {
    TlsPeer peer([&](Conversation &c) {
      c.readHead();
      c.write(headOf(200, 10, tagged) + "01234");
      c.readBytes(1);
    });
    auto options = quick();
    options.client.stallDeadline = std::chrono::seconds(60);
    bool cancel = false;
    options.client.whileWaiting = [&] {
      if (cancel) {
        throw Fault(FaultCode::Internal, "cancelled by the test");
      }
    };
    Fetcher fetcher(options);
    const auto fetched = fetcher.open(to(peer));
    cancel = true;
    CPPUNIT_ASSERT_EQUAL(std::string("cancelled by the test"),
                         faultOf([&] { static_cast<void>(allOf(fetched)); }).reason());
  }

  void cancelledInAPause() {
    Script script({headOf(503, 0)});
    auto options = quick();
    options.firstPause = std::chrono::minutes(1);
    options.longestPause = std::chrono::minutes(1);
    options.openPatience = std::chrono::minutes(5);
    options.client.whileWaiting = [&] {
      if (script.count() == 1) {
        throw Fault(FaultCode::Internal, "cancelled by the test");
      }
    };
    Fetcher fetcher(options);
    CPPUNIT_ASSERT_EQUAL(std::string("cancelled by the test"),
                         faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); }).reason());
  }

  void followsRedirects() {
    Script script({headOf(302, 0, "Location: /two?x=1\r\n"), headOf(307, 0, "Location: three\r\n"),
                   headOf(200, 4, tagged) + "he", part("2-3/4", "re")});
    auto options = quick();
    options.client.guard = trusting({&script.peer()});
    Fetcher fetcher(options);
    const auto fetched = fetcher.open(to(script.peer(), "one/a"));
    CPPUNIT_ASSERT_EQUAL(script.peer().url("three"), fetched.url);
    CPPUNIT_ASSERT_EQUAL(std::string("here"), allOf(fetched));
    CPPUNIT_ASSERT(script.head(1).starts_with("GET /two?x=1 "));
    CPPUNIT_ASSERT(script.head(3).starts_with("GET /three "));
  }

  void redirectLoopEnds() {
    Script script({headOf(302, 0, "Location: /thing\r\n")});
    Fetcher fetcher(quick());
    assertMentions(faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); }), "more than 5 redirects");
    CPPUNIT_ASSERT_EQUAL(std::size_t{6}, script.count());
  }

  void redirectOutOfHttpsIsRefused() {
    for (const std::string where :
         {"http://127.0.0.1:1/", "ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://h/", "HTTP://127.0.0.1/"}) {
      Script script({headOf(302, 0, "Location: " + where + "\r\n")});
      EgressRules rules;
      rules.schemes = {"https", "http", "ftp", "file"};
      rules.allow = {"127.0.0.0/8", "h"};
      rules.folders = {"/etc"};
      auto options = quick();
      options.client.guard = trusting({&script.peer()}, rules);
      Fetcher fetcher(options);
      const auto fault = faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); });
      CPPUNIT_ASSERT_MESSAGE(fault.what(), fault.code() == FaultCode::AddressNotAllowed);
      assertMentions(fault, "redirects to");
    }
  }

  void redirectToARefusedAddress() {
    TlsPeer inside([](Conversation &c) { c.readHead(); });
    for (const std::string host : {"127.0.0.1", "2130706433", "localhost", "[::ffff:127.0.0.1]", "user@127.0.0.1"}) {
      auto where = inside.url();
      where.replace(where.find("127.0.0.1"), 9, host);
      Script script({headOf(302, 0, "Location: " + where + "\r\n")});
      EgressRules rules;
      rules.allow = {"*:" + std::to_string(partsOf(inside.url()).port)};
      auto options = quick();
      options.client.guard = trusting({&script.peer()}, rules);
      Fetcher fetcher(options);
      const auto fault = faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); });
      CPPUNIT_ASSERT_MESSAGE(fault.what(), fault.code() == FaultCode::AddressNotAllowed);
      assertMentions(fault, "redirects to");
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, script.count());
    }
    CPPUNIT_ASSERT_EQUAL(0, inside.connections());
  }

  void redirectWithoutLocation() {
    Script script({headOf(302, 0)});
    Fetcher fetcher(quick());
    assertMentions(faultOf([&] { static_cast<void>(fetcher.open(to(script.peer()))); }), "302");
  }

  void headersAndKeyStayWithTheirHost() {
    Script other({headOf(200, 2) + "ok"});
    Script first({headOf(302, 0, "Location: " + other.peer().url("x") + "\r\n")});
    auto options = quick();
    options.client.guard = trusting({&first.peer(), &other.peer()});
    Fetcher fetcher(options);
    auto request = to(first.peer());
    request.headers.add("Authorization", "Bearer secret");
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), allOf(fetcher.open(request)));
    CPPUNIT_ASSERT(first.head(0).find("secret") != std::string::npos);
    CPPUNIT_ASSERT(other.head(0).find("secret") == std::string::npos);
  }

  void secretsStayOutOfFaults() {
    Script script({headOf(404, 0)});
    Fetcher fetcher(quick());
    for (const std::string path : {"lease/0123456789abcdef", "x?signature=0123456789abcdef"}) {
      const auto fault = faultOf([&] { static_cast<void>(fetcher.open(to(script.peer(), path))); });
      CPPUNIT_ASSERT(std::string(fault.what()).find("0123456789") == std::string::npos);
    }
    const auto url = "https://127.0.0.1:1/lease/0123456789abcdef";
    auto options = quick();
    options.attempts = 1;
    Fetcher nowhere(options);
    CPPUNIT_ASSERT(std::string(faultOf([&] {
                                 static_cast<void>(nowhere.open({url, {}, {}}));
                               }).what())
                       .find("0123456789") == std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FetchTest);

/// file URLs.
class AllowedFileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AllowedFileTest);
  CPPUNIT_TEST(readsFiles);
  CPPUNIT_TEST(linksMayNotLeadOut);
  CPPUNIT_TEST(nothingButFiles);
  CPPUNIT_TEST(withoutGuardNoFiles);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "waybill-files-XXXXXX").string();
    root_ = mkdtemp(name.data());
    std::filesystem::create_directories(root_ / "open/sub");
    std::filesystem::create_directories(root_ / "closed");
    std::ofstream(root_ / "open/a b?.txt") << "content";
    std::ofstream(root_ / "open/empty");
    std::ofstream(root_ / "closed/secret") << "secret";
    EgressRules rules;
    rules.schemes = {"file"};
    rules.folders = {(root_ / "open").string()};
    options_ = quick();
    options_.client.guard = std::make_shared<const EgressPolicy>(rules);
  }
  void tearDown() override {
    fetcher_.reset();
    std::filesystem::remove_all(root_);
  }

  [[nodiscard]] Fetched open(const std::string &path) {
    fetcher_ = std::make_unique<Fetcher>(options_);
    return fetcher_->open({"file://" + (root_ / path).string(), {}, {}});
  }

  void readsFiles() {
    const auto fetched = open("open/a%20b%3f.txt");
    CPPUNIT_ASSERT(fetched.size == std::optional<std::uint64_t>(7));
    CPPUNIT_ASSERT_EQUAL(std::string("content"), allOf(fetched));
    CPPUNIT_ASSERT_EQUAL(std::string(), allOf(open("open/empty")));
    CPPUNIT_ASSERT(faultOf([&] { static_cast<void>(open("open/none")); }).code() == FaultCode::NoSuchData);
    std::string got;
    fetcher_->fetchRanges(
        {"file://" + (root_ / "open/a%20b%3f.txt").string(), {}, {}}, 7, {{1, 3}, {5, 7}},
        [&](std::uint64_t at, ByteView bytes) { got += std::to_string(at) + std::string(asText(bytes)); });
    CPPUNIT_ASSERT_EQUAL(std::string("1on5nt"), got);
  }

  void linksMayNotLeadOut() {
    namespace fs = std::filesystem;
    fs::create_symlink(root_ / "closed/secret", root_ / "open/link");
    fs::create_symlink(root_ / "closed", root_ / "open/folder");
    fs::create_symlink("a b?.txt", root_ / "open/inside");
    fs::create_symlink("/proc/self/fd/0", root_ / "open/magic");
    for (const std::string path : {"open/link", "open/folder/secret", "open/magic", "open/../closed/secret",
                                   "open/%2e%2e/closed/secret", "closed/secret"}) {
      const auto fault = faultOf([&] { static_cast<void>(open(path)); });
      CPPUNIT_ASSERT_MESSAGE(path + ": " + fault.what(), fault.code() == FaultCode::AddressNotAllowed);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("content"), allOf(open("open/inside")));
    // The folder itself may be reached by a link: the operator named it.
    fs::rename(root_ / "open", root_ / "moved");
    fs::create_symlink(root_ / "moved", root_ / "open");
    CPPUNIT_ASSERT_EQUAL(std::string("content"), allOf(open("open/inside")));
  }

  void nothingButFiles() {
    CPPUNIT_ASSERT_EQUAL(0, mkfifo((root_ / "open/pipe").c_str(), 0600));
    for (const std::string path : {"open/pipe", "open/sub", "open", "open/"}) {
      const auto fault = faultOf([&] { static_cast<void>(open(path)); });
      CPPUNIT_ASSERT_MESSAGE(path + ": " + fault.what(), fault.code() == FaultCode::AddressNotAllowed);
      assertMentions(fault, "regular");
    }
  }

  void withoutGuardNoFiles() {
    Fetcher unguarded(quick());
    CPPUNIT_ASSERT_THROW(static_cast<void>(unguarded.open({"file:///etc/passwd", {}, {}})), Fault);
  }

private:
  std::filesystem::path root_;
  FetchOptions options_;
  std::unique_ptr<Fetcher> fetcher_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(AllowedFileTest);

} // namespace
