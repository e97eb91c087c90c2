// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "expect_fault.hpp"
#include "storage/content_store.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace waybill::storage::tests {

/// What every content store has to do. A fixture for one derives from it, makes the store in makeStore(), and takes the
/// tests over with CPPUNIT_TEST_SUB_SUITE.
class ContentStoreSuite : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ContentStoreSuite);
  CPPUNIT_TEST(whatIsPublishedCanBeRead);
  CPPUNIT_TEST(emptyContent);
  CPPUNIT_TEST(sizeAndDigestsAreComputedOnTheWay);
  CPPUNIT_TEST(partsMayComeInAnyOrder);
  CPPUNIT_TEST(partsThatComeTwiceOrNeverAreRefused);
  CPPUNIT_TEST(ofLargeContentToo);
  CPPUNIT_TEST(nothingIsReadableBeforePublish);
  CPPUNIT_TEST(whatIsDestroyedUnpublishedIsGone);
  CPPUNIT_TEST(manyArePublishedTogether);
  CPPUNIT_TEST(publishingNothing);
  CPPUNIT_TEST(oneThatIsTakenStopsAll);
  CPPUNIT_TEST(publishingTwiceIsRefused);
  CPPUNIT_TEST(writingAfterTheDigestIsRefused);
  CPPUNIT_TEST(contentOfAnotherStoreIsRefused);
  CPPUNIT_TEST(anyPartCanBeSelected);
  CPPUNIT_TEST(unknownAndMalformedIdsAreNoSuchData);
  CPPUNIT_TEST(removedContentIsGoneButReadToItsEnd);
  CPPUNIT_TEST(heldContentOutlivesItsRemoval);
  CPPUNIT_TEST(holdingRemovingAndReadingAtOnce);
  CPPUNIT_TEST(removingWhatIsNotThere);
  CPPUNIT_TEST(recoveryKeepsWhatIsKnownAlone);
  CPPUNIT_TEST(recoveryGoesInTheOrderOfTheIds);
  CPPUNIT_TEST(theMarkIsNoContent);
  CPPUNIT_TEST(whatMakeIdGivesHasToBeAnId);
  CPPUNIT_TEST(severalThreads);
  CPPUNIT_TEST(thereIsRoom);
  CPPUNIT_TEST_SUITE_END_ABSTRACT();

public:
  void setUp() override { store_ = makeStore(); }
  void tearDown() override { store_.reset(); }

  void whatIsPublishedCanBeRead() {
    const auto text = pattern(1'000'003);
    const auto id = publish(text);
    const auto reader = store_->open(id);
    CPPUNIT_ASSERT(reader->size() == text.size());
    CPPUNIT_ASSERT(readAll(*reader, text.size(), "content") == text);
    std::array<std::byte, 8> more{};
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, reader->read(more));
  }

  void emptyContent() {
    const auto id = publish("");
    CPPUNIT_ASSERT(readAll(*store_->open(id), 1, "content").empty());
    CPPUNIT_ASSERT(store_->open(id)->size() == 0);
  }

  void sizeAndDigestsAreComputedOnTheWay() {
    auto staged = store_->stage();
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, staged->size());
    staged->write(asBytes("a"));
    staged->write({});
    staged->write(asBytes("bc"));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, staged->size());
    for (int again = 0; again < 2; ++again) {
      CPPUNIT_ASSERT_EQUAL(std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                           staged->sha256Hex());
      CPPUNIT_ASSERT_EQUAL(std::string("024d0127"), staged->adler32Hex());
    }
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, staged->size());
  }

  void partsMayComeInAnyOrder() {
    const std::string text = "the quick brown fox jumps over the lazy dog";
    auto whole = store_->stage();
    whole->write(asBytes(text));
    auto staged = store_->stage();
    for (const auto &[offset, length] : {std::pair{20, 5}, {40, 3}, {10, 10}, {0, 10}, {25, 15}}) {
      staged->writeAt(
          static_cast<std::uint64_t>(offset),
          asBytes(std::string_view(text).substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length))));
    }
    CPPUNIT_ASSERT_EQUAL(std::uint64_t(text.size()), staged->size());
    CPPUNIT_ASSERT_EQUAL(whole->sha256Hex(), staged->sha256Hex());
    CPPUNIT_ASSERT_EQUAL(whole->adler32Hex(), staged->adler32Hex());
    storage::StagedContent *const one[] = {staged.get()};
    store_->publish(one);
    const auto reader = store_->open(staged->id());
    CPPUNIT_ASSERT_EQUAL(text, readAll(*reader, 1000, "text"));
  }

  void partsThatComeTwiceOrNeverAreRefused() {
    for (const std::uint64_t offset : {0U, 2U, 8U, 10U, 12U}) {
      auto staged = store_->stage();
      staged->writeAt(0, asBytes("abc"));
      staged->writeAt(10, asBytes("abc"));
      expectFault(FaultCode::Internal, [&] { staged->writeAt(offset, asBytes("abc")); });
      expectFault(FaultCode::Internal, [&] { staged->writeAt(3, asBytes("defghij")); }); // of no use any more
    }
    auto staged = store_->stage();
    staged->writeAt(0, asBytes("abc"));
    staged->writeAt(10, asBytes("abc"));
    expectFault(FaultCode::Internal, [&] { (void)staged->sha256Hex(); });
  }

  void ofLargeContentToo() {
    const auto text = pattern(9'000'000);
    auto twice = store_->stage();
    twice->write(asBytes(text));
    expectFault(FaultCode::Internal, [&] {
      twice->writeAt(5'000'000, asBytes("abc"));
      (void)twice->sha256Hex();
    });
    auto never = store_->stage();
    never->write(asBytes(text));
    never->writeAt(9'000'001, asBytes(text));
    expectFault(FaultCode::Internal, [&] { (void)never->sha256Hex(); });
    auto stripes = store_->stage();
    constexpr std::size_t half = 4'500'000;
    constexpr std::size_t step = 10'000;
    for (std::size_t at = 0; at < half; at += step) {
      stripes->writeAt(half + at, asBytes(text).subspan(half + at, step));
      stripes->writeAt(at, asBytes(text).subspan(at, step));
    }
    auto whole = store_->stage();
    whole->write(asBytes(text));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{text.size()}, stripes->size());
    CPPUNIT_ASSERT_EQUAL(whole->sha256Hex(), stripes->sha256Hex());
    CPPUNIT_ASSERT_EQUAL(whole->adler32Hex(), stripes->adler32Hex());
  }

  void nothingIsReadableBeforePublish() {
    auto staged = store_->stage();
    staged->write(asBytes("half"));
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(staged->id()); });
  }

  void whatIsDestroyedUnpublishedIsGone() {
    std::string id;
    {
      auto staged = store_->stage();
      staged->write(asBytes("half"));
      id = staged->id();
    }
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(id); });
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store_->recover([](const std::string &, std::uint64_t) { return false; }));
  }

  void manyArePublishedTogether() {
    std::vector<std::unique_ptr<StagedContent>> staged;
    for (int i = 0; i < 400; ++i) {
      staged.push_back(stageText("content " + std::to_string(i)));
      if (i % 2 == 0) {
        (void)staged.back()->sha256Hex();
      }
    }
    publishAll(staged);
    std::set<std::string> ids;
    for (std::size_t i = 0; i < staged.size(); ++i) {
      const auto id = staged[i]->id();
      ids.insert(id);
      CPPUNIT_ASSERT_EQUAL("content " + std::to_string(i), readAll(*store_->open(id), 100, "content"));
    }
    CPPUNIT_ASSERT_EQUAL(staged.size(), ids.size());
    staged.clear();
    CPPUNIT_ASSERT_EQUAL(std::string("content 0"), readAll(*store_->open(*ids.find(firstId_)), 100, "content"));
  }

  void publishingNothing() { store_->publish({}); }

  void oneThatIsTakenStopsAll() {
    nextIds_ = {std::string(32, 'a'), std::string(32, 'b'), std::string(32, 'a'), std::string(32, 'c')};
    publish("the first a");
    auto b = stageText("b");
    auto a = stageText("the second a");
    auto c = stageText("c");
    const std::vector<StagedContent *> all{b.get(), a.get(), c.get()};
    expectFault(FaultCode::Internal, [&] { store_->publish(all); });
    CPPUNIT_ASSERT_EQUAL(std::string("the first a"), readAll(*store_->open(std::string(32, 'a')), 100, "content"));
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(std::string(32, 'b')); });
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(std::string(32, 'c')); });
    CPPUNIT_ASSERT_EQUAL(std::string(), store_->readOnlyReason());
  }

  void publishingTwiceIsRefused() {
    auto staged = stageText("once");
    StagedContent *const one = staged.get();
    store_->publish({&one, 1});
    expectFault(FaultCode::Internal, [&] { store_->publish({&one, 1}); });
    CPPUNIT_ASSERT_EQUAL(std::string("once"), readAll(*store_->open(staged->id()), 100, "content"));
  }

  void writingAfterTheDigestIsRefused() {
    auto staged = stageText("all");
    (void)staged->sha256Hex();
    expectFault(FaultCode::Internal, [&] { staged->write(asBytes("more")); });
    StagedContent *const one = staged.get();
    store_->publish({&one, 1});
    expectFault(FaultCode::Internal, [&] { staged->write(asBytes("more")); });
    CPPUNIT_ASSERT_EQUAL(std::string("all"), readAll(*store_->open(staged->id()), 100, "content"));
  }

  void contentOfAnotherStoreIsRefused() {
    const auto other = makeStore();
    auto staged = other->stage();
    StagedContent *const one = staged.get();
    expectFault(FaultCode::Internal, [&] { store_->publish({&one, 1}); });
  }

  void anyPartCanBeSelected() {
    const auto reader = store_->open(publish("0123456789"));
    const auto part = [&](std::uint64_t offset, std::uint64_t length) {
      reader->select(offset, length);
      const auto size = reader->size();
      auto text = readAll(*reader, 100, "content");
      CPPUNIT_ASSERT(size == text.size());
      return text;
    };
    CPPUNIT_ASSERT_EQUAL(std::string("345"), part(3, 3));
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), part(0, 10));
    CPPUNIT_ASSERT_EQUAL(std::string("9"), part(9, 1));
    CPPUNIT_ASSERT_EQUAL(std::string(), part(4, 0));
    CPPUNIT_ASSERT_EQUAL(std::string("89"), part(8, UINT64_MAX));
    CPPUNIT_ASSERT_EQUAL(std::string(), part(10, 1));
    CPPUNIT_ASSERT_EQUAL(std::string(), part(UINT64_MAX, UINT64_MAX));
  }

  void unknownAndMalformedIdsAreNoSuchData() {
    publish("something");
    for (const auto &id :
         {std::string(32, '0'), std::string(), std::string("../../etc/passwd"), std::string("ab"), std::string(32, 'G'),
          std::string(32, '/'), std::string(31, 'a') + '\0', std::string(64, 'a'), std::string(32, 'A')}) {
      expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(id); });
    }
  }

  void removedContentIsGoneButReadToItsEnd() {
    const auto text = pattern(300'000);
    const auto id = publish(text);
    const auto reader = store_->open(id);
    std::array<std::byte, 10> some{};
    CPPUNIT_ASSERT(reader->read(some) > 0);
    store_->remove(id);
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(id); });
    reader->select(0, text.size());
    CPPUNIT_ASSERT(readAll(*reader, text.size(), "content") == text);
  }

  void heldContentOutlivesItsRemoval() {
    const auto id = publish("held");
    auto first = store_->hold(id);
    auto second = store_->hold(id);
    store_->remove(id);
    store_->remove(id);
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(id); });
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->hold(id); });
    first.reset();
    for (int again = 0; again < 2; ++again) {
      CPPUNIT_ASSERT_EQUAL(std::string("held"), readAll(*second->open(), 100, "content"));
    }
    second.reset();
    expectFault(FaultCode::NoSuchData, [&] { (void)store_->hold(id); });
    CPPUNIT_ASSERT(store_->isEmpty());
    for (const auto &bad : {std::string(32, '0'), std::string("../../etc/passwd"), std::string()}) {
      expectFault(FaultCode::NoSuchData, [&] { (void)store_->hold(bad); });
    }
  }

  void holdingRemovingAndReadingAtOnce() {
    for (int round = 0; round < 50; ++round) {
      const auto id = publish("held");
      std::atomic<int> broken{0};
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          std::unique_ptr<HeldContent> held;
          try {
            held = store_->hold(id);
          } catch (const Fault &) {
            return; // removed before
          }
          try {
            broken += readAll(*held->open(), 100, "content") == "held" ? 0 : 1;
          } catch (const Fault &) {
            ++broken;
          }
        });
      }
      store_->remove(id);
      threads.clear();
      CPPUNIT_ASSERT_EQUAL(0, broken.load());
      CPPUNIT_ASSERT(store_->isEmpty());
    }
  }

  void removingWhatIsNotThere() {
    store_->remove(std::string(32, '0'));
    store_->remove("");
    store_->remove("../escape");
  }

  void recoveryKeepsWhatIsKnownAlone() {
    const auto kept = publish("kept");
    std::set<std::string> orphans{publish("orphan 1"), publish("orphan 2")};
    auto asked = orphans;
    asked.insert(kept);
    const auto removed = store_->recover([&](const std::string &id, std::uint64_t) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, asked.erase(id));
      return id == kept;
    });
    CPPUNIT_ASSERT(asked.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, removed);
    CPPUNIT_ASSERT_EQUAL(std::string("kept"), readAll(*store_->open(kept), 100, "content"));
    for (const auto &id : orphans) {
      expectFault(FaultCode::NoSuchData, [&] { (void)store_->open(id); });
    }
  }

  void recoveryGoesInTheOrderOfTheIds() {
    std::set<std::string> ids;
    for (int i = 0; i < 300; ++i) {
      ids.insert(publish(std::to_string(i)));
    }
    std::vector<std::string> asked;
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store_->recover([&](const std::string &id, std::uint64_t size) {
      CPPUNIT_ASSERT(size == store_->open(id)->size());
      asked.push_back(id);
      return true;
    }));
    CPPUNIT_ASSERT(asked == std::vector<std::string>(ids.begin(), ids.end()));
  }

  void theMarkIsNoContent() {
    CPPUNIT_ASSERT(!store_->mark());
    CPPUNIT_ASSERT(store_->isEmpty());
    for (const auto &mark : {std::string(32, 'a'), std::string(32, 'b')}) {
      store_->putMark(mark);
      CPPUNIT_ASSERT(store_->mark() == mark);
    }
    CPPUNIT_ASSERT(store_->isEmpty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, store_->recover([](const std::string &, std::uint64_t) { return false; }));
    CPPUNIT_ASSERT(store_->mark() == std::string(32, 'b'));
    publish("content");
    CPPUNIT_ASSERT(!store_->isEmpty());
  }

  void whatMakeIdGivesHasToBeAnId() {
    for (const auto &bad : {std::string("../../../escape"), std::string(), std::string(32, 'Z')}) {
      nextIds_ = {bad};
      expectFault(FaultCode::Internal, [&] { (void)store_->stage(); });
    }
  }

  void severalThreads() {
    std::atomic<int> good{0};
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 12; ++i) {
          const auto text = std::to_string(t) + "/" + std::to_string(i);
          std::vector<std::unique_ptr<StagedContent>> staged;
          for (int batch = 0; batch < (i == 5 ? 20 : 2); ++batch) {
            staged.push_back(stageText(text));
          }
          publishAll(staged);
          good += readAll(*store_->open(staged.front()->id()), 100, "content") == text ? 1 : 0;
          store_->remove(staged.front()->id());
        }
      });
    }
    threads.clear();
    CPPUNIT_ASSERT_EQUAL(8 * 12, good.load());
    CPPUNIT_ASSERT_EQUAL(std::size_t{8 * (11 + 19)},
                         store_->recover([](const std::string &, std::uint64_t) { return false; }));
  }

  void thereIsRoom() { CPPUNIT_ASSERT(store_->freeBytes() > 0); }

protected:
  /// A new store whose ids come from makeId().
  virtual std::unique_ptr<ContentStore> makeStore() = 0;

  std::string makeId() {
    const std::lock_guard lock(mutex_);
    if (!nextIds_.empty()) {
      auto id = nextIds_.front();
      nextIds_.erase(nextIds_.begin());
      return id;
    }
    // Spread over the shards as random ids are, and the same in each run.
    std::array<char, 33> text{};
    ++made_;
    (void)std::snprintf(text.data(), text.size(), "%08x%024x", made_ * 2654435761U, made_);
    if (made_ == 1) {
      firstId_ = text.data();
    }
    return text.data();
  }

  std::unique_ptr<StagedContent> stageText(const std::string &text) {
    auto staged = store_->stage();
    staged->write(asBytes(text));
    return staged;
  }

  std::string publish(const std::string &text) {
    auto staged = stageText(text);
    StagedContent *const one = staged.get();
    store_->publish({&one, 1});
    return staged->id();
  }

  void publishAll(const std::vector<std::unique_ptr<StagedContent>> &staged) {
    std::vector<StagedContent *> all;
    for (const auto &one : staged) {
      all.push_back(one.get());
    }
    store_->publish(all);
  }

  static std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = static_cast<char>((i * 131) >> 3);
    }
    return text;
  }

  std::unique_ptr<ContentStore> store_;
  std::vector<std::string> nextIds_;
  std::string firstId_;

private:
  std::mutex mutex_;
  unsigned made_ = 0;
};

} // namespace waybill::storage::tests
