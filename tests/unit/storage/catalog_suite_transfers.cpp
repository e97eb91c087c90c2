// SPDX-License-Identifier: GPL-3.0-or-later
// Transfers.
#include "catalog_suite.hpp"

#include <array>
#include <atomic>
#include <latch>
#include <limits>
#include <thread>

namespace waybill::storage::tests {

using std::chrono::seconds;

namespace {

TransferRow transferOf(const std::string &name) {
  TransferRow row;
  row.id = "id of " + name;
  row.principal = std::string(64, 'a') + "/somebody";
  row.messageId = "urn:uuid:" + name;
  row.operation = "Copy";
  row.bytesTotal = 1000;
  row.started = Time(seconds(1'700'000'000));
  row.nextAttempt = Time(seconds(1'700'000'000));
  row.deadline = Time(seconds(1'700'086'400));
  row.peer = "b.example:8443";
  row.sources = {"/docs/é \"quoted\"", "https://other.example/x"};
  row.destination = "https://b.example:8443/services/data";
  row.work = R"({"anything":"<a b='c'/>"})";
  return row;
}

TransferRow finished(TransferRow row, TransferState state) {
  row.state = state;
  row.ended = Time(seconds(1'700'000'100));
  return row;
}

std::vector<std::string> messages(const std::vector<TransferRow> &rows) {
  std::vector<std::string> found;
  for (const auto &row : rows) {
    found.push_back(row.messageId.substr(9));
  }
  return found;
}

using Names = std::vector<std::string>;

} // namespace

void CatalogSuite::transfersComeBackAsTheyWere() {
  const auto plain = transferOf("plain");
  auto full = finished(transferOf("full"), TransferState::Failed);
  full.bytesDone = 999;
  full.bytesTotal = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  full.attempts = 7;
  full.lastError = "the connection was cut";
  full.priority = -3;
  full.sources = {};
  full.receipt = "<wb:ReceiveResponse/>";
  full.request = "its digest";
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.insertTransfer(plain));
    CPPUNIT_ASSERT(transaction.insertTransfer(full));
    CPPUNIT_ASSERT(transaction.transfer(plain.principal, plain.messageId) == plain);
  });
  CPPUNIT_ASSERT(catalog_->transfer(plain.principal, plain.messageId) == plain);
  CPPUNIT_ASSERT(catalog_->transferById(full.id) == full);
  CPPUNIT_ASSERT(!catalog_->transfer("somebody else", plain.messageId));
  CPPUNIT_ASSERT(!catalog_->transfer(plain.principal, "urn:uuid:other"));
  CPPUNIT_ASSERT(!catalog_->transferById("other"));
}

void CatalogSuite::aMessageStartsOneTransferOfItsCaller() {
  auto again = transferOf("one");
  again.id = "another id";
  auto elsewhere = again;
  elsewhere.principal = "somebody else";
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.insertTransfer(transferOf("one")));
    CPPUNIT_ASSERT(!transaction.insertTransfer(again));
    CPPUNIT_ASSERT(transaction.insertTransfer(elsewhere));
  });
  CPPUNIT_ASSERT_EQUAL(transferOf("one").id, catalog_->transfer(again.principal, again.messageId)->id);
}

void CatalogSuite::ofTwoThreadsOneStartsATransfer() {
  for (int round = 0; round < 50; ++round) {
    const auto name = "race " + std::to_string(round);
    std::atomic<int> winners{0};
    std::latch start(2);
    {
      std::vector<std::jthread> racing;
      for (int t = 0; t < 2; ++t) {
        racing.emplace_back([&, t] {
          auto row = transferOf(name);
          row.id += std::to_string(t);
          start.arrive_and_wait();
          bool won = false;
          catalog_->commit(Durability::Relaxed,
                           [&](Transaction &transaction) { won = transaction.insertTransfer(row); });
          winners += won ? 1 : 0;
        });
      }
    }
    CPPUNIT_ASSERT_EQUAL(1, winners.load());
  }
}

void CatalogSuite::anEndedTransferStaysAsItIs() {
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.insertTransfer(transferOf("t")));
    auto active = transferOf("t");
    active.state = TransferState::Active;
    active.attempts = 1;
    CPPUNIT_ASSERT_MESSAGE("it is queued", !transaction.updateTransfer(active, TransferState::Active));
    CPPUNIT_ASSERT(transaction.updateTransfer(active, TransferState::Queued));
    CPPUNIT_ASSERT_MESSAGE("claimed once", !transaction.updateTransfer(active, TransferState::Queued));
    active.bytesDone = 500;
    active.lastError = "slow";
    active.nextAttempt += seconds(7);
    active.work = "new work";
    CPPUNIT_ASSERT(transaction.updateTransfer(active, TransferState::Active));
    CPPUNIT_ASSERT(transaction.transfer(active.principal, active.messageId) == active);
    active.work.clear();
    CPPUNIT_ASSERT(transaction.updateTransfer(active, std::nullopt));
    active.work = "new work";
    CPPUNIT_ASSERT_MESSAGE("no work given: left as it was",
                           transaction.transfer(active.principal, active.messageId) == active);

    auto done = finished(active, TransferState::Succeeded);
    done.receipt = "<receipt/>";
    CPPUNIT_ASSERT(transaction.updateTransfer(done, TransferState::Active));
    for (const auto from : {std::optional<TransferState>(), std::optional(TransferState::Succeeded)}) {
      CPPUNIT_ASSERT(!transaction.updateTransfer(finished(active, TransferState::Cancelled), from));
      CPPUNIT_ASSERT(!transaction.updateTransfer(active, from));
    }
    auto unknown = active;
    unknown.id = "unknown";
    CPPUNIT_ASSERT(!transaction.updateTransfer(unknown, std::nullopt));
    done.work.clear();
    CPPUNIT_ASSERT_MESSAGE("and its tokens are gone", transaction.transfer(done.principal, done.messageId) == done);
  });
}

void CatalogSuite::ofACancelAndACompletionOneWins() {
  for (int round = 0; round < 50; ++round) {
    auto row = transferOf("race " + std::to_string(round));
    row.state = TransferState::Active;
    durable([&](Transaction &transaction) { CPPUNIT_ASSERT(transaction.insertTransfer(row)); });
    std::latch start(2);
    std::array<bool, 2> won{};
    const std::array ends{TransferState::Succeeded, TransferState::Cancelled};
    {
      std::vector<std::jthread> racing;
      for (std::size_t t = 0; t < 2; ++t) {
        racing.emplace_back([&, t] {
          start.arrive_and_wait();
          catalog_->commit(Durability::Relaxed, [&](Transaction &transaction) {
            won.at(t) = transaction.updateTransfer(finished(row, ends.at(t)), std::nullopt);
          });
        });
      }
    }
    CPPUNIT_ASSERT(won[0] != won[1]);
    CPPUNIT_ASSERT(catalog_->transferById(row.id)->state == ends.at(won[0] ? 0 : 1));
  }
}

void CatalogSuite::anEndAndItsTimeGoTogether() {
  const auto refused = [&](const TransferRow &row) {
    expectFault(FaultCode::Internal,
                [&] { durable([&](Transaction &transaction) { CPPUNIT_ASSERT(transaction.insertTransfer(row)); }); });
  };
  auto endless = transferOf("endless");
  endless.state = TransferState::Failed;
  refused(endless);
  auto early = transferOf("early");
  early.ended = early.started;
  refused(early);
}

void CatalogSuite::transfersAreListedNewestFirst() {
  durable([&](Transaction &transaction) {
    for (int i = 0; i < 6; ++i) {
      auto row = transferOf(std::string(1, static_cast<char>('a' + i)));
      row.started += seconds(i / 2); // two at a time: those are in the order of their ids
      if (i == 2) {
        row.principal = "somebody else";
      }
      CPPUNIT_ASSERT(transaction.insertTransfer(i == 3 ? finished(row, TransferState::Failed) : row));
    }
  });
  const auto owner = transferOf("a").principal;
  CPPUNIT_ASSERT((messages(catalog_->transfers(TransferKind::Transfer, std::nullopt, std::nullopt, std::nullopt, 9)) ==
                  Names{"f", "e", "d", "c", "b", "a"}));
  CPPUNIT_ASSERT((messages(catalog_->transfers(TransferKind::Transfer, owner, std::nullopt, std::nullopt, 9)) ==
                  Names{"f", "e", "d", "b", "a"}));
  CPPUNIT_ASSERT((messages(catalog_->transfers(TransferKind::Transfer, owner, TransferState::Failed, std::nullopt,
                                               9)) == Names{"d"}));
  CPPUNIT_ASSERT((messages(catalog_->transfers(TransferKind::Transfer, std::nullopt, TransferState::Queued,
                                               std::nullopt, 2)) == Names{"f", "e"}));
  CPPUNIT_ASSERT(catalog_->transfers(TransferKind::Transfer, "nobody", std::nullopt, std::nullopt, 9).empty());
  Names paged;
  std::optional<TransferPosition> position;
  while (true) {
    const auto page = catalog_->transfers(TransferKind::Transfer, owner, std::nullopt, position, 2);
    if (page.empty()) {
      break;
    }
    for (const auto &row : page) {
      CPPUNIT_ASSERT(row.work.empty());
      CPPUNIT_ASSERT(row.sources == transferOf("a").sources);
      paged.push_back(row.messageId.substr(9));
    }
    position = TransferPosition{page.back().started, page.back().id};
  }
  CPPUNIT_ASSERT((paged == Names{"f", "e", "d", "b", "a"}));
}

void CatalogSuite::dueTransfersComeByPriorityThenTime() {
  const auto now = transferOf("x").nextAttempt;
  CPPUNIT_ASSERT(!catalog_->nextTransferDue(Time()));
  durable([&](Transaction &transaction) {
    const auto add = [&](const std::string &name, int late, std::int32_t priority, TransferState state) {
      auto row = transferOf(name);
      row.nextAttempt += seconds(late);
      row.priority = priority;
      CPPUNIT_ASSERT(transaction.insertTransfer(isFinal(state) ? finished(row, state) : row));
      if (state == TransferState::Active) {
        row.state = state;
        CPPUNIT_ASSERT(transaction.updateTransfer(row, std::nullopt));
      }
    };
    add("later", 1, 5, TransferState::Queued);
    add("second", -1, 3, TransferState::Queued);
    add("first", 0, 4, TransferState::Queued);
    add("third", 0, 3, TransferState::Queued);
    add("low", -100, 1, TransferState::Queued);
    add("active", -200, 5, TransferState::Active);
    add("ended", -300, 5, TransferState::Succeeded);
  });
  CPPUNIT_ASSERT(
      (messages(catalog_->dueTransfers(JobPhase::Delivery, now, 9, 9)) == Names{"first", "second", "third", "low"}));
  CPPUNIT_ASSERT((messages(catalog_->dueTransfers(JobPhase::Delivery, now, 9, 2)) == Names{"first", "second"}));
  CPPUNIT_ASSERT((messages(catalog_->dueTransfers(JobPhase::Delivery, now, 2, 9)) == Names{"first", "second"}));
  CPPUNIT_ASSERT((messages(catalog_->dueTransfers(JobPhase::Delivery, now + seconds(1), 9, 1)) == Names{"later"}));
  CPPUNIT_ASSERT(catalog_->dueTransfers(JobPhase::Delivery, now - seconds(101), 9, 9).empty());
  CPPUNIT_ASSERT(catalog_->nextTransferDue(Time()) == now - seconds(100));
  CPPUNIT_ASSERT(catalog_->nextTransferDue(now - seconds(100)) == now - seconds(1));
  CPPUNIT_ASSERT(catalog_->nextTransferDue(now) == now + seconds(1));
  CPPUNIT_ASSERT(!catalog_->nextTransferDue(now + seconds(1)));
}

/// However many subjects whoever has the key makes up.
void CatalogSuite::subjectsOfOneKeyShare() {
  const auto now = transferOf("x").nextAttempt;
  const std::string busy(64, 'a');
  const std::string other(64, 'b');
  durable([&](Transaction &transaction) {
    const auto add = [&](const std::string &name, const std::string &principal, int late) {
      auto row = transferOf(name);
      row.principal = principal;
      row.nextAttempt += seconds(late);
      row.job = "j";
      CPPUNIT_ASSERT(transaction.insertTransfer(row));
    };
    add("busy", busy, -50);
    for (int i = 0; i < 9; ++i) {
      add("busy " + std::to_string(i), busy + "/subject " + std::to_string(i), -40 + i);
    }
    add("other", other, 0);
    auto plain = transferOf("no job");
    plain.principal = other;
    plain.nextAttempt += seconds(1);
    plain.job.reset();
    CPPUNIT_ASSERT(transaction.insertTransfer(plain));
    auto active = transferOf("active");
    active.principal = other;
    active.job = "j";
    CPPUNIT_ASSERT(transaction.insertTransfer(active));
    active.state = TransferState::Active;
    CPPUNIT_ASSERT(transaction.updateTransfer(active, std::nullopt));
  });
  CPPUNIT_ASSERT((messages(catalog_->dueTransfers(JobPhase::Delivery, now, 9, 3)) == Names{"busy", "other", "busy 0"}));
  CPPUNIT_ASSERT((messages(catalog_->dueTransfers(JobPhase::Delivery, now, 2, 9)) == Names{"busy", "other", "busy 0"}));
  CPPUNIT_ASSERT_EQUAL(std::size_t{10}, catalog_->queuedJobs(busy));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, catalog_->queuedJobs(other));
  CPPUNIT_ASSERT_EQUAL(std::size_t{0}, catalog_->queuedJobs(std::string(64, 'c')));
}

/// However many one principal has waiting for however many peers, and of whatever priority.
void CatalogSuite::aLongQueueOfOnePrincipalHidesNobodys() {
  const auto now = transferOf("x").nextAttempt;
  durable([&](Transaction &transaction) {
    const auto add = [&](const std::string &name, const std::string &principal, std::int32_t priority, int late) {
      auto row = transferOf(name);
      row.principal = principal;
      row.peer = "to " + name;
      row.priority = priority;
      row.nextAttempt += seconds(late);
      CPPUNIT_ASSERT(transaction.insertTransfer(row));
    };
    for (int i = 0; i < 50; ++i) {
      add("busy " + std::to_string(i), "a", 5, -100 + i);
    }
    add("one", "b", 1, -2);
    add("two", "b", 2, -1);
    add("receipt", "a", receiptPriority, -3);
    add("another receipt", "b", receiptPriority, 0);
  });
  CPPUNIT_ASSERT((messages(catalog_->dueTransfers(JobPhase::Delivery, now, 9, 6)) ==
                  Names{"receipt", "another receipt", "busy 0", "two", "busy 1", "one"}));
}

void CatalogSuite::aLongQueueToOnePeerHidesNobodys() {
  durable([&](Transaction &transaction) {
    for (int i = 0; i < 100; ++i) {
      auto row = transferOf("busy " + std::to_string(i));
      row.priority = 5;
      CPPUNIT_ASSERT(transaction.insertTransfer(row));
    }
    auto other = transferOf("other");
    other.priority = 1;
    other.peer = "c.example:8443";
    CPPUNIT_ASSERT(transaction.insertTransfer(other));
  });
  const auto due = messages(catalog_->dueTransfers(JobPhase::Delivery, transferOf("x").nextAttempt, 3, 10));
  CPPUNIT_ASSERT_EQUAL(std::size_t{4}, due.size());
  CPPUNIT_ASSERT_EQUAL(std::string("other"), due.back());
}

void CatalogSuite::whatAKeyHasWaitingIsCounted() {
  const std::string key(64, 'a');
  const auto waiting = [&](std::uint64_t count, std::uint64_t bytes) {
    const auto found = catalog_->waitingTransfers(key);
    CPPUNIT_ASSERT_EQUAL(count, found.count);
    CPPUNIT_ASSERT_EQUAL(bytes, found.bytes);
  };
  waiting(0, 0);
  auto queued = transferOf("queued");
  queued.work = std::string(1000, 'x') + "\u00e9";
  auto active = transferOf("active");
  active.principal = key;
  active.work = std::string(5, 'x');
  auto others = transferOf("others");
  others.principal = std::string(64, 'b');
  durable([&](Transaction &transaction) {
    for (const auto &row : {queued, active, others, finished(transferOf("ended"), TransferState::Failed)}) {
      CPPUNIT_ASSERT(transaction.insertTransfer(row));
    }
    active.state = TransferState::Active;
    active.work = std::string(7, 'x');
    CPPUNIT_ASSERT(transaction.updateTransfer(active, std::nullopt));
  });
  waiting(2, 1002 + 7);
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.updateTransfer(finished(queued, TransferState::Cancelled), std::nullopt));
  });
  waiting(1, 7);
  CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, catalog_->waitingTransfers(others.principal).count);
}

void CatalogSuite::activeTransfersAreQueuedAgainAtStart() {
  durable([&](Transaction &transaction) {
    auto active = transferOf("active");
    active.state = TransferState::Active;
    active.attempts = 2;
    CPPUNIT_ASSERT(transaction.insertTransfer(active));
    CPPUNIT_ASSERT(transaction.insertTransfer(transferOf("queued")));
    CPPUNIT_ASSERT(transaction.insertTransfer(finished(transferOf("ended"), TransferState::Cancelled)));
  });
  const auto now = Time(seconds(1'700'000'500));
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, transaction.requeueActiveTransfers(now));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transaction.requeueActiveTransfers(now));
  });
  auto expected = transferOf("active");
  expected.attempts = 2;
  expected.nextAttempt = now;
  CPPUNIT_ASSERT(catalog_->transferById(expected.id) == expected);
  CPPUNIT_ASSERT(catalog_->transferById(transferOf("queued").id) == transferOf("queued"));
  CPPUNIT_ASSERT(catalog_->transferById(transferOf("ended").id)->state == TransferState::Cancelled);
}

void CatalogSuite::pruningForgetsEndedTransfers() {
  const auto ended = finished(transferOf("old"), TransferState::Failed);
  durable([&](Transaction &transaction) {
    CPPUNIT_ASSERT(transaction.insertTransfer(ended));
    auto newer = finished(transferOf("new"), TransferState::Succeeded);
    newer.ended = *newer.ended + seconds(1);
    CPPUNIT_ASSERT(transaction.insertTransfer(newer));
    CPPUNIT_ASSERT(transaction.insertTransfer(transferOf("queued")));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transaction.pruneTransfers(*ended.ended));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, transaction.pruneTransfers(*ended.ended + seconds(1)));
  });
  CPPUNIT_ASSERT(!catalog_->transferById(ended.id));
  CPPUNIT_ASSERT(catalog_->transferById(transferOf("new").id));
  CPPUNIT_ASSERT(catalog_->transferById(transferOf("queued").id));
}

} // namespace waybill::storage::tests
