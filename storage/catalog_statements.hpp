// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/sql.hpp"

/// Every statement of the catalog, in SQL that SQLite and PostgreSQL both understand.
namespace waybill::storage::statements {

#define WAYBILL_OBJECT_COLUMNS                                                                                         \
  "id, path, owner, size, sha256, adler32, content_type, secure, created, expires, metadata"
#define WAYBILL_KEY_COLUMNS "instance, certificate, alias, url, revoked, added"
#define WAYBILL_PERMISSION_COLUMNS "id, instance, subject, rights, prefix, expires, created"
/// All but the last, `work`, which can be long: lists leave it out.
#define WAYBILL_TRANSFER_COLUMNS                                                                                       \
  "id, principal, message_id, operation, state, bytes_done, bytes_total, attempts, last_error, started, ended, "       \
  "next_attempt, deadline, priority, peer, sources, destination, receipt, phase, job, request"
/// Of a formatted Principal its instance, as the expressions in indexes have it.
#define WAYBILL_KEY_OF_PRINCIPAL "substr(principal, 1, 64)"
inline constexpr std::string_view objectTypes = "tttitttiiit";
inline constexpr std::string_view tokenTypes = "ttttiiitt";
inline constexpr std::string_view keyTypes = "ttttii";
inline constexpr std::string_view transferTypes = "tttttiiitiiiiitttttttt";
inline constexpr std::string_view permissionTypes = "tttttii";

// objects
inline constexpr Sql objectById{"SELECT " WAYBILL_OBJECT_COLUMNS " FROM object WHERE id = :id", "t", objectTypes};
inline constexpr Sql objectByPath{"SELECT " WAYBILL_OBJECT_COLUMNS " FROM object WHERE path = :path", "t", objectTypes};
inline constexpr Sql objectsBetween{"SELECT " WAYBILL_OBJECT_COLUMNS
                                    " FROM object WHERE path > :after AND path < :before ORDER BY path LIMIT :most",
                                    "tti", objectTypes};
inline constexpr Sql objectsAfter{
    "SELECT " WAYBILL_OBJECT_COLUMNS " FROM object WHERE id > :after ORDER BY id LIMIT :most", "ti", objectTypes};
inline constexpr Sql objectsExpired{
    "SELECT " WAYBILL_OBJECT_COLUMNS
    " FROM object WHERE expires IS NOT NULL AND expires <= :now ORDER BY expires LIMIT :most",
    "ii", objectTypes};
inline constexpr Sql insertObject{
    "INSERT INTO object (" WAYBILL_OBJECT_COLUMNS
    ") VALUES (:id, :path, :owner, :size, :sha256, :adler32, :type, :secure, :created, :expires, :metadata)"
    " ON CONFLICT (path) DO NOTHING",
    objectTypes, ""};
inline constexpr Sql deleteObject{"DELETE FROM object WHERE id = :id", "t", ""};

// tokens: who wins is the number of rows that these change
inline constexpr Sql tokenById{
    "SELECT id, principal, operation, message_id, keep_until, spent, held, request, receipt FROM token WHERE id = :id",
    "t", tokenTypes};
inline constexpr Sql reserveToken{
    "INSERT INTO token (id, principal, operation, message_id, keep_until, spent, held)"
    " VALUES (:id, :principal, :operation, :message, :until, 0, 1) ON CONFLICT (id) DO NOTHING",
    "tttti", ""};
inline constexpr Sql reserveBoundToken{
    "UPDATE token SET held = 1, message_id = :message WHERE id = :id AND spent = 0 AND held = 0"
    " AND principal = :principal AND operation = :operation AND request = :request",
    "ttttt", ""};
inline constexpr Sql bindToken{"UPDATE token SET request = :request WHERE id = :id AND spent = 0 AND held = 1", "tt",
                               ""};
inline constexpr Sql spendToken{"UPDATE token SET spent = 1, held = 0, request = :request, receipt = :receipt,"
                                " keep_until = :until WHERE id = :id AND spent = 0 AND held = 1",
                                "ttit", ""};
inline constexpr Sql forgetHeldToken{"DELETE FROM token WHERE id = :id AND held = 1 AND request IS NULL", "t", ""};
inline constexpr Sql releaseBoundToken{"UPDATE token SET held = 0 WHERE id = :id AND held = 1", "t", ""};
inline constexpr Sql forgetHeldTokens{"DELETE FROM token WHERE held = 1 AND request IS NULL", "", ""};
inline constexpr Sql releaseBoundTokens{"UPDATE token SET held = 0 WHERE held = 1", "", ""};
inline constexpr Sql pruneTokens{"DELETE FROM token WHERE keep_until < :before AND held = 0", "i", ""};

// transfers: who wins is the number of rows that these change
inline constexpr Sql transferById{"SELECT " WAYBILL_TRANSFER_COLUMNS ", work FROM transfer WHERE id = :id", "t",
                                  transferTypes};
inline constexpr Sql transferByMessage{"SELECT " WAYBILL_TRANSFER_COLUMNS
                                       ", work FROM transfer WHERE principal = :principal AND message_id = :message",
                                       "tt", transferTypes};
inline constexpr Sql transfersOf{"SELECT " WAYBILL_TRANSFER_COLUMNS
                                 ", '' FROM transfer WHERE principal = :principal AND (started, id) < (:started, :id)"
                                 " AND state = COALESCE(:state, state)"
                                 " AND CASE WHEN job IS NULL THEN 0 ELSE 1 END = :jobs"
                                 " ORDER BY started DESC, id DESC LIMIT :most",
                                 "tittii", transferTypes};
inline constexpr Sql transfersOfAll{"SELECT " WAYBILL_TRANSFER_COLUMNS
                                    ", '' FROM transfer WHERE (started, id) < (:started, :id)"
                                    " AND state = COALESCE(:state, state)"
                                    " AND CASE WHEN job IS NULL THEN 0 ELSE 1 END = :jobs"
                                    " ORDER BY started DESC, id DESC LIMIT :most",
                                    "ittii", transferTypes};
inline constexpr Sql transfersDue{
    "SELECT " WAYBILL_TRANSFER_COLUMNS ", '' FROM (SELECT " WAYBILL_TRANSFER_COLUMNS
    ", ROW_NUMBER() OVER (PARTITION BY " WAYBILL_KEY_OF_PRINCIPAL " ORDER BY priority DESC, next_attempt, id) AS turn"
    " FROM transfer WHERE id IN"
    " (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY peer, " WAYBILL_KEY_OF_PRINCIPAL
    " ORDER BY priority DESC, next_attempt, id) AS place"
    " FROM transfer WHERE state = 'Queued' AND phase = :phase AND next_attempt <= :now) AS waiting"
    " WHERE place <= :most_of_a_peer)) AS ranked"
    " ORDER BY CASE WHEN priority = :receipt THEN 0 ELSE turn END, next_attempt, id LIMIT :most",
    "tiiii", transferTypes};
inline constexpr Sql transfersWaiting{"SELECT COUNT(*), COALESCE(SUM(work_bytes), 0) FROM transfer"
                                      " WHERE ended IS NULL AND " WAYBILL_KEY_OF_PRINCIPAL " = :instance",
                                      "t", "ii"};
inline constexpr Sql queuedJobs{"SELECT COUNT(*) FROM transfer WHERE state = 'Queued' AND job IS NOT NULL"
                                " AND " WAYBILL_KEY_OF_PRINCIPAL " = :instance",
                                "t", "i"};
inline constexpr Sql nextTransferDue{
    "SELECT next_attempt FROM transfer WHERE state = 'Queued' AND next_attempt > :after ORDER BY next_attempt LIMIT 1",
    "i", "i"};
inline constexpr Sql insertTransfer{
    "INSERT INTO transfer (" WAYBILL_TRANSFER_COLUMNS
    ", work) VALUES (:id, :principal, :message, :operation, :state, :done, :total, :attempts, :error, :started, :ended,"
    " :next, :deadline, :priority, :peer, :sources, :destination, :receipt, :phase, :job, :request, :work)"
    " ON CONFLICT (principal, message_id) DO NOTHING",
    transferTypes, ""};
inline constexpr Sql updateTransfer{
    "UPDATE transfer SET state = :state, bytes_done = :done, bytes_total = :total, attempts = :attempts,"
    " last_error = :error, ended = :ended, next_attempt = :next, priority = :priority, peer = :peer, receipt = "
    ":receipt,"
    " phase = :phase, job = :job, work = COALESCE(:work, work)"
    " WHERE id = :id AND state IN ('Queued', 'Active') AND state = COALESCE(:from, state)",
    "tiiitiiittttttt", ""};
inline constexpr Sql requeueActiveTransfers{
    "UPDATE transfer SET state = 'Queued', next_attempt = :now WHERE state = 'Active'", "i", ""};
inline constexpr Sql pruneTransfers{"DELETE FROM transfer WHERE ended IS NOT NULL AND ended < :before", "i", ""};

// keys
inline constexpr Sql keyByInstance{"SELECT " WAYBILL_KEY_COLUMNS " FROM trusted_key WHERE instance = :instance", "t",
                                   keyTypes};
inline constexpr Sql keyByAlias{"SELECT " WAYBILL_KEY_COLUMNS " FROM trusted_key WHERE alias = :alias", "t", keyTypes};
inline constexpr Sql allKeys{"SELECT " WAYBILL_KEY_COLUMNS " FROM trusted_key ORDER BY added, instance", "", keyTypes};
inline constexpr Sql updateKey{
    "UPDATE trusted_key SET certificate = :certificate, alias = :alias, url = :url, revoked = :revoked, added = :added"
    " WHERE instance = :instance"
    " AND NOT EXISTS (SELECT 1 FROM trusted_key AS other WHERE other.alias = :wanted AND other.instance <> :self)",
    "tttiittt", ""};
inline constexpr Sql insertKey{
    "INSERT INTO trusted_key (" WAYBILL_KEY_COLUMNS
    ") VALUES (:instance, :certificate, :alias, :url, :revoked, :added) ON CONFLICT DO NOTHING",
    keyTypes, ""};

// grants
inline constexpr Sql allPermissions{"SELECT " WAYBILL_PERMISSION_COLUMNS " FROM permission ORDER BY created, id", "",
                                    permissionTypes};
inline constexpr Sql permissionsOf{"SELECT " WAYBILL_PERMISSION_COLUMNS
                                   " FROM permission WHERE instance = :instance ORDER BY created, id",
                                   "t", permissionTypes};
inline constexpr Sql permissionById{"SELECT " WAYBILL_PERMISSION_COLUMNS " FROM permission WHERE id = :id", "t",
                                    permissionTypes};
inline constexpr Sql putPermission{"INSERT INTO permission (" WAYBILL_PERMISSION_COLUMNS
                                   ") VALUES (:id, :instance, :subject, :rights, :prefix, :expires, :created)"
                                   " ON CONFLICT (id) DO UPDATE SET instance = excluded.instance, subject = "
                                   "excluded.subject, rights = excluded.rights,"
                                   " prefix = excluded.prefix, expires = excluded.expires, created = excluded.created",
                                   permissionTypes, ""};
inline constexpr Sql deletePermission{"DELETE FROM permission WHERE id = :id", "t", ""};

// settings
inline constexpr Sql settingByName{"SELECT value FROM setting WHERE name = :name", "t", "t"};
inline constexpr Sql putSetting{"INSERT INTO setting (name, value) VALUES (:name, :value)"
                                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                "tt", ""};

// transactions
inline constexpr Sql commit{"COMMIT", "", ""};
inline constexpr Sql rollback{"ROLLBACK", "", ""};
inline constexpr Sql savepoint{"SAVEPOINT work", "", ""};
inline constexpr Sql releaseSavepoint{"RELEASE SAVEPOINT work", "", ""};
inline constexpr Sql rollbackToSavepoint{"ROLLBACK TO SAVEPOINT work", "", ""};

#undef WAYBILL_OBJECT_COLUMNS
#undef WAYBILL_TRANSFER_COLUMNS
#undef WAYBILL_KEY_COLUMNS
#undef WAYBILL_PERMISSION_COLUMNS

} // namespace waybill::storage::statements
