// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/ledger.hpp"

#include "domain/fault.hpp"

#include <utility>

namespace waybill::security {

namespace {

[[noreturn]] void replayed(const std::string &found) {
  throw Fault(FaultCode::TokenReplayed, "this token " + found + "; each token is good for one use, make a new one",
              "wb:Token");
}

} // namespace

Reservation::Reservation(storage::Catalog &catalog, storage::TokenUse use) : catalog_(&catalog), use_(std::move(use)) {}

Reservation::Reservation(Reservation &&other) noexcept
    : catalog_(std::exchange(other.catalog_, nullptr)), use_(std::move(other.use_)) {}

Reservation::~Reservation() {
  if (catalog_ == nullptr) {
    return;
  }
  try {
    catalog_->commit(storage::Durability::Relaxed,
                     [&](storage::Transaction &transaction) { transaction.releaseToken(use_.tokenId); });
  } catch (const std::exception &) {
    // The catalog is failing, which the work itself reports. A token that stays reserved is given back at the next
    // start, or pruned after its end.
  }
}

void Reservation::spend(storage::Transaction &transaction, const std::optional<std::string> &receipt) {
  if (!transaction.spendToken(use_.tokenId, receipt)) {
    replayed("was released or used by another call meanwhile");
  }
}

void Reservation::keep() noexcept { catalog_ = nullptr; }

Ledger::Ledger(storage::Catalog &catalog, std::chrono::seconds clockSkew) : catalog_(catalog), skew_(clockSkew) {}

std::variant<Reservation, EarlierReceipt> Ledger::reserve(const TokenClaims &claims, const std::string &principal,
                                                          const std::string &operation,
                                                          const std::optional<std::string> &messageId) {
  if (claims.notBefore < catalog_.ledgerBirth()) {
    throw Fault(FaultCode::BadToken,
                "the token begins before this instance's ledger does (" + formatUtc(catalog_.ledgerBirth()) +
                    "), so nobody knows whether it was used; make a new one",
                "NotBefore");
  }
  const storage::TokenUse use{claims.id, principal, operation, messageId, claims.notAfter + skew_};
  bool won = false;
  catalog_.commit(storage::Durability::Relaxed,
                  [&](storage::Transaction &transaction) { won = transaction.reserveToken(use); });
  if (won) {
    return Reservation(catalog_, use);
  }
  const auto earlier = catalog_.token(claims.id);
  if (!earlier || !earlier->spent) {
    replayed("is in use by another call at this moment");
  }
  const auto sameMessage = messageId && earlier->use.messageId == messageId && earlier->use.operation == operation &&
                           earlier->use.principal == principal;
  if (!sameMessage || !earlier->receipt) {
    replayed("was used already");
  }
  return EarlierReceipt{*earlier->receipt};
}

std::size_t Ledger::prune(Time now) {
  std::size_t count = 0;
  catalog_.commit(storage::Durability::Relaxed,
                  [&](storage::Transaction &transaction) { count = transaction.pruneTokens(now); });
  return count;
}

std::size_t Ledger::recover() {
  std::size_t count = 0;
  catalog_.commit(storage::Durability::Durable,
                  [&](storage::Transaction &transaction) { count = transaction.releaseAllTokens(); });
  return count;
}

} // namespace waybill::security
