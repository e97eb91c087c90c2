// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/token_claims.hpp"
#include "storage/catalog.hpp"

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace waybill::security {

class Ledger;

/// A token that is held for one running piece of work. Destroyed without spend(), it is released, so that the work can
/// be tried again. Used by one thread at a time; must not outlive its Ledger.
class Reservation {
public:
  Reservation(Reservation &&other) noexcept;
  Reservation &operator=(Reservation &&) = delete;
  ~Reservation();
  /// Marks it used, for good, within the transaction that commits the work. `receipt` is given back to the same
  /// message, should it come again. Throws Fault TokenReplayed when it is no longer reserved.
  void spend(storage::Transaction &transaction, const std::optional<std::string> &receipt);
  /// Call after the transaction of spend() has been committed; until then the destructor still releases.
  void keep() noexcept;
  [[nodiscard]] const storage::TokenUse &use() const noexcept { return use_; }

private:
  friend class Ledger;
  Reservation(Ledger &ledger, storage::TokenUse use);
  Ledger *ledger_; ///< null when there is nothing to release
  storage::TokenUse use_;
};

/// What the first use of a token answered, for a message that comes again.
struct EarlierReceipt {
  std::string bodyXml;
};

/// Makes each token good for one use (docs/tokens.md). Thread-safe.
class Ledger {
public:
  /// Told when a reservation could not be released: the token's id, and why. It may be called in a destructor, so it
  /// must not throw.
  using ReleaseFailed = std::function<void(const std::string &tokenId, const std::exception &why)>;

  /// `catalog` must outlive this.
  Ledger(storage::Catalog &catalog, std::chrono::seconds clockSkew, ReleaseFailed releaseFailed = {});

  /// Holds the token for this use. When it is spent already: the receipt, if the same message (same MessageID,
  /// operation and principal) spent it and left one; otherwise, or when another call holds it now, throws Fault
  /// TokenReplayed. Throws Fault BadToken when it was issued before the second in which the ledger began.
  [[nodiscard]] std::variant<Reservation, EarlierReceipt> reserve(const TokenClaims &claims,
                                                                  const std::string &principal,
                                                                  const std::string &operation,
                                                                  const std::optional<std::string> &messageId);
  /// Releases what could not be released before, and forgets tokens that ended longer than a clock may be set back ago
  /// (ten minutes); returns how many it forgot.
  std::size_t prune(Time now);
  /// Gives back what a dead process held; returns how many. Only for the one daemon that holds the home's lock, before
  /// it serves.
  std::size_t recover();

private:
  friend class Reservation;
  void release(const std::string &tokenId) noexcept;
  void releaseLate();

  storage::Catalog &catalog_;
  std::chrono::seconds skew_;
  ReleaseFailed releaseFailed_;
  std::mutex mutex_;
  std::vector<std::string> unreleased_; ///< guarded by mutex_
};

} // namespace waybill::security
