// SPDX-License-Identifier: GPL-3.0-or-later
// What the data manager does when things happen at once, in odd order, or on a dying disk.
#include "../storage/watched_disk.hpp"
#include "data_fixture.hpp"

#include <sqlite3.h>
#include <thread>

namespace {

using namespace waybill;
using test::Lab;
using test::RecordedResponse;

class DataManagerTest : public test::DataFixture {
  CPPUNIT_TEST_SUITE(DataManagerTest);
  CPPUNIT_TEST(copyOfWhatIsOverwrittenMeanwhile);
  CPPUNIT_TEST(copyOfWhatIsDeletedMeanwhile);
  CPPUNIT_TEST(whatIsDeletedLaterIsStillSentWhole);
  CPPUNIT_TEST(referenceToWhatIsDeletedMeanwhile);
  CPPUNIT_TEST(publicDataDeletedMeanwhileIsNotFound);
  CPPUNIT_TEST(oneOfManyReceivesWins);
  CPPUNIT_TEST(ifDifferentLooksAtAttributesToo);
  CPPUNIT_TEST(whatHasExpiredIsNotTaken);
  CPPUNIT_TEST(whatExpiresWhileItComesIsNotTaken);
  CPPUNIT_TEST(oneObjectDeletedTwice);
  CPPUNIT_TEST(refusedBatchIsNotRead);
  CPPUNIT_TEST(listOfSeveralPrefixesIsInByteOrder);
  CPPUNIT_TEST(listGoesOnWhenGrantsChange);
  CPPUNIT_TEST(listGoesOnWithAnotherTokensResources);
  CPPUNIT_TEST(readOnlyStoreIsReadAndNotChanged);
  CPPUNIT_TEST(readOnlyCatalogShowsInTheMetrics);
  CPPUNIT_TEST_SUITE_END();

public:
  void copyOfWhatIsOverwrittenMeanwhile() {
    assertSuccess(receive(inlineAt("/a")));
    const auto before = rowAt("/a").id;
    lab.store->beforeReading = [&] { assertSuccess(receive(dataAt("/a", "<wb:Content>eXk=</wb:Content>"), "Always")); };
    const auto reply = copy(dataAt("/a"), "Inline");
    assertSuccess(reply);
    CPPUNIT_ASSERT(has(reply, "eXk=") && !has(reply, before));
  }

  void copyOfWhatIsDeletedMeanwhile() {
    assertSuccess(receive(inlineAt("/a")));
    lab.store->beforeReading = [&] { assertSuccess(ask("Delete", dataAt("/a"))); };
    assertFault(copy(dataAt("/a"), "MTOM"), "NoSuchData", "List (waybill ls) shows what there is");
  }

  void whatIsDeletedLaterIsStillSentWhole() {
    assertSuccess(receive(inlineAt("/a")));
    auto copying = call("Copy", lab.alice);
    CopyRequest request;
    request.data.emplace_back().path = "/a";
    {
      const auto reply = lab.manager.copy(copying, request);
      assertSuccess(ask("Delete", dataAt("/a")));
      CPPUNIT_ASSERT_EQUAL(std::string("hello"), readAll(*reply.parts.at(0).open(), 100, "part"));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, filesIn("content"));
  }

  void referenceToWhatIsDeletedMeanwhile() {
    assertSuccess(receive(inlineAt("/a")));
    const auto href = "<wb:Href>https://lab.test:8443/data/" + rowAt("/a").id + "</wb:Href>";
    lab.store->beforeReading = [&] { assertSuccess(ask("Delete", dataAt("/a"))); };
    assertFault(receive(dataAt("/b", href)), "UnresolvableData", "no data here");
  }

  void publicDataDeletedMeanwhileIsNotFound() {
    assertSuccess(receive(inlineAt("/a", "<wb:Secure>false</wb:Secure>")));
    const auto url = "/data/" + rowAt("/a").id;
    CPPUNIT_ASSERT_EQUAL(200, lab.get(url).status);
    lab.store->beforeReading = [&] { assertSuccess(ask("Delete", dataAt("/a"))); };
    CPPUNIT_ASSERT_EQUAL(404, lab.get(url).status);
  }

  void oneOfManyReceivesWins() {
    for (int round = 0; round < 5; ++round) {
      const auto path = "/same/" + std::to_string(round);
      std::vector<std::string> messages;
      for (int i = 0; i < 16; ++i) {
        messages.push_back(
            Lab::envelope("<wb:Receive>" + inlineAt(path) + "</wb:Receive>", lab.token(lab.alice, "Receive")));
      }
      std::vector<RecordedResponse> replies(messages.size());
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < messages.size(); ++i) {
        threads.emplace_back([&, i] { replies[i] = lab.post("data", messages[i]); });
      }
      threads.clear();
      CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::count_if(replies.begin(), replies.end(),
                                                            [](const auto &reply) { return reply.status == 200; }));
      for (const auto &reply : replies) {
        CPPUNIT_ASSERT_MESSAGE(reply.body, reply.status == 200 || has(reply, "AlreadyExists"));
      }
      CPPUNIT_ASSERT_EQUAL(static_cast<std::size_t>(round + 1), filesIn("content"));
      CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf(path));
    }
  }

  void ifDifferentLooksAtAttributesToo() {
    const auto type = std::string("<wb:ContentType>text/plain</wb:ContentType>");
    const auto isPublic = std::string("<wb:Secure>false</wb:Secure>");
    const auto expires = std::string("<wb:Expires>2100-01-01T00:00:00Z</wb:Expires>");
    const auto metadata = std::string("<wb:Metadata><wb:Name>n</wb:Name><wb:Value>1</wb:Value></wb:Metadata>");
    assertSuccess(receive(inlineAt("/a", type + isPublic + expires + metadata)));
    auto before = rowAt("/a");
    // The same, or nothing said about it: what is there stays.
    for (const auto &same : {std::string(), type, isPublic, expires, metadata, type + isPublic + expires + metadata}) {
      assertSuccess(receive(inlineAt("/a", same), "IfDifferent"));
      CPPUNIT_ASSERT_MESSAGE(same, rowAt("/a") == before);
    }
    for (const auto &other :
         {std::string("<wb:Secure>true</wb:Secure>"), std::string("<wb:ContentType>text/html</wb:ContentType>"),
          std::string("<wb:Expires>2100-01-01T00:00:01Z</wb:Expires>"),
          std::string("<wb:Metadata><wb:Name>n</wb:Name><wb:Value>2</wb:Value></wb:Metadata>")}) {
      assertSuccess(receive(inlineAt("/a", other), "IfDifferent"));
      CPPUNIT_ASSERT_MESSAGE(other, rowAt("/a").id != before.id);
      before = rowAt("/a");
    }
    assertSuccess(receive(inlineAt("/a", isPublic), "IfDifferent"));
    CPPUNIT_ASSERT(!rowAt("/a").secure);
    assertSuccess(receive(inlineAt("/a", "<wb:Secure>true</wb:Secure>"), "IfDifferent"));
    CPPUNIT_ASSERT(rowAt("/a").secure);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("what was replaced is gone", std::size_t{1}, filesIn("content"));
  }

  void whatHasExpiredIsNotTaken() {
    assertSuccess(receive(inlineAt("/a")));
    const auto before = rowAt("/a");
    const auto at = [&](Time time) { return "<wb:Expires>" + formatUtc(time) + "</wb:Expires>"; };
    for (const auto *overwrite : {"Always", "IfDifferent"}) {
      assertFault(receive(inlineAt("/a", at(lab.clock.now() - std::chrono::seconds(1))), overwrite), "BadParameter",
                  "Expires");
    }
    assertFault(receive(inlineAt("/b") + inlineAt("/c", at(lab.clock.now() - std::chrono::hours(1)))), "BadParameter",
                "/c");
    CPPUNIT_ASSERT(!lab.catalog->objectAt("/b"));
    CPPUNIT_ASSERT(rowAt("/a") == before);
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/a"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, filesIn("content"));
  }

  void whatExpiresWhileItComesIsNotTaken() {
    assertSuccess(receive(inlineAt("/a")));
    assertSuccess(receive(inlineAt("/b")));
    const auto before = rowAt("/b");
    const auto expires = "<wb:Expires>" + formatUtc(lab.clock.now() + std::chrono::minutes(1)) + "</wb:Expires>";
    const auto href = "<wb:Href>https://lab.test:8443/data/" + rowAt("/a").id + "</wb:Href>";
    lab.store->beforeReading = [&] { lab.clock.advance(std::chrono::minutes(2)); };
    assertFault(receive(dataAt("/b", expires + href), "Always"), "BadParameter", "Expires");
    CPPUNIT_ASSERT(rowAt("/b") == before);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, filesIn("content"));
  }

  void oneObjectDeletedTwice() {
    assertSuccess(receive(inlineAt("/a")));
    const auto id = rowAt("/a").id;
    assertFault(ask("Delete", dataAt("/a") + dataAt("/a")), "BadParameter", "twice");
    assertFault(ask("Delete", dataAt("/a") + "<wb:Data><wb:Id>https://lab.test:8443/data/" + id + "</wb:Id></wb:Data>"),
                "BadParameter", "twice");
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), contentOf("/a"));
  }

  void refusedBatchIsNotRead() {
    /// The attachment of the first Data: none of it may be asked for.
    struct Endless final : Source {
      explicit Endless(std::string text) : head(std::move(text)) {}
      std::size_t read(std::span<std::byte> into) override {
        if (const auto count = head.read(into)) {
          return count;
        }
        served += into.size();
        CPPUNIT_ASSERT_MESSAGE("a refused batch is being read", served < 4U << 20U);
        return into.size();
      }
      StringSource head;
      std::uint64_t served = 0;
    };
    assertSuccess(receive(inlineAt("/taken")));
    const auto bytes = std::string("<wb:Attachment>cid:two</wb:Attachment>");
    const std::vector<std::pair<std::string, std::string>> refused{
        {dataAt("/taken", bytes), "AlreadyExists"},
        {dataAt("/b", "<wb:ContentType>nonsense</wb:ContentType>" + bytes), "BadParameter"},
        {dataAt("/b", "<wb:Size>18446744073709551615</wb:Size>" + bytes), "NoSpace"},
        {dataAt("/b", "<wb:Metadata><wb:Name>n</wb:Name><wb:Value>" + std::string(20'000, 'v') +
                          "</wb:Value></wb:Metadata>" + bytes),
         "BadParameter"},
        {dataAt("/a/../b", bytes), "BadParameter"}};
    for (const auto &[second, code] : refused) {
      Endless body(part("Content-Type: text/xml",
                        Lab::envelope("<wb:Receive>" + dataAt("/first", "<wb:Attachment>cid:one</wb:Attachment>") +
                                          second + "</wb:Receive>",
                                      lab.token(lab.alice, "Receive"))) +
                   "--b\r\nContent-ID: <one>\r\n\r\n");
      transport::Request request;
      request.method = "POST";
      request.path = "/services/data";
      request.headers = {{"Host", "lab.test"}, {"Content-Type", "multipart/related; boundary=b"}};
      request.body = &body;
      RecordedResponse response;
      lab.dataEndpoint.handle(request, response);
      assertFault(response, code);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, filesIn("staging"));
  }

  void listOfSeveralPrefixesIsInByteOrder() {
    const std::vector<std::string> all{"/a", "/a-b", "/a-b/1", "/a.b/1", "/a.c/1", "/a/1", "/b/1"};
    for (const auto &path : all) {
      assertSuccess(receive(inlineAt(path)));
    }
    const test::Party bob{"bob"};
    lab.makeKnown(bob, "bob");
    for (const auto *prefix : {"/a", "/a-b", "/a.b"}) {
      lab.allow("bob", "list", prefix);
    }
    const std::vector<std::string> visible{"/a", "/a-b", "/a-b/1", "/a.b/1", "/a/1"};
    for (const auto limit : {1U, 2U, 3U, 100U}) {
      CPPUNIT_ASSERT(pages(bob, limit) == visible);
    }
    CPPUNIT_ASSERT(pages(lab.alice, 2) == all);
  }

  void listGoesOnWhenGrantsChange() {
    for (const auto *path : {"/x/1", "/x/2", "/y/1", "/y/2", "/z/1"}) {
      assertSuccess(receive(inlineAt(path)));
    }
    const test::Party bob{"bob"};
    lab.makeKnown(bob, "bob");
    for (const auto *prefix : {"/x", "/y"}) {
      lab.allow("bob", "list", prefix);
    }
    // More may be seen from the second page on: the rest of the old, and of the new what comes after.
    const auto wider = pages(bob, 1, [&] { lab.allow("bob", "list", "/"); });
    CPPUNIT_ASSERT((wider == std::vector<std::string>{"/x/1", "/x/2", "/y/1", "/y/2", "/z/1"}));
    // And less.
    const auto narrower = pages(bob, 2, [&] {
      for (const auto &grant : lab.catalog->grantsOf(bob.key.id())) {
        if (grant.prefix != "/y") {
          storage::committed(*lab.catalog, [&](storage::Transaction &transaction) {
            return security::Trust::revoke(transaction, grant.id);
          });
        }
      }
    });
    CPPUNIT_ASSERT((narrower == std::vector<std::string>{"/x/1", "/x/2", "/y/1", "/y/2"}));
  }

  void listGoesOnWithAnotherTokensResources() {
    for (const auto *path : {"/x/1", "/x/2", "/y/1"}) {
      assertSuccess(receive(inlineAt(path)));
    }
    auto listing = call("List", lab.alice);
    ListRequest request;
    request.limit = 1;
    listing.claims.resources = {"/x", "/y"};
    request.pageToken = lab.manager.list(listing, request).nextPageToken;
    request.limit = 10;
    listing.claims.resources = {"/"};
    const auto rest = lab.manager.list(listing, request);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rest.data.size());
    CPPUNIT_ASSERT(rest.data[0].path == "/x/2" && rest.data[1].path == "/y/1");
  }

  void readOnlyStoreIsReadAndNotChanged() {
    assertSuccess(receive(inlineAt("/a", "<wb:Secure>false</wb:Secure>")));
    const auto soon = formatUtc(lab.clock.now() + std::chrono::minutes(1));
    assertSuccess(receive(inlineAt("/old", "<wb:Expires>" + soon + "</wb:Expires>")));
    lab.clock.advance(std::chrono::minutes(2));
    CPPUNIT_ASSERT(has(lab.get("/metrics"), "\nwaybill_store_read_only 0"));
    lab.syncsFail = true;
    assertFault(receive(inlineAt("/b")), "Internal", "read-only");
    lab.syncsFail = false; // too late
    assertFault(receive(inlineAt("/b")), "Internal", "the instance takes no changes");
    assertFault(ask("Delete", dataAt("/a")), "Internal", "the instance takes no changes");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, lab.manager.removeExpired());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, filesIn("content"));
    CPPUNIT_ASSERT(lab.catalog->objectAt("/old"));
    // Reading goes on.
    CPPUNIT_ASSERT(has(copy(dataAt("/a"), "MTOM"), "\r\n\r\nhello\r\n--"));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), lab.get("/data/" + rowAt("/a").id).body);
    CPPUNIT_ASSERT(has(ask("List", ""), ">/a<"));
    assertSuccess(ask("Describe", dataAt("/a")));
    CPPUNIT_ASSERT(has(lab.get("/metrics"), "\nwaybill_store_read_only 1"));
    CPPUNIT_ASSERT_EQUAL(503, lab.get("/healthz").status);
  }

  void readOnlyCatalogShowsInTheMetrics() {
    storage::tests::WatchedDisk disk;
    Lab other; // opened on that disk
    CPPUNIT_ASSERT(has(other.get("/metrics"), "\nwaybill_store_read_only 0"));
    disk.log.syncResult = SQLITE_IOERR_FSYNC;
    assertFault(other.put("/a", "eA=="), "Internal");
    disk.log.syncResult = SQLITE_OK;
    CPPUNIT_ASSERT_EQUAL(std::string(), other.store->readOnlyReason());
    CPPUNIT_ASSERT(has(other.get("/metrics"), "\nwaybill_store_read_only 1"));
    CPPUNIT_ASSERT_EQUAL(503, other.get("/healthz").status);
  }

private:
  /// All pages of a List of everything, one after another; `between` runs after the first.
  std::vector<std::string> pages(
      const test::Party &party, std::uint32_t limit, std::function<void()> between = [] {}) {
    std::vector<std::string> found;
    ListRequest request;
    request.limit = limit;
    for (int page = 0; page < 20; ++page) {
      auto listing = call("List", party);
      const auto response = lab.manager.list(listing, request);
      CPPUNIT_ASSERT(response.data.size() <= limit);
      for (const auto &data : response.data) {
        found.push_back(data.path.value());
      }
      request.pageToken = response.nextPageToken;
      if (!request.pageToken) {
        return found;
      }
      std::exchange(between, [] {})();
    }
    CPPUNIT_FAIL("the pages have no end");
    return found;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DataManagerTest);

} // namespace
