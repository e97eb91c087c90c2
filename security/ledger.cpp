// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/ledger.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "security/openssl.hpp"

#include <algorithm>
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

bool isSameMessage(const storage::TokenUse &earlier, const Request &request) {
  return request.messageId && earlier.messageId == request.messageId && earlier.operation == request.operation &&
         earlier.principal == request.principal;
}

std::string digestOf(const Request &request) { return toHex(sha256(asBytes(request.operation + "\n" + request.body))); }

/// Tokens that were spent before this was kept are taken for good.
bool isForRequest(const storage::TokenRow &spent, const std::string &digest) {
  return spent.request.value_or(digest) == digest;
}

} // namespace

Reservation::Reservation(Ledger &ledger, storage::TokenUse use, std::string request)
    : ledger_(&ledger), use_(std::move(use)), request_(std::move(request)) {}

Reservation::Reservation(Reservation &&other) noexcept
    : ledger_(std::exchange(other.ledger_, nullptr)), use_(std::move(other.use_)), request_(std::move(other.request_)) {
}

Reservation::~Reservation() {
  if (ledger_ != nullptr) {
    ledger_->release(use_.tokenId);
  }
}

void Reservation::bind() {
  bool bound = false;
  // What a power cut makes undone is the reservation too, so a sync would only slow down every download.
  ledger_->catalog_.commit(storage::Durability::Relaxed, [&](storage::Transaction &transaction) {
    bound = transaction.bindToken(use_.tokenId, request_);
  });
  if (!bound) {
    replayed("was released or used by another call meanwhile");
  }
}

void Reservation::spend(storage::Transaction &transaction, const std::optional<std::string> &receipt) {
  const auto &policy = ledger_->policy_;
  const auto keepUntil =
      receipt ? std::max(use_.keepUntil, ledger_->clock_.now() + policy.maximumLifetime + policy.clockSkew)
              : use_.keepUntil;
  if (!transaction.spendToken(use_.tokenId, request_, receipt, keepUntil)) {
    replayed("was released or used by another call meanwhile");
  }
}

void Reservation::keep() noexcept {
  if (auto *ledger = std::exchange(ledger_, nullptr)) {
    ledger->ended(use_.tokenId);
  }
}

/// Notices the end of a token's reservation from now on.
class Ledger::Watch {
public:
  Watch(Ledger &ledger, const std::string &tokenId)
      : ledger_(ledger), until_(std::chrono::steady_clock::now() + ledger.policy_.patience) {
    const std::lock_guard lock(ledger_.mutex_);
    place_ = ledger_.watched_.emplace(tokenId, false);
  }
  ~Watch() {
    const std::lock_guard lock(ledger_.mutex_);
    ledger_.watched_.erase(place_);
  }
  Watch(const Watch &) = delete;
  Watch &operator=(const Watch &) = delete;

  /// Returns when it has ended since the last call. Throws Fault Busy when the ledger's patience is over.
  void wait() {
    std::unique_lock lock(ledger_.mutex_);
    if (!ledger_.wake_.wait_until(lock, until_, [this] { return place_->second; })) {
      throw Fault(FaultCode::Busy,
                  "the first attempt at this message is still at work; send the same message again in a moment, and it "
                  "gets what the first one got",
                  "wb:Token");
    }
    place_->second = false;
  }

private:
  Ledger &ledger_;
  std::chrono::steady_clock::time_point until_;
  std::multimap<std::string, bool>::iterator place_;
};

Ledger::Ledger(storage::Catalog &catalog, const Clock &clock, LedgerPolicy policy, ReleaseFailed releaseFailed)
    : catalog_(catalog), clock_(clock), policy_(policy), releaseFailed_(std::move(releaseFailed)) {}

std::variant<Reservation, EarlierReceipt> Ledger::reserve(const TokenClaims &claims, const Request &request) {
  // Claims made by hand are in whole seconds.
  const auto birth = std::chrono::floor<std::chrono::seconds>(catalog_.ledgerBirth());
  if (claims.notBefore < birth) {
    throw Fault(FaultCode::BadToken,
                "the token begins before this instance's ledger does (" + formatUtc(birth) +
                    "), so nobody knows whether it was used; make a new one",
                "NotBefore");
  }
  const storage::TokenUse use{claims.id, request.principal, request.operation, request.messageId,
                              claims.notAfter + policy_.clockSkew};
  const auto digest = digestOf(request);
  Watch watch(*this, claims.id);
  while (true) {
    bool won = false;
    catalog_.commit(storage::Durability::Relaxed,
                    [&](storage::Transaction &transaction) { won = transaction.reserveToken(use, digest); });
    if (won) {
      return Reservation(*this, use, digest);
    }
    const auto earlier = catalog_.token(claims.id);
    if (!earlier) {
      continue; // released meanwhile
    }
    const auto same = isSameMessage(earlier->use, request);
    if (earlier->spent) {
      if (same && earlier->receipt) {
        if (isForRequest(*earlier, digest)) {
          return EarlierReceipt{*earlier->receipt};
        }
        replayed("was used already, by a message with this wsa:MessageID that asked for something else");
      }
      replayed("was used already");
    }
    if (!earlier->held) {
      if (earlier->request == digest && earlier->use.principal == request.principal) {
        continue; // likewise
      }
      replayed("was shown for another request, whose reply broke off");
    }
    if (!same) {
      replayed("is in use by another call at this moment");
    }
    watch.wait();
  }
}

std::optional<EarlierReceipt> Ledger::receipt(const std::string &tokenId, const Request &request) {
  Watch watch(*this, tokenId);
  while (true) {
    const auto earlier = catalog_.token(tokenId);
    if (!earlier || !isSameMessage(earlier->use, request)) {
      return std::nullopt;
    }
    if (!earlier->held) {
      return earlier->receipt && isForRequest(*earlier, digestOf(request))
                 ? std::optional(EarlierReceipt{*earlier->receipt})
                 : std::nullopt;
    }
    watch.wait();
  }
}

void Ledger::release(const std::string &tokenId) noexcept {
  try {
    catalog_.commit(storage::Durability::Relaxed,
                    [&](storage::Transaction &transaction) { transaction.releaseToken(tokenId); });
    ended(tokenId);
  } catch (const std::exception &why) {
    if (releaseFailed_) {
      releaseFailed_(tokenId, why);
    }
    const std::lock_guard lock(mutex_);
    unreleased_.push_back(tokenId);
  }
}

/// Wakes those who wait for this token.
void Ledger::ended(const std::string &tokenId) noexcept {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = watched_.equal_range(tokenId);
  if (first != last) {
    std::for_each(first, last, [](auto &watch) { watch.second = true; });
    wake_.notify_all();
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
