// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/access.hpp"
#include "domain/clock.hpp"
#include "domain/data.hpp"
#include "domain/job.hpp"
#include "domain/transfer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::storage {

/// A data object as the catalog keeps it.
struct ObjectRow {
  std::string id;    ///< 32 hex digits
  std::string path;  ///< a DataPath, unique
  std::string owner; ///< formatted Principal
  std::uint64_t size = 0;
  std::string sha256;
  std::string adler32;
  std::string contentType;
  bool secure = true;
  Time created;
  std::optional<Time> expires;
  std::vector<Metadata> metadata;
  friend bool operator==(const ObjectRow &, const ObjectRow &) = default;
};

/// One token's use.
struct TokenUse {
  std::string tokenId;
  std::string principal; ///< formatted
  std::string operation;
  std::optional<std::string> messageId; ///< wsa:MessageID of the request
  Time keepUntil;                       ///< NotAfter plus skew
  friend bool operator==(const TokenUse &, const TokenUse &) = default;
};

struct TokenRow {
  TokenUse use;
  bool spent = false;
  bool held = false;                  ///< by running work; a token that is neither spent nor held is bound
  std::optional<std::string> request; ///< what it is bound to (bindToken), or was spent for
  std::optional<std::string> receipt; ///< body XML of the response that was given when it was spent
};

/// A reply that goes elsewhere, as the catalog keeps it: what Transfer and Job show, and what it takes to make and send
/// it.
struct TransferRow {
  std::string id;        ///< 32 hex digits
  std::string principal; ///< formatted; with messageId unique
  std::string messageId;
  std::string operation;
  TransferState state = TransferState::Queued;
  std::uint64_t bytesDone = 0;
  std::uint64_t bytesTotal = 0;
  std::uint32_t attempts = 0;
  std::optional<std::string> lastError;
  Time started;
  std::optional<Time> ended;              ///< set when, and only when, the state is final
  Time nextAttempt;                       ///< when it is due while it is queued
  Time deadline;                          ///< after which it is not tried again
  std::int32_t priority = normalPriority; ///< among those of its principal, the higher goes first; or receiptPriority
  std::string peer; ///< "host:port" of the destination: how many go there at once is limited; of a run: empty
  std::vector<std::string> sources;
  std::string destination;
  std::optional<std::string> receipt; ///< body XML of what the receiver answered
  JobPhase phase = JobPhase::Delivery;
  std::optional<std::string>
      job; ///< what is known of the run, for those that have one; the catalog does not look inside
  std::optional<std::string> request; ///< digest of what the call asked for that began it; none: not known
  std::string work;                   ///< all that is needed to send it; the catalog does not look inside
  friend bool operator==(const TransferRow &, const TransferRow &) = default;
};

/// Rows with a `job` are listed apart.
enum class TransferKind : std::uint8_t { Transfer, Job };

/// A place in the list of transfers, newest first: after the one that has these.
struct TransferPosition {
  Time started;
  std::string id;
};

/// What one key has in the catalog that has not ended.
struct WaitingTransfers {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0; ///< of TransferRow::work
};

/// The writes of one unit of work. Valid only inside the function given to Catalog::commit.
class Transaction {
public:
  virtual ~Transaction() = default;
  // objects
  [[nodiscard]] virtual std::optional<ObjectRow> objectAt(const std::string &path) = 0;
  [[nodiscard]] virtual std::optional<ObjectRow> object(const std::string &id) = 0;
  /// Throws Fault AlreadyExists when the path is taken (decided by the unique index).
  virtual void insert(const ObjectRow &row) = 0;
  /// False when there was none.
  virtual bool removeObject(const std::string &id) = 0;
  // token ledger: winning is the affected-row count of one conditional write
  /// True when it is held now by this use: its id was not known, or it was released after it had been bound to
  /// `request` by the same principal and operation.
  virtual bool reserveToken(const TokenUse &use, const std::string &request) = 0;
  /// From now on only `request` can reserve it again. False unless it is held.
  virtual bool bindToken(const std::string &tokenId, const std::string &request) = 0;
  /// Keeps it until `keepUntil`, with what it was spent for. False unless it was held.
  virtual bool spendToken(const std::string &tokenId, const std::string &request,
                          const std::optional<std::string> &receipt, Time keepUntil) = 0;
  /// Forgets one that is held, or keeps it as bound; never touches a spent one.
  virtual void releaseToken(const std::string &tokenId) = 0;
  /// Forgets those whose keepUntil is earlier, unless they are held: they belong to running work.
  virtual std::size_t pruneTokens(Time before) = 0;
  virtual std::size_t releaseAllTokens() = 0; ///< all that are held, at start-up; returns how many
  // transfers
  /// False, and nothing changed, when that principal has one of that messageId (decided by the unique index).
  [[nodiscard]] virtual bool insertTransfer(const TransferRow &row) = 0;
  /// Writes state, counters, lastError, ended, nextAttempt, priority, peer, receipt, phase, job and work to the
  /// transfer `row.id`, if it is in the state `from` (none: in any that is not final) at this moment; never to one that
  /// has ended. True when it did: of a cancel and a completion, one gets true. An empty `work` leaves it as it is, as
  /// rows out of lists have none; a final state clears it, for it holds tokens.
  [[nodiscard]] virtual bool updateTransfer(const TransferRow &row, std::optional<TransferState> from) = 0;
  [[nodiscard]] virtual std::optional<TransferRow> transfer(const std::string &principal,
                                                            const std::string &messageId) = 0;
  /// At start-up: those that were active when the last process ended are queued, and due at `now`. Returns how many.
  virtual std::size_t requeueActiveTransfers(Time now) = 0;
  /// Forgets those that ended before. Returns how many.
  virtual std::size_t pruneTransfers(Time endedBefore) = 0;
  // keys and grants
  [[nodiscard]] virtual std::optional<TrustedKey> key(const std::string &instanceOrAlias) = 0;
  [[nodiscard]] virtual std::optional<Grant> grant(const std::string &id) = 0;
  virtual void putKey(const TrustedKey &key) = 0; ///< inserts, or replaces the row of that instance; Fault
                                                  ///< AlreadyExists when the alias is another's
  virtual void
  putGrant(const Grant &grant) = 0; ///< inserts, or replaces the one of that id; Fault BadParameter without a right
  virtual bool removeGrant(const std::string &id) = 0;
  // settings ("instance.name", ...)
  /// Throws Fault BadParameter for the catalog's own settings ("ledger.birth", "schema.version").
  virtual void putSetting(const std::string &name, const std::string &value) = 0;
};

/// What a commit must survive: power loss (Durable), or only the death of this process (Relaxed: reservations,
/// releases, pruning).
enum class Durability : std::uint8_t { Durable, Relaxed };

/// Objects, tokens, transfers, keys and grants of one instance. Thread-safe; several processes may open one catalog
/// (the daemon and `waybill --home`). Reads see all that was committed before they began. Every implementation passes
/// tests/unit/storage/catalog_suite.hpp.
class Catalog {
public:
  virtual ~Catalog() = default;
  /// Runs `work`, once, in a transaction and returns when it is committed. Works of several threads are grouped into
  /// one database transaction (and one fsync), each in a savepoint of its own: what one throws undoes that one alone
  /// and is thrown here. When the commit itself fails, all throw Fault (NoSpace; Busy when another process holds the
  /// catalog for long; Internal, after an I/O error, and then so does every later commit: see readOnlyReason). After
  /// Internal it is not known what a restart will find, so content that the rows name must stay.
  ///
  /// `work` may run on the thread of another caller, while this one waits; it must not block on other commits, and
  /// committing within it throws Fault Internal. Text that is not UTF-8 or has a NUL is refused with Fault
  /// BadParameter.
  virtual void commit(Durability durability, const std::function<void(Transaction &)> &work) = 0;

  [[nodiscard]] virtual std::optional<ObjectRow> object(const std::string &id) const = 0;
  [[nodiscard]] virtual std::optional<ObjectRow> objectAt(const std::string &path) const = 0;
  /// Objects at or under `prefix` (parsePathPrefix) whose path sorts after `after` (byte order; empty: from the start),
  /// by path, at most `limit`.
  [[nodiscard]] virtual std::vector<ObjectRow> list(const std::string &prefix, const std::string &after,
                                                    std::size_t limit) const = 0;
  /// Objects whose id sorts after `after`, by id, at most `limit`.
  [[nodiscard]] virtual std::vector<ObjectRow> objects(const std::string &after, std::size_t limit) const = 0;
  /// Objects whose expiry has passed, at most `limit`.
  [[nodiscard]] virtual std::vector<ObjectRow> expired(Time now, std::size_t limit) const = 0;
  [[nodiscard]] virtual std::optional<TokenRow> token(const std::string &tokenId) const = 0;
  [[nodiscard]] virtual std::optional<TransferRow> transfer(const std::string &principal,
                                                            const std::string &messageId) const = 0;
  [[nodiscard]] virtual std::optional<TransferRow> transferById(const std::string &id) const = 0;
  /// Transfers of that kind and principal (none: of all) in that state (none: in any), the newest first, from after
  /// `before` (none: from the start), at most `limit`; with an empty `work`.
  [[nodiscard]] virtual std::vector<TransferRow>
  transfers(TransferKind kind, const std::optional<std::string> &principal, std::optional<TransferState> state,
            const std::optional<TransferPosition> &before, std::size_t limit) const = 0;
  /// Queued transfers of that phase whose time has come, in an order in which a long queue hides nobody's: at most
  /// `perPeer` of each key (whatever its subjects) to each peer; of these, first all of receiptPriority, then the first
  /// of each key (by priority, then nextAttempt), then the second of each, and so on, those of one rank by nextAttempt;
  /// at most `limit` in all; with an empty `work`.
  [[nodiscard]] virtual std::vector<TransferRow> dueTransfers(JobPhase phase, Time now, std::size_t perPeer,
                                                              std::size_t limit) const = 0;
  /// Of that key (Principal::instance), with all its subjects.
  [[nodiscard]] virtual WaitingTransfers waitingTransfers(const std::string &instance) const = 0;
  /// How many jobs that key (Principal::instance) has queued, with all its subjects.
  [[nodiscard]] virtual std::size_t queuedJobs(const std::string &instance) const = 0;
  /// The earliest nextAttempt, later than `after`, of all that are queued; nothing when there is none.
  [[nodiscard]] virtual std::optional<Time> nextTransferDue(Time after) const = 0;
  [[nodiscard]] virtual std::optional<TrustedKey> key(const std::string &instanceOrAlias) const = 0;
  [[nodiscard]] virtual std::vector<TrustedKey> keys() const = 0;
  [[nodiscard]] virtual std::vector<Grant> grants() const = 0;
  /// Grants to that instance, with or without subject.
  [[nodiscard]] virtual std::vector<Grant> grantsOf(const std::string &instance) const = 0;
  [[nodiscard]] virtual std::optional<std::string> setting(const std::string &name) const = 0;
  /// When this ledger began: tokens issued before it are refused. A restored backup gets a new one
  /// (docs/operations.md): a catalog without the setting "ledger.birth" is given the time at which it is opened.
  [[nodiscard]] virtual Time ledgerBirth() const = 0;
  /// Cheap check that the database answers and takes changes; throws Fault Internal.
  virtual void check() const = 0;
  /// Empty while the catalog takes changes; otherwise why it refuses them, for good: after an I/O error nothing more is
  /// written.
  [[nodiscard]] virtual std::string readOnlyReason() const = 0;
};

/// Runs `work` in one durable transaction, and returns what it returned. For a single change that belongs to no call.
template <class Work> auto committed(Catalog &catalog, Work work) {
  std::optional<decltype(work(std::declval<Transaction &>()))> result;
  catalog.commit(Durability::Durable, [&](Transaction &transaction) { result = work(transaction); });
  return *std::move(result);
}

/// Opens (or creates, and migrates to the present schema version) the SQLite catalog in file `path`. Throws Fault
/// Internal naming the file when it is of a newer schema than this program knows, damaged, or not ours. The file gets
/// mode 0600. `clock` must outlive it.
[[nodiscard]] std::unique_ptr<Catalog> openSqliteCatalog(const std::string &path, const Clock &clock);

} // namespace waybill::storage
