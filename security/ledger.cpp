// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/ledger.hpp"

#include "domain/fault.hpp"

#include <utility>

namespace waybill::security {

namespace {

// An id must not be forgotten while its token could still be opened: by a clock that was set back, or by a call that
// has looked at the token's end and is about to reserve it.
constexpr std::chrono::minutes graceForClocks{10};

[[noreturn]] void replayed(const std::string &found) {
  throw Fault(FaultCode::TokenReplayed, "this token " + found + "; each token is good for one use, make a new one",
              "wb:Token");
}

} // namespace

Reservation::Reservation(Ledger &ledger, storage::TokenUse use) : ledger_(&ledger), use_(std::move(use)) {}

Reservation::Reservation(Reservation &&other) noexcept
    : ledger_(std::exchange(other.ledger_, nullptr)), use_(std::move(other.use_)) {}

Reservation::~Reservation() {
  if (ledger_ != nullptr) {
    ledger_->release(use_.tokenId);
  }
}

void Reservation::spend(storage::Transaction &transaction, const std::optional<std::string> &receipt) {
  if (!transaction.spendToken(use_.tokenId, receipt)) {
    replayed("was released or used by another call meanwhile");
  }
}

void Reservation::keep() noexcept { ledger_ = nullptr; }

Ledger::Ledger(storage::Catalog &catalog, std::chrono::seconds clockSkew, ReleaseFailed releaseFailed)
    : catalog_(catalog), skew_(clockSkew), releaseFailed_(std::move(releaseFailed)) {}

std::variant<Reservation, EarlierReceipt> Ledger::reserve(const TokenClaims &claims, const std::string &principal,
                                                          const std::string &operation,
                                                          const std::optional<std::string> &messageId) {
  // Claims made by hand are in whole seconds.
  const auto birth = std::chrono::floor<std::chrono::seconds>(catalog_.ledgerBirth());
  if (claims.notBefore < birth) {
    throw Fault(FaultCode::BadToken,
                "the token begins before this instance's ledger does (" + formatUtc(birth) +
                    "), so nobody knows whether it was used; make a new one",
                "NotBefore");
  }
  const storage::TokenUse use{claims.id, principal, operation, messageId, claims.notAfter + skew_};
  bool won = false;
  catalog_.commit(storage::Durability::Relaxed,
                  [&](storage::Transaction &transaction) { won = transaction.reserveToken(use); });
  if (won) {
    return Reservation(*this, use);
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

void Ledger::release(const std::string &tokenId) noexcept {
  try {
    catalog_.commit(storage::Durability::Relaxed,
                    [&](storage::Transaction &transaction) { transaction.releaseToken(tokenId); });
  } catch (const std::exception &why) {
    if (releaseFailed_) {
      releaseFailed_(tokenId, why);
    }
    const std::lock_guard lock(mutex_);
    unreleased_.push_back(tokenId);
  }
}

/// What stays unreleased when this fails too is given back at the next start.
void Ledger::releaseLate() {
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    ids.swap(unreleased_);
  }
  for (const auto &id : ids) {
    release(id);
  }
}

std::size_t Ledger::prune(Time now) {
  releaseLate();
  std::size_t count = 0;
  catalog_.commit(storage::Durability::Relaxed,
                  [&](storage::Transaction &transaction) { count = transaction.pruneTokens(now - graceForClocks); });
  return count;
}

std::size_t Ledger::recover() {
  std::size_t count = 0;
  catalog_.commit(storage::Durability::Durable,
                  [&](storage::Transaction &transaction) { count = transaction.releaseAllTokens(); });
  return count;
}

} // namespace waybill::security
