// SPDX-License-Identifier: GPL-3.0-or-later
#include "content_store_suite.hpp"
#include "small_disk.hpp"
#include "storage/file_store.hpp"
#include "temporary_folder.hpp"

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>

namespace {

using namespace waybill;
using namespace waybill::storage;
using namespace waybill::storage::tests;
namespace fs = std::filesystem;

/// Counts the syncs and lets the one that is due fail with EIO.
class FailingSync final : public SyncCalls {
public:
  int sync(int fd) noexcept override { return next(real_.sync(fd)); }
  int syncFileSystem(int fd) noexcept override { return next(real_.syncFileSystem(fd)); }

  void failAt(int call) { failAt_ = call; }
  [[nodiscard]] int calls() const noexcept { return calls_; }

private:
  int next(int result) noexcept { return ++calls_ == failAt_ ? EIO : result; }

  SystemSyncCalls real_;
  std::atomic<int> calls_{0};
  std::atomic<int> failAt_{0};
};

std::size_t filesIn(const std::string &folder) {
  std::size_t files = 0;
  for (const auto &entry : fs::recursive_directory_iterator(folder)) {
    files += entry.is_directory() ? 0 : 1;
  }
  return files;
}

mode_t modeOf(const std::string &path) {
  struct stat found {};
  CPPUNIT_ASSERT_EQUAL_MESSAGE(path, 0, ::lstat(path.c_str(), &found));
  return found.st_mode & 07777;
}

std::size_t openDescriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

/// Files may grow to so many bytes while this lives.
class FileSizeLimit {
public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limits_);
    const rlimit now{bytes, limits_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limits_);
    (void)std::signal(SIGXFSZ, before_);
  }
  FileSizeLimit(const FileSizeLimit &) = delete;
  FileSizeLimit &operator=(const FileSizeLimit &) = delete;

private:
  rlimit limits_{};
  void (*before_)(int) = nullptr;
};

class FileStoreTest : public ContentStoreSuite {
  CPPUNIT_TEST_SUB_SUITE(FileStoreTest, ContentStoreSuite);
  CPPUNIT_TEST(filesLieInShards);
  CPPUNIT_TEST(onlyTheOwnerMayLook);
  CPPUNIT_TEST(stagingIsEmptyWhenUnpublishedContentGoes);
  CPPUNIT_TEST(recoveryClearsWhatACrashLeft);
  CPPUNIT_TEST(recoveryLeavesForeignFilesAlone);
  CPPUNIT_TEST(everyFolderOnTheWayIsSynced);
  CPPUNIT_TEST(manyAreSyncedTogether);
  CPPUNIT_TEST(heldContentTakesNoDescriptor);
  CPPUNIT_TEST(anyFailingSyncLeavesNothingAndIsFinal);
  CPPUNIT_TEST(aFailingSyncOfManyLeavesNothing);
  CPPUNIT_TEST(aStoreThatCannotSyncAtFirstIsRefused);
  CPPUNIT_TEST(sealedContentDoesNotUseUpDescriptors);
  CPPUNIT_TEST(aLimitOnFileSizesIsNoSpace);
  CPPUNIT_TEST(aFullDiskIsNoSpaceAndPasses);
  CPPUNIT_TEST(aFolderThatVanishedIsMadeAgain);
  CPPUNIT_TEST(contentThatWasCutIsNoticed);
  CPPUNIT_TEST(aFolderThatCannotBeMade);
  CPPUNIT_TEST_SUITE_END();

public:
  void filesLieInShards() {
    nextIds_ = {"0123456789abcdef0123456789abcdef"};
    publish("text");
    CPPUNIT_ASSERT(fs::is_regular_file(folder_->file("content/01/23/0123456789abcdef0123456789abcdef")));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, filesIn(folder_->path()));
  }

  void onlyTheOwnerMayLook() {
    nextIds_ = {"0123456789abcdef0123456789abcdef"};
    publish("text");
    for (const auto *folder : {"content", "staging", "content/01", "content/01/23"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(folder, mode_t{0700}, modeOf(folder_->file(folder)));
    }
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, modeOf(folder_->file("content/01/23/0123456789abcdef0123456789abcdef")));
  }

  void stagingIsEmptyWhenUnpublishedContentGoes() {
    auto staged = stageText("half");
    auto sealed = stageText("whole");
    (void)sealed->sha256Hex();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, filesIn(folder_->file("staging")));
    staged.reset();
    sealed.reset();
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, filesIn(folder_->path()));
  }

  void recoveryClearsWhatACrashLeft() {
    const auto known = publish("known");
    // What a crash leaves: files in staging, and content that no row names.
    std::ofstream(folder_->file("staging/0123456789abcdef0123456789abcdef")) << "half";
    std::ofstream(folder_->file("staging/spool-x1y2z3")) << "half";
    fs::create_directories(folder_->file("content/fe/dc"));
    std::ofstream(folder_->file("content/fe/dc/fedcba9876543210fedcba9876543210")) << "orphan";
    const auto again = openFileStore(folder_->path(), [this] { return makeId(); });
    CPPUNIT_ASSERT_EQUAL(std::size_t{1},
                         again->recover([&](const std::string &id, std::uint64_t) { return id == known; }));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, filesIn(folder_->path()));
    CPPUNIT_ASSERT_EQUAL(std::string("known"), readAll(*again->open(known), 100, "content"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, again->recover([](const std::string &, std::uint64_t) { return true; }));
  }

  void recoveryLeavesForeignFilesAlone() {
    fs::create_directories(folder_->file("content/01/23"));
    const std::vector<std::string> foreign{"content/README", "content/01/note.txt", "content/01/23/0123.bak",
                                           "content/01/23/ffff456789abcdef0123456789abcdef"};
    for (const auto &name : foreign) {
      std::ofstream(folder_->file(name)) << "mine";
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store_->recover([](const std::string &, std::uint64_t) { return false; }));
    for (const auto &name : foreign) {
      CPPUNIT_ASSERT_MESSAGE(name, fs::exists(folder_->file(name)));
    }
  }

  void everyFolderOnTheWayIsSynced() {
    nextIds_ = {"01230000000000000000000000000000", "01230000000000000000000000000001",
                "01450000000000000000000000000000"};
    auto before = sync_->calls();
    publish("first in ab and in cd");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("file, leaf, branch, content", 4, sync_->calls() - before);
    before = sync_->calls();
    publish("in a known folder");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("file, leaf", 2, sync_->calls() - before);
    before = sync_->calls();
    publish("first in cd");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("file, leaf, branch", 3, sync_->calls() - before);
  }

  void manyAreSyncedTogether() {
    std::vector<std::unique_ptr<StagedContent>> staged;
    for (int i = 0; i < 100; ++i) {
      staged.push_back(stageText("text"));
    }
    const auto before = sync_->calls();
    publishAll(staged);
    CPPUNIT_ASSERT_EQUAL(2, sync_->calls() - before);
  }

  void heldContentTakesNoDescriptor() {
    const auto id = publish("held");
    const auto before = openDescriptors();
    std::vector<std::unique_ptr<HeldContent>> held;
    for (int i = 0; i < 1000; ++i) {
      held.push_back(store_->hold(id));
    }
    CPPUNIT_ASSERT_EQUAL(before, openDescriptors());
    store_->remove(id);
    held.resize(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, filesIn(folder_->path()));
    held.clear();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("gone with its last reader", std::size_t{0}, filesIn(folder_->path()));
  }

  void anyFailingSyncLeavesNothingAndIsFinal() {
    // Three files in folders of their own: 3 files, 3 leaves, 3 branches and content/.
    int failures = 0;
    for (int at = 1; at <= 10; ++at) {
      setUp();
      std::vector<std::unique_ptr<StagedContent>> staged;
      for (int i = 0; i < 3; ++i) {
        staged.push_back(stageText("text"));
      }
      const auto failing = sync_->calls() + at;
      sync_->failAt(failing);
      const auto fault = expectFault(FaultCode::Internal, [&] { publishAll(staged); });
      expectMentions(fault, "read-only");
      CPPUNIT_ASSERT(fault.log().forLog().find(folder_->path()) != std::string::npos);
      CPPUNIT_ASSERT(fault.reason().find(folder_->path()) == std::string::npos);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("never tried again", failing, sync_->calls());
      checkReadOnly(std::move(staged), failing);
      ++failures;
    }
    CPPUNIT_ASSERT_EQUAL(10, failures);
  }

  void aFailingSyncOfManyLeavesNothing() {
    for (int at = 1; at <= 2; ++at) {
      setUp();
      const auto earlier = publish("earlier");
      std::vector<std::unique_ptr<StagedContent>> staged;
      for (int i = 0; i < 50; ++i) {
        staged.push_back(stageText("text"));
      }
      const auto failing = sync_->calls() + at;
      sync_->failAt(failing);
      expectFault(FaultCode::Internal, [&] { publishAll(staged); });
      CPPUNIT_ASSERT_EQUAL(std::string("earlier"), readAll(*store_->open(earlier), 100, "content"));
      store_->remove(earlier); // not while nobody knows what the disk holds
      CPPUNIT_ASSERT_EQUAL(std::string("earlier"), readAll(*store_->open(earlier), 100, "content"));
      checkReadOnly(std::move(staged), failing, 1);
    }
  }

  void aStoreThatCannotSyncAtFirstIsRefused() {
    const TemporaryFolder folder;
    auto sync = std::make_unique<FailingSync>();
    sync->failAt(1);
    expectFault(FaultCode::Internal, [&] {
      FileStore(
          folder.path(), [this] { return makeId(); }, std::move(sync));
    });
  }

  void sealedContentDoesNotUseUpDescriptors() {
    const auto before = openDescriptors();
    std::vector<std::unique_ptr<StagedContent>> staged;
    for (int i = 0; i < 900; ++i) {
      staged.push_back(stageText("text " + std::to_string(i)));
      (void)staged.back()->adler32Hex();
    }
    CPPUNIT_ASSERT(openDescriptors() - before < 300);
    // A few of them, of which none is open any more, are made durable all the same.
    std::vector<StagedContent *> few{staged[800].get(), staged[801].get()};
    store_->publish(few);
    CPPUNIT_ASSERT_EQUAL(std::string("text 801"), readAll(*store_->open(staged[801]->id()), 100, "content"));
    staged.erase(staged.begin() + 800, staged.begin() + 802);
    publishAll(staged);
    CPPUNIT_ASSERT_EQUAL(before, openDescriptors());
    CPPUNIT_ASSERT_EQUAL(std::size_t{900}, filesIn(folder_->file("content")));
  }

  void aLimitOnFileSizesIsNoSpace() {
    auto staged = store_->stage();
    staged->write(asBytes(pattern(100'000)));
    {
      const FileSizeLimit limit(150'000);
      expectFault(FaultCode::NoSpace, [&] { staged->write(asBytes(pattern(100'000))); });
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE("gone at once", std::size_t{0}, filesIn(folder_->path()));
    expectFault(FaultCode::Internal, [&] { staged->write(asBytes("more")); });
    StagedContent *const one = staged.get();
    expectFault(FaultCode::Internal, [&] { store_->publish({&one, 1}); });
    CPPUNIT_ASSERT_EQUAL(std::string(), store_->readOnlyReason());
    publish("goes on");
  }

  void aFullDiskIsNoSpaceAndPasses() {
    const SmallDisk disk(512 * 1024);
    const auto store = openFileStore(disk.path(), [this] { return makeId(); });
    auto staged = store->stage();
    expectFault(FaultCode::NoSpace, [&] {
      for (int i = 0; i < 100; ++i) {
        staged->write(asBytes(pattern(100'000)));
      }
    });
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, filesIn(disk.path()));
    CPPUNIT_ASSERT(store->freeBytes() > 300'000);
    auto next = store->stage();
    next->write(asBytes(pattern(100'000)));
    StagedContent *const one = next.get();
    store->publish({&one, 1});
    CPPUNIT_ASSERT(readAll(*store->open(next->id()), 100'000, "content") == pattern(100'000));
    CPPUNIT_ASSERT_EQUAL(std::string(), store->readOnlyReason());
  }

  void aFolderThatVanishedIsMadeAgain() {
    nextIds_ = {"01230000000000000000000000000000", "01230000000000000000000000000001"};
    store_->remove(publish("first"));
    fs::remove_all(folder_->file("content/01"));
    const auto before = sync_->calls();
    const auto id = publish("second");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("file, leaf, branch, content", 4, sync_->calls() - before);
    CPPUNIT_ASSERT_EQUAL(std::string("second"), readAll(*store_->open(id), 100, "content"));
  }

  void contentThatWasCutIsNoticed() {
    nextIds_ = {"0123456789abcdef0123456789abcdef"};
    const auto reader = store_->open(publish("0123456789"));
    fs::resize_file(folder_->file("content/01/23/0123456789abcdef0123456789abcdef"), 4);
    expectFault(FaultCode::Internal, [&] { (void)readAll(*reader, 100, "content"); });
  }

  void aFolderThatCannotBeMade() {
    const auto path = folder_->file("no/such/parent");
    const auto fault =
        expectFault(FaultCode::Internal, [&] { (void)openFileStore(path, [this] { return makeId(); }); });
    expectMentions(fault, path);
  }

protected:
  std::unique_ptr<ContentStore> makeStore() override {
    folders_.push_back(std::make_unique<TemporaryFolder>());
    folder_ = folders_.back().get();
    auto sync = std::make_unique<FailingSync>();
    sync_ = sync.get();
    return std::make_unique<FileStore>(
        folder_->path(), [this] { return makeId(); }, std::move(sync));
  }

private:
  void checkReadOnly(std::vector<std::unique_ptr<StagedContent>> staged, int syncs, std::size_t files = 0) {
    for (const auto &one : staged) {
      expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(one->id()); });
    }
    CPPUNIT_ASSERT(!store_->readOnlyReason().empty());
    expectFault(FaultCode::Internal, [&] { (void)store_->stage(); });
    expectFault(FaultCode::Internal, [&] { publishAll(staged); });
    expectFault(FaultCode::Internal, [&] { store_->requireWritable(); });
    staged.clear();
    CPPUNIT_ASSERT_EQUAL(files, filesIn(folder_->path()));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("never tried again", syncs, sync_->calls());
  }

  std::vector<std::unique_ptr<TemporaryFolder>> folders_;
  TemporaryFolder *folder_ = nullptr;
  FailingSync *sync_ = nullptr;
};

CPPUNIT_TEST_SUITE_REGISTRATION(FileStoreTest);

} // namespace
