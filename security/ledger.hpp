// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/token_claims.hpp"
#include "storage/catalog.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>

namespace waybill::security {

/// A token that is held for one running piece of work. Destroyed without spend(), it is released, so that the work can
/// be tried again.
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
  Reservation(storage::Catalog &catalog, storage::TokenUse use);
  storage::Catalog *catalog_;
  storage::TokenUse use_;
};

/// What the first use of a token answered, for a message that comes again.
struct EarlierReceipt {
  std::string bodyXml;
};

/// Makes each token good for one use (docs/tokens.md). Thread-safe.
class Ledger {
public:
  Ledger(storage::Catalog &catalog, std::chrono::seconds clockSkew);

  /// Holds the token for this use. When it is spent already: the receipt, if the same message (same MessageID,
  /// operation and principal) spent it and left one; otherwise, or when another call holds it now, throws Fault
  /// TokenReplayed. Throws Fault BadToken when it was issued before the ledger began.
  [[nodiscard]] std::variant<Reservation, EarlierReceipt> reserve(const TokenClaims &claims,
                                                                  const std::string &principal,
                                                                  const std::string &operation,
                                                                  const std::optional<std::string> &messageId);
  /// Forgets tokens whose time is over; returns how many.
  std::size_t prune(Time now);
  /// Gives back what a dead process held. Only for the one daemon that holds the home's lock.
  std::size_t recover();

private:
  storage::Catalog &catalog_;
  std::chrono::seconds skew_;
};

} // namespace waybill::security
