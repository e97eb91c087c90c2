// SPDX-License-Identifier: GPL-3.0-or-later
// What bounds one message, one object, and the disk.
#include "data_fixture.hpp"
#include "soap/codec.hpp"

#include <fstream>
#include <sys/resource.h>
#include <thread>

namespace {

using namespace waybill;
using test::Lab;
using test::RecordedResponse;

constexpr std::uint64_t mib = 1U << 20U;

services::Config smallLimits() {
  services::Config config;
  config.limits.parts = 4;
  config.inlineBytes = 9;
  config.objectBytes = 6;
  return config;
}

/// The process may have so many descriptors more than now, while this lives.
class FewDescriptors {
public:
  explicit FewDescriptors(std::size_t more) {
    const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit now{static_cast<rlim_t>(open) + more, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors &) = delete;
  FewDescriptors &operator=(const FewDescriptors &) = delete;

private:
  rlimit before_{};
};

class SmallLimitsTest : public test::DataFixture {
  CPPUNIT_TEST_SUITE(SmallLimitsTest);
  CPPUNIT_TEST(objectsOfOneCopy);
  CPPUNIT_TEST(bytesOfOneObject);
  CPPUNIT_TEST(bytesSentInline);
  CPPUNIT_TEST_SUITE_END();

public:
  SmallLimitsTest() : DataFixture(smallLimits()) {}

  void objectsOfOneCopy() {
    std::string three;
    for (const auto *path : {"/1", "/2", "/3", "/4"}) {
      assertSuccess(receive(inlineAt(path)));
    }
    three = dataAt("/1") + dataAt("/2") + dataAt("/3");
    assertSuccess(copy(three, "MTOM"));
    for (const auto *how : {"MTOM", "SwA", "Inline", "Reference"}) {
      assertFault(copy(three + dataAt("/4"), how), "TooLarge", "limits.parts");
    }
  }

  void bytesOfOneObject() {
    const auto seven = "<wb:Content>" + std::string("MTIzNDU2Nw==") + "</wb:Content>";
    assertSuccess(receive(dataAt("/six", "<wb:Content>MTIzNDU2</wb:Content>")));
    assertFault(receive(dataAt("/seven", seven)), "TooLarge", "limits.object_bytes");
    assertFault(receive(dataAt("/seven", "<wb:Size>7</wb:Size>" + seven)), "TooLarge", "limits.object_bytes");
    CPPUNIT_ASSERT(!lab.catalog->objectAt("/seven"));
  }

  void bytesSentInline() {
    assertSuccess(receive(inlineAt("/a")));
    assertSuccess(receive(inlineAt("/b")));
    assertSuccess(copy(dataAt("/a"), "Inline"));
    assertFault(copy(dataAt("/a") + dataAt("/b"), "Inline"), "TooLarge", "limits.inline_bytes");
    assertSuccess(copy(dataAt("/a") + dataAt("/b"), "MTOM"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmallLimitsTest);

class DataLimitsTest : public test::DataFixture {
  CPPUNIT_TEST_SUITE(DataLimitsTest);
  CPPUNIT_TEST(metadataOfOneObject);
  CPPUNIT_TEST(pagesAreBoundedInBytes);
  CPPUNIT_TEST(aPageHasAtLeastOne);
  CPPUNIT_TEST(repliesAreBoundedInBytes);
  CPPUNIT_TEST(largeBatchesNeedFewDescriptors);
  CPPUNIT_TEST(sizesPastAllBoundsAreNoSpace);
  CPPUNIT_TEST(roomIsLookedAtWhileWriting);
  CPPUNIT_TEST(roomIsLookedAtWhileSpooling);
  CPPUNIT_TEST(keptPartsAreReadFromWhereTheyBegin);
  CPPUNIT_TEST_SUITE_END();

public:
  void metadataOfOneObject() {
    const auto entry = [](std::size_t value) {
      return "<wb:Metadata><wb:Name>name</wb:Name><wb:Value>" + std::string(value, 'v') + "</wb:Value></wb:Metadata>";
    };
    const auto entries = [&](int count) {
      std::string all;
      for (int i = 0; i < count; ++i) {
        all += entry(1);
      }
      return all;
    };
    assertSuccess(receive(inlineAt("/a", entry(16 * 1024 - 4))));
    assertSuccess(receive(inlineAt("/b", entries(100))));
    assertFault(receive(inlineAt("/c", entry(16 * 1024 - 3))), "BadParameter", "16384 bytes");
    assertFault(receive(inlineAt("/c", entries(101))), "BadParameter", "at most 100 Metadata");
    CPPUNIT_ASSERT(!lab.catalog->objectAt("/c"));
  }

  void pagesAreBoundedInBytes() {
    // 9.8 MB as text, and five times as much when each sign has to be escaped.
    for (const auto sign : {'v', '<'}) {
      const auto prefix = std::string("/") + (sign == 'v' ? "plain" : "escaped");
      fill(prefix, 600, 1, std::string(16'000, sign));
      checkPages(prefix, 600);
    }
    fill("/many", 1000, 100, "");
    checkPages("/many", 1000);
  }

  void aPageHasAtLeastOne() {
    fill("/huge", 2, 1, std::string(9'000'000, 'v'));
    auto listing = call("List", lab.alice);
    const auto page = lab.manager.list(listing, {});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, page.data.size());
    CPPUNIT_ASSERT(page.nextPageToken);
  }

  void repliesAreBoundedInBytes() {
    fill("/m", 1, 1, std::string(16'000, 'v'));
    std::vector<Data> data(1100);
    for (auto &one : data) {
      one.path = "/m/0";
    }
    auto describing = call("Describe", lab.alice);
    CPPUNIT_ASSERT_EQUAL(std::size_t{900},
                         lab.manager.describe(describing, {{data.begin(), data.begin() + 900}}).data.size());
    try {
      (void)lab.manager.describe(describing, {data});
      CPPUNIT_FAIL("a reply of 17 MiB");
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_MESSAGE(fault.what(), fault.code() == FaultCode::TooLarge);
    }
  }

  void largeBatchesNeedFewDescriptors() {
    std::string data;
    std::string parts;
    std::string wanted;
    for (int i = 0; i < 1000; ++i) {
      const auto n = std::to_string(i);
      data += dataAt("/b/" + n, "<wb:Attachment>cid:" + n + "</wb:Attachment>");
      parts += part("Content-ID: <" + n + ">", "content of " + n);
      wanted += dataAt("/b/" + n);
    }
    assertSuccess(lab.post("data",
                           part("Content-Type: text/xml", Lab::envelope("<wb:Receive>" + data + "</wb:Receive>",
                                                                        lab.token(lab.alice, "Receive"))) +
                               parts + "--b--\r\n",
                           "multipart/related; boundary=b"));
    std::vector<std::string> messages;
    for (int i = 0; i < 16; ++i) {
      messages.push_back(Lab::envelope("<wb:Copy>" + wanted + "</wb:Copy>", lab.token(lab.alice, "Copy")));
    }
    std::vector<RecordedResponse> replies(messages.size());
    {
      const FewDescriptors few(64);
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < messages.size(); ++i) {
        threads.emplace_back([&, i] { replies[i] = lab.post("data", messages[i]); });
      }
    }
    for (const auto &reply : replies) {
      assertSuccess(reply);
      CPPUNIT_ASSERT(has(reply, "\r\n\r\ncontent of 0\r\n") && has(reply, "\r\n\r\ncontent of 999\r\n"));
    }
  }

  void sizesPastAllBoundsAreNoSpace() {
    for (const auto *size : {"18446744073709551615", "18446744073642442752", "9223372036854775807"}) {
      assertFault(receive(inlineAt("/a", "<wb:Size>" + std::string(size) + "</wb:Size>")), "NoSpace",
                  "minimum_free_bytes");
    }
    // Nor do many add up to little.
    const auto half = "<wb:Size>9223372036854775808</wb:Size>";
    assertFault(receive(inlineAt("/a", half) + inlineAt("/b", half)), "NoSpace");
    lab.store->free = [] { return 64 * mib - 1; };
    assertFault(receive(inlineAt("/a")), "NoSpace");
    lab.store->free = [] { return 64 * mib + 5; };
    assertFault(receive(inlineAt("/a", "<wb:Size>6</wb:Size>")), "NoSpace");
    assertSuccess(receive(inlineAt("/a", "<wb:Size>5</wb:Size>")));
  }

  void roomIsLookedAtWhileWriting() {
    // Another upload takes the room after the first look.
    lab.store->free = [looks = 0]() mutable { return ++looks <= 2 ? 1000 * mib : 64 * mib - 1; };
    assertFault(upload(false), "NoSpace", "minimum_free_bytes");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, filesIn("staging") + filesIn("content"));
    lab.store->free = {};
    assertSuccess(upload(false));
  }

  void roomIsLookedAtWhileSpooling() {
    lab.store->free = [looks = 0]() mutable { return ++looks <= 1 ? 1000 * mib : 64 * mib - 1; };
    assertFault(upload(true), "NoSpace", "minimum_free_bytes");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, filesIn("staging") + filesIn("content"));
    lab.store->free = {};
    assertSuccess(upload(true));
  }

  void keptPartsAreReadFromWhereTheyBegin() {
    const auto file = services::spoolIn(lab.home.path(), lab.room)();
    file->write(asBytes(std::string(8 * mib, 'x')));
    file->write(asBytes("the end"));
    const auto before = bytesReadByThisThread();
    CPPUNIT_ASSERT_EQUAL(std::string("the end"), readAll(*file->reopenAt(8 * mib), 100, "part"));
    const auto read = bytesReadByThisThread() - before;
    CPPUNIT_ASSERT_MESSAGE(std::to_string(read) + " bytes were read", read >= 7 && read < 100'000);
  }

private:
  /// Rows without content below `prefix`, each with so much metadata.
  void fill(const std::string &prefix, int rows, std::size_t entries, const std::string &value) {
    lab.catalog->commit(storage::Durability::Durable, [&](storage::Transaction &transaction) {
      for (int i = 0; i < rows; ++i) {
        storage::ObjectRow row;
        row.id = randomId(lab.random);
        row.path = prefix + "/" + std::to_string(i);
        row.owner = lab.alice.key.id();
        row.contentType = "application/octet-stream";
        row.sha256 = std::string(64, '0');
        row.metadata.assign(entries, {"n", value});
        transaction.insert(row);
      }
    });
  }

  void checkPages(const std::string &prefix, std::size_t rows) {
    std::vector<std::string> paths;
    ListRequest request;
    request.prefix = prefix;
    std::size_t pages = 0;
    do {
      auto listing = call("List", lab.alice);
      const auto page = lab.manager.list(listing, request);
      const auto xml = soap::encode(page);
      CPPUNIT_ASSERT_MESSAGE(std::to_string(xml.size()), xml.size() <= 4 * mib);
      const auto elements = static_cast<std::size_t>(std::count(xml.begin(), xml.end(), '<')) / 2;
      CPPUNIT_ASSERT_MESSAGE(std::to_string(elements), elements < soap::Limits().elements);
      std::transform(page.data.begin(), page.data.end(), std::back_inserter(paths),
                     [](const auto &data) { return data.path.value(); });
      request.pageToken = page.nextPageToken;
      ++pages;
    } while (request.pageToken);
    CPPUNIT_ASSERT(pages > 1);
    CPPUNIT_ASSERT_EQUAL(rows, paths.size());
    CPPUNIT_ASSERT(std::adjacent_find(paths.begin(), paths.end(), std::greater_equal<>()) == paths.end());
  }

  /// An attachment of 12 MiB whose Size is not said, behind the envelope or before it.
  RecordedResponse upload(bool early) {
    const auto root = part("Content-ID: <root>\r\nContent-Type: text/xml",
                           Lab::envelope("<wb:Receive>" + dataAt("/big", "<wb:Attachment>cid:one</wb:Attachment>") +
                                             "<wb:Overwrite>Always</wb:Overwrite></wb:Receive>",
                                         lab.token(lab.alice, "Receive")));
    const auto attached = part("Content-ID: <one>", std::string(12 * mib, 'x'));
    return lab.post("data", (early ? attached + root : root + attached) + "--b--",
                    "multipart/related; start=\"<root>\"; boundary=b");
  }

  /// As the kernel counts them (proc(5), /proc/<pid>/io).
  static std::uint64_t bytesReadByThisThread() {
    std::ifstream file("/proc/thread-self/io");
    std::string label;
    std::uint64_t bytes = 0;
    CPPUNIT_ASSERT(file >> label >> bytes && label == "rchar:");
    return bytes;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DataLimitsTest);

} // namespace
