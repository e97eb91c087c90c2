// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/catalog.hpp"
#include "storage/sql_connection.hpp"

namespace waybill::storage {

/// The setting that holds Catalog::ledgerBirth, in microseconds since 1970.
inline constexpr const char *ledgerBirthSetting = "ledger.birth";
/// The setting that holds the version of the schema.
inline constexpr const char *schemaVersionSetting = "schema.version";

/// The key of that instance, else the one of that alias.
[[nodiscard]] std::optional<TrustedKey> keyNamed(SqlConnection &connection, const std::string &instanceOrAlias);

/// The writes of a unit of work, on the writing connection within its savepoint.
class SqlTransaction final : public Transaction {
public:
  explicit SqlTransaction(SqlConnection &connection) : connection_(connection) {}

  [[nodiscard]] std::optional<ObjectRow> objectAt(const std::string &path) override;
  [[nodiscard]] std::optional<ObjectRow> object(const std::string &id) override;
  void insert(const ObjectRow &row) override;
  bool removeObject(const std::string &id) override;
  bool reserveToken(const TokenUse &use, const std::string &request) override;
  bool bindToken(const std::string &tokenId, const std::string &request) override;
  bool spendToken(const std::string &tokenId, const std::string &request, const std::optional<std::string> &receipt,
                  Time keepUntil) override;
  void releaseToken(const std::string &tokenId) override;
  std::size_t pruneTokens(Time before) override;
  std::size_t releaseAllTokens() override;
  [[nodiscard]] bool insertTransfer(const TransferRow &row) override;
  [[nodiscard]] bool updateTransfer(const TransferRow &row, std::optional<TransferState> from) override;
  [[nodiscard]] std::optional<TransferRow> transfer(const std::string &principal,
                                                    const std::string &messageId) override;
  std::size_t requeueActiveTransfers(Time now) override;
  std::size_t pruneTransfers(Time endedBefore) override;
  [[nodiscard]] std::optional<TrustedKey> key(const std::string &instanceOrAlias) override;
  [[nodiscard]] std::optional<Grant> grant(const std::string &id) override;
  void putKey(const TrustedKey &key) override;
  void putGrant(const Grant &grant) override;
  bool removeGrant(const std::string &id) override;
  void putSetting(const std::string &name, const std::string &value) override;
  /// See renew_ledger.hpp.
  void renewLedger(Time birth);

private:
  SqlConnection &connection_;
};

} // namespace waybill::storage
