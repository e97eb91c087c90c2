// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sql_transaction.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "storage/catalog_statements.hpp"
#include "storage/sql_rows.hpp"

namespace waybill::storage {

std::optional<TrustedKey> keyNamed(SqlConnection &connection, const std::string &instanceOrAlias) {
  auto found = connection.first(statements::keyByInstance, {instanceOrAlias}, toKey);
  return found ? found : connection.first(statements::keyByAlias, {instanceOrAlias}, toKey);
}

std::optional<ObjectRow> SqlTransaction::objectAt(const std::string &path) {
  return connection_.first(statements::objectByPath, {path}, toObject);
}

std::optional<ObjectRow> SqlTransaction::object(const std::string &id) {
  return connection_.first(statements::objectById, {id}, toObject);
}

void SqlTransaction::insert(const ObjectRow &row) {
  const auto metadata = column(row.metadata);
  const auto inserted =
      connection_.execute(statements::insertObject,
                          {row.id, row.path, row.owner, column(row.size), row.sha256, row.adler32, row.contentType,
                           std::int64_t{row.secure}, column(row.created), parameter(row.expires), metadata});
  if (inserted == 0) {
    throw Fault(FaultCode::AlreadyExists,
                "there is data under this path already; choose another path, or ask to overwrite it",
                printable(row.path, 300));
  }
}

bool SqlTransaction::removeObject(const std::string &id) {
  return connection_.execute(statements::deleteObject, {id}) != 0;
}

bool SqlTransaction::reserveToken(const TokenUse &use, const std::string &request) {
  const auto message = parameter(use.messageId);
  return connection_.execute(statements::reserveToken,
                             {use.tokenId, use.principal, use.operation, message, column(use.keepUntil)}) == 1 ||
         connection_.execute(statements::reserveBoundToken,
                             {message, use.tokenId, use.principal, use.operation, request}) == 1;
}

bool SqlTransaction::bindToken(const std::string &tokenId, const std::string &request) {
  return connection_.execute(statements::bindToken, {request, tokenId}) == 1;
}

bool SqlTransaction::spendToken(const std::string &tokenId, const std::string &request,
                                const std::optional<std::string> &receipt, Time keepUntil) {
  return connection_.execute(statements::spendToken, {request, parameter(receipt), column(keepUntil), tokenId}) == 1;
}

void SqlTransaction::releaseToken(const std::string &tokenId) {
  connection_.execute(statements::forgetHeldToken, {tokenId});
  connection_.execute(statements::releaseBoundToken, {tokenId});
}

std::size_t SqlTransaction::pruneTokens(Time before) {
  return connection_.execute(statements::pruneTokens, {column(before)});
}

std::size_t SqlTransaction::releaseAllTokens() {
  return connection_.execute(statements::forgetHeldTokens) + connection_.execute(statements::releaseBoundTokens);
}

bool SqlTransaction::insertTransfer(const TransferRow &row) {
  const auto sources = column(row.sources);
  return connection_.execute(statements::insertTransfer, {row.id,
                                                          row.principal,
                                                          row.messageId,
                                                          row.operation,
                                                          name(row.state),
                                                          column(row.bytesDone),
                                                          column(row.bytesTotal),
                                                          std::int64_t{row.attempts},
                                                          parameter(row.lastError),
                                                          column(row.started),
                                                          parameter(row.ended),
                                                          column(row.nextAttempt),
                                                          column(row.deadline),
                                                          std::int64_t{row.priority},
                                                          row.peer,
                                                          sources,
                                                          row.destination,
                                                          parameter(row.receipt),
                                                          name(row.phase),
                                                          parameter(row.job),
                                                          parameter(row.request),
                                                          row.work}) == 1;
}

bool SqlTransaction::updateTransfer(const TransferRow &row, std::optional<TransferState> from) {
  const auto keepsWork = row.work.empty() && !isFinal(row.state);
  const auto work = isFinal(row.state) ? std::string_view() : std::string_view(row.work);
  return connection_.execute(statements::updateTransfer,
                             {name(row.state), column(row.bytesDone), column(row.bytesTotal),
                              std::int64_t{row.attempts}, parameter(row.lastError), parameter(row.ended),
                              column(row.nextAttempt), std::int64_t{row.priority}, row.peer, parameter(row.receipt),
                              name(row.phase), parameter(row.job), keepsWork ? Parameter() : work, row.id,
                              parameter(from)}) == 1;
}

std::optional<TransferRow> SqlTransaction::transfer(const std::string &principal, const std::string &messageId) {
  return connection_.first(statements::transferByMessage, {principal, messageId}, toTransfer);
}

std::size_t SqlTransaction::requeueActiveTransfers(Time now) {
  return connection_.execute(statements::requeueActiveTransfers, {column(now)});
}

std::size_t SqlTransaction::pruneTransfers(Time endedBefore) {
  return connection_.execute(statements::pruneTransfers, {column(endedBefore)});
}

std::optional<TrustedKey> SqlTransaction::key(const std::string &instanceOrAlias) {
  return keyNamed(connection_, instanceOrAlias);
}

std::optional<Grant> SqlTransaction::grant(const std::string &id) {
  return connection_.first(statements::permissionById, {id}, toGrant);
}

void SqlTransaction::putKey(const TrustedKey &key) {
  const auto revoked = std::int64_t{key.revoked};
  const auto added = column(key.added);
  const auto alias = parameter(key.alias);
  const auto url = parameter(key.url);
  const auto updated = connection_.execute(
      statements::updateKey, {key.certificatePem, alias, url, revoked, added, key.instance, alias, key.instance});
  if (updated == 0 &&
      connection_.execute(statements::insertKey, {key.instance, key.certificatePem, alias, url, revoked, added}) == 0) {
    const auto shown = printable(key.alias.value_or(""), 100);
    throw Fault(FaultCode::AlreadyExists,
                "another key has this alias already; choose another alias or, when this key takes the place of that "
                "one, revoke that one first, which frees its alias: RevokeKey, or 'waybill revoke-key " +
                    shown + "'",
                shown);
  }
}

void SqlTransaction::putGrant(const Grant &grant) {
  if (grant.rights.empty()) {
    throw Fault(FaultCode::BadParameter,
                "a grant needs at least one right: read, write, delete, list, invoke or administer", grant.id);
  }
  const auto rights = format(grant.rights);
  connection_.execute(statements::putPermission,
                      {grant.id, grant.principal.instance, parameter(grant.principal.subject), rights, grant.prefix,
                       parameter(grant.expires), column(grant.created)});
}

bool SqlTransaction::removeGrant(const std::string &id) {
  return connection_.execute(statements::deletePermission, {id}) != 0;
}

void SqlTransaction::putSetting(const std::string &name, const std::string &value) {
  if (name == ledgerBirthSetting || name == schemaVersionSetting) {
    throw Fault(FaultCode::BadParameter,
                "this setting is the catalog's own and is not set from outside; choose another name", name);
  }
  connection_.execute(statements::putSetting, {name, value});
}

void SqlTransaction::renewLedger(Time birth) {
  connection_.execute(statements::putSetting, {ledgerBirthSetting, std::to_string(column(birth))});
}

} // namespace waybill::storage
