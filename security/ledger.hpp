// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/token_claims.hpp"
#include "storage/catalog.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace waybill::security {

class Ledger;

/// What a token is shown for.
struct Request {
  std::string principal; ///< formatted
  std::string operation;
  std::optional<std::string> messageId; ///< wsa:MessageID
  std::string body;                     ///< what it asks for, in any form that is the same when it is asked again
};

/// A token that is held for one running piece of work. Destroyed without spend(), it is released, so that the work can
/// be tried again. Used by one thread at a time; must not outlive its Ledger.
class Reservation {
public:
  Reservation(Reservation &&other) noexcept;
  Reservation &operator=(Reservation &&) = delete;
  ~Reservation();
  /// Call before the first byte of content leaves: once released, the token is good for this request alone (same
  /// principal, operation and body). Throws Fault TokenReplayed when it is no longer reserved.
  void bind();
  /// Marks it used, for good and for this request, within the transaction that commits the work. `receipt` is given
  /// back to the same message, should it come again within the longest life that a token may have, though its own may
  /// be over. Throws Fault TokenReplayed when it is no longer reserved.
  void spend(storage::Transaction &transaction, const std::optional<std::string> &receipt);
  /// Call after the transaction of spend() has been committed; until then the destructor still releases.
  void keep() noexcept;
  [[nodiscard]] const storage::TokenUse &use() const noexcept { return use_; }

private:
  friend class Ledger;
  Reservation(Ledger &ledger, storage::TokenUse use, std::string request);
  Ledger *ledger_; ///< null when there is nothing to release
  storage::TokenUse use_;
  std::string request_; ///< its digest
};

/// What the first use of a token answered, for a message that comes again.
struct EarlierReceipt {
  std::string bodyXml;
};

struct LedgerPolicy {
  std::chrono::seconds maximumLifetime{3600}; ///< of a token (TokenPolicy)
  std::chrono::seconds clockSkew{60};
  std::chrono::milliseconds patience{5000}; ///< how long a message that came again waits for its first attempt
};

/// Makes each token good for one use (docs/tokens.md). Thread-safe.
class Ledger {
public:
  /// Told when a reservation could not be released: the token's id, and why. It may be called in a destructor, so it
  /// must not throw.
  using ReleaseFailed = std::function<void(const std::string &tokenId, const std::exception &why)>;

  /// `catalog` and `clock` must outlive this.
  Ledger(storage::Catalog &catalog, const Clock &clock, LedgerPolicy policy, ReleaseFailed releaseFailed = {});

  /// Holds the token for this request. When it is spent already: the receipt, if the same message (same MessageID,
  /// operation, principal and body) spent it and left one; while that message's first attempt holds it, its end is
  /// waited for, and Fault Busy thrown when it does not come. Otherwise, when another call holds it, or it is bound to
  /// another request, throws Fault TokenReplayed. Throws Fault BadToken when it was issued before the second in which
  /// the ledger began.
  [[nodiscard]] std::variant<Reservation, EarlierReceipt> reserve(const TokenClaims &claims, const Request &request);
  /// For a token whose life is over: the receipt that the same message left, waited for as above; holds nothing.
  [[nodiscard]] std::optional<EarlierReceipt> receipt(const std::string &tokenId, const Request &request);
  /// Releases what could not be released before, and forgets tokens that ended longer than a clock may be set back ago
  /// (ten minutes); returns how many it forgot.
  std::size_t prune(Time now);
  /// Gives back what a dead process held; returns how many. Only for the one daemon that holds the home's lock, before
  /// it serves.
  std::size_t recover();

private:
  friend class Reservation;
  class Watch;
  void release(const std::string &tokenId) noexcept;
  void ended(const std::string &tokenId) noexcept;
  void releaseLate();

  storage::Catalog &catalog_;
  const Clock &clock_;
  LedgerPolicy policy_;
  ReleaseFailed releaseFailed_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<std::string, bool> watched_; ///< by token id: whether its reservation has ended; guarded by mutex_
  std::vector<std::string> unreleased_;      ///< guarded by mutex_
};

} // namespace waybill::security
