// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sql_catalog.hpp"

#include "domain/fault.hpp"
#include "storage/catalog_statements.hpp"
#include "storage/sql_rows.hpp"
#include "storage/sql_transaction.hpp"

#include <soci/soci.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace waybill::storage {

namespace {

std::int64_t rowLimit(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(limit, std::numeric_limits<std::int64_t>::max()));
}

Time readBirth(SqlConnection &connection) {
  const auto text = connection.first(statements::settingByName, {ledgerBirthSetting}, toText).value_or("");
  std::int64_t microseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Fault(
        FaultCode::Internal,
        "the catalog does not say when its ledger began; something else has changed it: restore it from a backup",
        ledgerBirthSetting);
  }
  return Time(std::chrono::microseconds(microseconds));
}

} // namespace

SqlCatalog::SqlCatalog(std::unique_ptr<SqlDialect> dialect, std::size_t readers)
    : dialect_(std::move(dialect)), writer_(dialect_->openWriter(), *dialect_), readers_(*dialect_, readers),
      birth_(readBirth(writer_)),
      groups_([this](std::span<Work *const> group) { runGroup(group); }, [this] { upkeep(); }) {}

void SqlCatalog::commit(Durability durability, const std::function<void(Transaction &)> &work) {
  requireWritable();
  groups_.commit(durability, work);
}

void SqlCatalog::runGroup(std::span<Work *const> group) noexcept {
  try {
    requireWritable();
    writer_.clearFailure();
    transact(group);
  } catch (...) {
    giveUp(group, std::current_exception());
  }
}

void SqlCatalog::transact(std::span<Work *const> group) {
  const auto durable =
      std::any_of(group.begin(), group.end(), [](const auto *work) { return work->durability == Durability::Durable; });
  dialect_->begin(writer_, durable ? Durability::Durable : Durability::Relaxed);
  for (auto *work : group) {
    runOne(*work);
  }
  if (std::all_of(group.begin(), group.end(), [](const auto *work) { return work->error != nullptr; })) {
    writer_.execute(statements::rollback);
    return;
  }
  writer_.execute(statements::commit);
  ++transactions_;
}

void SqlCatalog::runOne(Work &work) {
  writer_.execute(statements::savepoint);
  try {
    SqlTransaction transaction(writer_);
    (*work.run)(transaction);
  } catch (...) {
    work.error = std::current_exception();
  }
  // A work may have caught what says that the whole transaction is lost.
  if (writer_.failure()) {
    throw DatabaseFault(*writer_.failure());
  }
  if (work.error) {
    writer_.execute(statements::rollbackToSavepoint);
  }
  writer_.execute(statements::releaseSavepoint);
}

void SqlCatalog::giveUp(std::span<Work *const> group, const std::exception_ptr &error) noexcept {
  try {
    if (dialect_->inTransaction(writer_)) {
      writer_.execute(statements::rollback);
    }
  } catch (const DatabaseFault &) {
    // The first cause is what the callers get; that the connection has failed is remembered in it.
  }
  if (writer_.failure()) {
    stopIfBroken(DatabaseFault(*writer_.failure()));
  }
  for (auto *work : group) {
    if (work->error) {
      continue;
    }
    // Each caller gets an exception of its own: they look at them in different threads.
    try {
      std::rethrow_exception(error);
    } catch (const Fault &fault) {
      work->error = std::make_exception_ptr(Fault(fault));
    } catch (const std::exception &other) {
      work->error = std::make_exception_ptr(
          Fault(FaultCode::Internal, std::string("committing to the catalog failed: ") + other.what()));
    }
  }
}

void SqlCatalog::stopIfBroken(const DatabaseFault &fault) noexcept {
  if (fault.failure() != DatabaseFailure::Disk && fault.failure() != DatabaseFailure::Damaged) {
    return;
  }
  const auto remains = fault.failure() == DatabaseFailure::Disk ? dialect_->voidFailedCommit(writer_) : std::string();
  const std::lock_guard lock(mutex_);
  if (reason_.empty()) {
    reason_ = fault.reason() + (remains.empty() ? "" : "; " + remains);
    readOnly_ = true;
  }
}

void SqlCatalog::upkeep() noexcept {
  if (readOnly_) {
    return;
  }
  writer_.clearFailure();
  try {
    dialect_->afterCommit(writer_);
  } catch (const DatabaseFault &fault) {
    // A full disk, or a reader in the way, and the next upkeep tries again: what was committed is safe either way.
    stopIfBroken(fault);
  }
}

void SqlCatalog::requireWritable() const {
  if (readOnly_) {
    throw Fault(FaultCode::Internal, "the instance takes no changes: " + readOnlyReason());
  }
}

std::string SqlCatalog::readOnlyReason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

std::optional<ObjectRow> SqlCatalog::object(const std::string &id) const {
  return readers_.with([&](auto &reader) { return reader.first(statements::objectById, {id}, toObject); });
}

std::optional<ObjectRow> SqlCatalog::objectAt(const std::string &path) const {
  return readers_.with([&](auto &reader) { return reader.first(statements::objectByPath, {path}, toObject); });
}

std::vector<ObjectRow> SqlCatalog::list(const std::string &prefix, const std::string &after, std::size_t limit) const {
  std::vector<ObjectRow> rows;
  if (limit == 0) {
    return rows;
  }
  // Below "/a" is what lies between "/a/" and "/a0", '0' being what follows '/'; "/a" itself sorts before all of it.
  const auto folder = prefix == "/" ? prefix : prefix + "/";
  const auto end = folder.substr(0, folder.size() - 1) + "0";
  return readers_.with([&](auto &reader) {
    if (after < prefix) {
      if (auto exact = reader.first(statements::objectByPath, {prefix}, toObject)) {
        rows.push_back(std::move(*exact));
      }
    }
    reader.query(statements::objectsBetween, {std::max(folder, after), end, rowLimit(limit - rows.size())},
                 [&](const Row &row) { rows.push_back(toObject(row)); });
    return std::move(rows);
  });
}

std::vector<ObjectRow> SqlCatalog::objects(const std::string &after, std::size_t limit) const {
  return readers_.with([&](auto &reader) {
    return reader.all(statements::objectsAfter, {after, rowLimit(limit)}, toObject);
  });
}

std::vector<ObjectRow> SqlCatalog::expired(Time now, std::size_t limit) const {
  return readers_.with([&](auto &reader) {
    return reader.all(statements::objectsExpired, {column(now), rowLimit(limit)}, toObject);
  });
}

std::optional<TokenRow> SqlCatalog::token(const std::string &tokenId) const {
  return readers_.with([&](auto &reader) { return reader.first(statements::tokenById, {tokenId}, toToken); });
}

std::optional<TransferRow> SqlCatalog::transfer(const std::string &principal, const std::string &messageId) const {
  return readers_.with([&](auto &reader) {
    return reader.first(statements::transferByMessage, {principal, messageId}, toTransfer);
  });
}

std::optional<TransferRow> SqlCatalog::transferById(const std::string &id) const {
  return readers_.with([&](auto &reader) { return reader.first(statements::transferById, {id}, toTransfer); });
}

std::vector<TransferRow> SqlCatalog::transfers(TransferKind kind, const std::optional<std::string> &principal,
                                               std::optional<TransferState> state,
                                               const std::optional<TransferPosition> &before, std::size_t limit) const {
  const auto started = before ? column(before->started) : std::numeric_limits<std::int64_t>::max();
  const auto id = before ? std::string_view(before->id) : std::string_view();
  const std::int64_t jobs = kind == TransferKind::Job ? 1 : 0;
  return readers_.with([&](auto &reader) {
    return principal ? reader.all(statements::transfersOf,
                                  {*principal, started, id, parameter(state), jobs, rowLimit(limit)}, toTransfer)
                     : reader.all(statements::transfersOfAll, {started, id, parameter(state), jobs, rowLimit(limit)},
                                  toTransfer);
  });
}

std::vector<TransferRow> SqlCatalog::dueTransfers(JobPhase phase, Time now, std::size_t perPeer,
                                                  std::size_t limit) const {
  return readers_.with([&](auto &reader) {
    return reader.all(statements::transfersDue,
                      {name(phase), column(now), rowLimit(perPeer), std::int64_t{receiptPriority}, rowLimit(limit)},
                      toTransfer);
  });
}

WaitingTransfers SqlCatalog::waitingTransfers(const std::string &instance) const {
  return readers_.with([&](auto &reader) { return reader.first(statements::transfersWaiting, {instance}, toWaiting); })
      .value_or(WaitingTransfers());
}

std::size_t SqlCatalog::queuedJobs(const std::string &instance) const {
  return readers_.with(
      [&](auto &reader) { return reader.first(statements::queuedJobs, {instance}, toCount).value_or(0); });
}

std::optional<Time> SqlCatalog::nextTransferDue(Time after) const {
  return readers_.with(
      [&](auto &reader) { return reader.first(statements::nextTransferDue, {column(after)}, toTime); });
}

std::optional<TrustedKey> SqlCatalog::key(const std::string &instanceOrAlias) const {
  return readers_.with([&](auto &reader) { return keyNamed(reader, instanceOrAlias); });
}

std::vector<TrustedKey> SqlCatalog::keys() const {
  return readers_.with([](auto &reader) { return reader.all(statements::allKeys, {}, toKey); });
}

std::vector<Grant> SqlCatalog::grants() const {
  return readers_.with([](auto &reader) { return reader.all(statements::allPermissions, {}, toGrant); });
}

std::vector<Grant> SqlCatalog::grantsOf(const std::string &instance) const {
  return readers_.with([&](auto &reader) { return reader.all(statements::permissionsOf, {instance}, toGrant); });
}

std::optional<std::string> SqlCatalog::setting(const std::string &name) const {
  return readers_.with([&](auto &reader) { return reader.first(statements::settingByName, {name}, toText); });
}

void SqlCatalog::check() const {
  requireWritable();
  if (!setting(schemaVersionSetting)) {
    throw Fault(FaultCode::Internal, "the catalog has lost its schema; something else has changed it: stop the "
                                     "instance and restore it from a backup");
  }
}

} // namespace waybill::storage
