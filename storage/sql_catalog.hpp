// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/catalog.hpp"
#include "storage/reader_pool.hpp"
#include "storage/sql_connection.hpp"
#include "storage/sql_dialect.hpp"
#include "storage/work_groups.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace waybill::storage {

/// The catalog on any SQL database whose dialect is given: one writing connection, shared by grouping, and a few
/// reading ones.
class SqlCatalog final : public Catalog {
public:
  /// The database has been made ready (schema, ledger birth).
  SqlCatalog(std::unique_ptr<SqlDialect> dialect, std::size_t readers);

  void commit(Durability durability, const std::function<void(Transaction &)> &work) override;
  [[nodiscard]] std::optional<ObjectRow> object(const std::string &id) const override;
  [[nodiscard]] std::optional<ObjectRow> objectAt(const std::string &path) const override;
  [[nodiscard]] std::vector<ObjectRow> list(const std::string &prefix, const std::string &after,
                                            std::size_t limit) const override;
  [[nodiscard]] std::vector<ObjectRow> objects(const std::string &after, std::size_t limit) const override;
  [[nodiscard]] std::vector<ObjectRow> expired(Time now, std::size_t limit) const override;
  [[nodiscard]] std::optional<TokenRow> token(const std::string &tokenId) const override;
  [[nodiscard]] std::optional<TransferRow> transfer(const std::string &principal,
                                                    const std::string &messageId) const override;
  [[nodiscard]] std::optional<TransferRow> transferById(const std::string &id) const override;
  [[nodiscard]] std::vector<TransferRow> transfers(TransferKind kind, const std::optional<std::string> &principal,
                                                   std::optional<TransferState> state,
                                                   const std::optional<TransferPosition> &before,
                                                   std::size_t limit) const override;
  [[nodiscard]] std::vector<TransferRow> dueTransfers(JobPhase phase, Time now, std::size_t perPeer,
                                                      std::size_t limit) const override;
  [[nodiscard]] WaitingTransfers waitingTransfers(const std::string &instance) const override;
  [[nodiscard]] std::size_t queuedJobs(const std::string &instance) const override;
  [[nodiscard]] std::optional<Time> nextTransferDue(Time after) const override;
  [[nodiscard]] std::optional<TrustedKey> key(const std::string &instanceOrAlias) const override;
  [[nodiscard]] std::vector<TrustedKey> keys() const override;
  [[nodiscard]] std::vector<Grant> grants() const override;
  [[nodiscard]] std::vector<Grant> grantsOf(const std::string &instance) const override;
  [[nodiscard]] std::optional<std::string> setting(const std::string &name) const override;
  [[nodiscard]] Time ledgerBirth() const override { return birth_; }
  void check() const override;
  [[nodiscard]] std::string readOnlyReason() const override;

  /// How many database transactions were committed: fewer than works when they are grouped.
  [[nodiscard]] std::uint64_t transactions() const noexcept { return transactions_; }
  /// How many works wait for a transaction at this moment.
  [[nodiscard]] std::size_t worksWaiting() const { return groups_.waiting(); }

private:
  void runGroup(std::span<Work *const> group) noexcept;
  void transact(std::span<Work *const> group);
  void runOne(Work &work);
  void giveUp(std::span<Work *const> group, const std::exception_ptr &error) noexcept;
  void upkeep() noexcept;
  void requireWritable() const;
  void stopIfBroken(const DatabaseFault &fault) noexcept;

  std::unique_ptr<SqlDialect> dialect_;
  SqlConnection writer_;
  mutable ReaderPool readers_;
  Time birth_;
  std::atomic<std::uint64_t> transactions_{0};
  std::atomic<bool> readOnly_{false};
  mutable std::mutex mutex_;
  std::string reason_; ///< guarded by mutex_
  WorkGroups groups_;
};

} // namespace waybill::storage
