// SPDX-License-Identifier: GPL-3.0-or-later
// All that is SQLite's own: opening, pragmas, the schema's DDL, checkpoints, error codes.
#include "storage/sqlite_catalog.hpp"

#include "domain/fault.hpp"
#include "storage/catalog_statements.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/file_errors.hpp"
#include "storage/sql_rows.hpp"
#include "storage/sql_transaction.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <thread>

namespace waybill::storage {

namespace {

using namespace sqlite_api; // NOLINT(google-build-using-namespace): where soci-sqlite3.h puts sqlite3.h

/// "WAYB": tells our files from other programs' (PRAGMA application_id).
constexpr int applicationId = 0x57415942;

/// Each entry takes the schema from the version before to its own; once released, an entry is never changed.
constexpr std::array migrations{
    // 1
    "CREATE TABLE setting (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE object (id TEXT PRIMARY KEY NOT NULL, path TEXT NOT NULL, owner TEXT NOT NULL, size INTEGER NOT NULL,"
    " sha256 TEXT NOT NULL, adler32 TEXT NOT NULL, content_type TEXT NOT NULL, secure INTEGER NOT NULL, created "
    "INTEGER NOT NULL,"
    " expires INTEGER, metadata TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX object_path ON object (path);"
    "CREATE INDEX object_expires ON object (expires) WHERE expires IS NOT NULL;"
    "CREATE TABLE token (id TEXT PRIMARY KEY NOT NULL, principal TEXT NOT NULL, operation TEXT NOT NULL, message_id "
    "TEXT,"
    " keep_until INTEGER NOT NULL, spent INTEGER NOT NULL, receipt TEXT) STRICT;"
    "CREATE INDEX token_keep_until ON token (keep_until);"
    "CREATE INDEX token_reserved ON token (spent) WHERE spent = 0;"
    "CREATE TABLE trusted_key (instance TEXT PRIMARY KEY NOT NULL, certificate TEXT NOT NULL, alias TEXT, url TEXT,"
    " revoked INTEGER NOT NULL, added INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX trusted_key_alias ON trusted_key (alias);"
    "CREATE TABLE permission (id TEXT PRIMARY KEY NOT NULL, instance TEXT NOT NULL, subject TEXT, rights TEXT NOT NULL,"
    " prefix TEXT NOT NULL, expires INTEGER, created INTEGER NOT NULL) STRICT;"
    "CREATE INDEX permission_instance ON permission (instance);",
    // 2: tokens bound to the request whose reply has begun
    "ALTER TABLE token ADD COLUMN request TEXT;"
    "ALTER TABLE token ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
    "UPDATE token SET held = 1 WHERE spent = 0;"
    "DROP INDEX token_reserved;"
    "CREATE INDEX token_held ON token (held) WHERE held = 1;",
    // 3: replies that go elsewhere
    "CREATE TABLE transfer (id TEXT PRIMARY KEY NOT NULL, principal TEXT NOT NULL, message_id TEXT NOT NULL,"
    " operation TEXT NOT NULL, state TEXT NOT NULL, bytes_done INTEGER NOT NULL, bytes_total INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, last_error TEXT, started INTEGER NOT NULL, ended INTEGER, next_attempt INTEGER NOT "
    "NULL,"
    " deadline INTEGER NOT NULL, priority INTEGER NOT NULL, peer TEXT NOT NULL, sources TEXT NOT NULL,"
    " destination TEXT NOT NULL, receipt TEXT, work TEXT NOT NULL,"
    " CHECK ((state IN ('Queued', 'Active')) = (ended IS NULL))) STRICT;"
    "CREATE UNIQUE INDEX transfer_message ON transfer (principal, message_id);"
    "CREATE INDEX transfer_of_principal ON transfer (principal, started, id);"
    "CREATE INDEX transfer_started ON transfer (started, id);"
    "CREATE INDEX transfer_next_attempt ON transfer (next_attempt) WHERE state = 'Queued';"
    "CREATE INDEX transfer_of_peer ON transfer (peer, priority DESC, next_attempt, id) WHERE state = 'Queued';"
    "CREATE INDEX transfer_ended ON transfer (ended) WHERE ended IS NOT NULL;",
    // 4: jobs, whose programs are run before their replies are sent
    "ALTER TABLE transfer ADD COLUMN phase TEXT NOT NULL DEFAULT 'Delivery';"
    "ALTER TABLE transfer ADD COLUMN job TEXT;"
    "DROP INDEX transfer_of_peer;"
    "CREATE INDEX transfer_of_peer ON transfer (phase, peer, principal, priority DESC, next_attempt, id)"
    " WHERE state = 'Queued';",
    // 5: priorities of callers, 1 to 5, and 6 for receipts and faults; there were 0 and 1
    "UPDATE transfer SET priority = CASE WHEN priority > 0 THEN 6 ELSE 3 END;",
    // 6: shares of keys, whatever their subjects
    "DROP INDEX transfer_of_peer;"
    "CREATE INDEX transfer_of_peer ON transfer (phase, peer, substr(principal, 1, 64), priority DESC, next_attempt, id)"
    " WHERE state = 'Queued';"
    "CREATE INDEX transfer_queued_job ON transfer (substr(principal, 1, 64)) WHERE state = 'Queued' AND job IS NOT "
    "NULL;",
    // 7: what each key has waiting, and what each call asked for
    "ALTER TABLE transfer ADD COLUMN request TEXT;"
    "ALTER TABLE transfer ADD COLUMN work_bytes INTEGER NOT NULL"
    " GENERATED ALWAYS AS (length(CAST(work AS BLOB))) VIRTUAL;"
    "CREATE INDEX transfer_waiting ON transfer (substr(principal, 1, 64), work_bytes) WHERE ended IS NULL;",
};

constexpr Sql readApplicationId{"PRAGMA application_id", "", "i"};
constexpr Sql countTables{"SELECT count(*) FROM sqlite_master", "", "i"};
constexpr Sql readUserVersion{"PRAGMA user_version", "", "i"};
constexpr Sql journalMode{"PRAGMA journal_mode = WAL", "", "t"};
constexpr Sql beginWriting{"BEGIN IMMEDIATE", "", ""};

std::int64_t toNumber(const Row &row) { return std::get<std::int64_t>(row.at(0)); }

/// SOCI does not export the class's type information, which the sanitizer's check of this cast would need.
__attribute__((no_sanitize("vptr"))) sqlite3 *handle(soci::session &session) {
  return static_cast<soci::sqlite3_session_backend *>(session.get_backend())->conn_;
}

/// SOCI reads "name=value" out of any connect string that has an equals sign, so that a path with one has to be quoted.
std::string connectString(const std::string &path) {
  if (path.find('=') == std::string::npos) {
    return path;
  }
  if (path.find('"') != std::string::npos) {
    throw Fault(FaultCode::BadParameter,
                "the catalog's path has both '=' and '\"', which cannot be opened; choose another folder", path);
  }
  return "dbname=\"" + path + "\"";
}

/// Creates the file with the right mode; SQLite gives its companions the same. Never opens one that is there: closing
/// it would drop the locks of every connection that this process has to it (POSIX locks belong to the process).
void createFile(const std::string &path) {
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.isOpen() && errno != EEXIST) {
    const auto error = errno;
    const auto cause = systemFault("creating the catalog " + path, path, error);
    throw Fault(cause.code(), cause.reason(), path, {}, cause.log());
  }
}

} // namespace

/// Checks and migrates one file, and knows how to talk to it. `path` is absolute.
class SqliteDialect final : public SqlDialect {
public:
  SqliteDialect(std::string path, const SqliteSettings &settings)
      : path_(std::move(path)), shown_(path_), settings_(settings) {}

  /// Brings the file to the present schema, creating it where there is none. Throws Fault that names the file.
  void makeReady(const Clock &clock);

  [[nodiscard]] std::unique_ptr<soci::session> openWriter() override;
  [[nodiscard]] std::unique_ptr<soci::session> openReader() const override;
  void begin(SqlConnection &writer, Durability durability) override;
  [[nodiscard]] bool inTransaction(SqlConnection &writer) const override {
    return sqlite3_get_autocommit(handle(writer.session())) == 0;
  }
  void afterCommit(SqlConnection &writer) override;
  [[nodiscard]] std::string voidFailedCommit(SqlConnection &writer) noexcept override;
  [[nodiscard]] DatabaseFault explain(soci::session &session, const soci::soci_error &error,
                                      const char *attempted) const override;

private:
  [[nodiscard]] std::unique_ptr<soci::session> open(std::initializer_list<const char *> pragmas) const;
  void refuseForeign(SqlConnection &writer) const;
  void switchToLog(SqlConnection &writer) const;
  void migrate(SqlConnection &writer, const Clock &clock) const;
  [[nodiscard]] std::size_t schemaVersion(SqlConnection &writer) const;
  void runScript(SqlConnection &writer, const char *script) const;
  [[nodiscard]] Fault refusal(const std::string &reason) const { return {FaultCode::Internal, reason, path_}; }
  [[nodiscard]] DatabaseFault explainCode(sqlite3 *database, int code, const std::string &message,
                                          const char *attempted) const;

  std::string path_;
  std::string shown_; ///< the path while opening, for the operator; then the bare name, for messages that travel
  SqliteSettings settings_;
  // of the writing connection
  std::optional<Durability> durability_;
  int pagesInLog_ = 0;
  int pagesSeen_ = 0;
  int nextCheckpoint_ = 0;
};

void SqliteDialect::makeReady(const Clock &clock) {
  createFile(path_);
  SqlConnection writer(open({"PRAGMA synchronous = FULL"}), *this);
  refuseForeign(writer);
  switchToLog(writer);
  migrate(writer, clock);
  shown_ = std::filesystem::path(path_).filename().string();
}

std::unique_ptr<soci::session> SqliteDialect::open(std::initializer_list<const char *> pragmas) const {
  auto session = std::make_unique<soci::session>();
  try {
    session->open(soci::sqlite3, connectString(path_));
  } catch (const soci::soci_error &error) {
    throw refusal("the catalog " + shown_ + " cannot be opened: " + error.get_error_message() +
                  "; check that its folder exists and that this user may write to it");
  }
  sqlite3_extended_result_codes(handle(*session), 1);
  sqlite3_busy_timeout(handle(*session), static_cast<int>(settings_.busyTimeout.count()));
  for (const auto *pragma : pragmas) {
    try {
      *session << pragma;
    } catch (const soci::soci_error &error) {
      throw explain(*session, error, pragma);
    }
  }
  return session;
}

std::unique_ptr<soci::session> SqliteDialect::openWriter() {
  auto session = open({"PRAGMA cache_size = -4096", "PRAGMA journal_size_limit = 67108864"});
  // This hook replaces SQLite's automatic checkpoints, which swallow their errors: afterCommit() does them.
  const auto countPages = [](void *count, sqlite3 *, const char *, int pages) {
    *static_cast<int *>(count) = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle(*session), countPages, &pagesInLog_);
  durability_.reset();
  nextCheckpoint_ = settings_.checkpointPages;
  return session;
}

std::unique_ptr<soci::session> SqliteDialect::openReader() const {
  auto session = open({"PRAGMA query_only = 1", "PRAGMA cache_size = -512"});
  sqlite3_db_config(handle(*session), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return session;
}

void SqliteDialect::refuseForeign(SqlConnection &writer) const {
  // In this order: another process may be migrating, and whoever sees its tables then sees its id too.
  const auto tables = writer.first(countTables, {}, toNumber).value_or(0);
  const auto id = writer.first(readApplicationId, {}, toNumber).value_or(0);
  if (id != applicationId && (id != 0 || tables != 0)) {
    throw refusal("the file " + shown_ +
                  " is a database of another program, not a Waybill catalog; move it away, or choose another home");
  }
}

void SqliteDialect::switchToLog(SqlConnection &writer) const {
  // SQLite does not wait here as it does elsewhere when another process does the same at this moment.
  constexpr std::chrono::milliseconds pause{20};
  for (auto left = settings_.busyTimeout / pause;; --left) {
    try {
      if (writer.first(journalMode, {}, toText) != "wal") {
        throw refusal(
            "the catalog " + shown_ +
            " is on a file system without shared memory for SQLite's write-ahead log; put the home on a local disk");
      }
      return;
    } catch (const DatabaseFault &fault) {
      if (fault.failure() != DatabaseFailure::Busy || left <= 0) {
        throw;
      }
    }
    std::this_thread::sleep_for(pause);
  }
}

std::size_t SqliteDialect::schemaVersion(SqlConnection &writer) const {
  if (writer.first(countTables, {}, toNumber).value_or(0) == 0) {
    return 0;
  }
  const auto text = writer.first(statements::settingByName, {schemaVersionSetting}, toText).value_or("");
  std::size_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version == 0) {
    throw refusal("the catalog " + shown_ + " does not say which schema it has; restore it from a backup");
  }
  return version;
}

void SqliteDialect::migrate(SqlConnection &writer, const Clock &clock) const {
  writer.execute(beginWriting);
  const auto found = schemaVersion(writer);
  if (found > migrations.size()) {
    throw refusal("the catalog " + shown_ + " has schema " + std::to_string(found) +
                  ", and this program knows schemas up to " + std::to_string(migrations.size()) +
                  "; start the newer program that wrote it, or restore an older backup");
  }
  for (auto version = found; version < migrations.size(); ++version) {
    runScript(writer, migrations[version]);
  }
  if (found < migrations.size()) {
    writer.run(("PRAGMA application_id = " + std::to_string(applicationId)).c_str());
    writer.execute(statements::putSetting, {schemaVersionSetting, std::to_string(migrations.size())});
  }
  if (!writer.first(statements::settingByName, {ledgerBirthSetting}, toText)) {
    writer.execute(statements::putSetting, {ledgerBirthSetting, std::to_string(column(clock.now()))});
  }
  writer.execute(statements::commit);
}

void SqliteDialect::runScript(SqlConnection &writer, const char *script) const {
  auto *database = handle(writer.session());
  if (const auto code = sqlite3_exec(database, script, nullptr, nullptr, nullptr); code != SQLITE_OK) {
    throw explainCode(database, code, sqlite3_errmsg(database), script);
  }
}

void SqliteDialect::begin(SqlConnection &writer, Durability durability) {
  // In WAL mode FULL syncs the log at each commit, NORMAL only at checkpoints.
  if (durability_ != durability) {
    durability_.reset();
    writer.run(durability == Durability::Durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    durability_ = durability;
  }
  writer.execute(beginWriting);
}

void SqliteDialect::afterCommit(SqlConnection &writer) {
  if (pagesInLog_ < pagesSeen_) {
    nextCheckpoint_ = settings_.checkpointPages; // the log has begun anew
  }
  pagesSeen_ = pagesInLog_;
  if (pagesInLog_ < nextCheckpoint_) {
    return;
  }
  nextCheckpoint_ = pagesInLog_ + settings_.checkpointPages;
  // While reads go on all the time the log is copied but never begins anew; when it is too long, they are waited for.
  constexpr int tooLong = 16;
  constexpr int shortWait = 200;
  const auto wait = pagesInLog_ >= tooLong * settings_.checkpointPages;
  auto *database = handle(writer.session());
  sqlite3_busy_timeout(database, shortWait);
  const auto code = sqlite3_wal_checkpoint_v2(
      database, nullptr, wait ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  sqlite3_busy_timeout(database, static_cast<int>(settings_.busyTimeout.count()));
  if (code != SQLITE_OK) {
    throw explainCode(database, code, sqlite3_errmsg(database), "checkpoint");
  }
}

std::string SqliteDialect::voidFailedCommit(SqlConnection &writer) noexcept {
  // A commit whose sync failed was not made visible, but stands whole in the log, and the next start would find and
  // apply it. Anything else written in its place breaks the chain of checksums from there on. No sync: none is ever
  // tried again.
  try {
    sqlite3_db_config(handle(writer.session()), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    writer.run("PRAGMA synchronous = OFF");
    const auto version = writer.first(readUserVersion, {}, toNumber).value_or(0);
    writer.execute(beginWriting);
    writer.run(("PRAGMA user_version = " + std::to_string((version + 1) % 1'000'000)).c_str());
    writer.execute(statements::commit);
    return {};
  } catch (const std::exception &error) {
    return std::string("what was reported as failed may be there again after a restart: ") + error.what();
  }
}

DatabaseFault SqliteDialect::explain(soci::session &session, const soci::soci_error &error,
                                     const char *attempted) const {
  auto *database = handle(session);
  const auto *reported = dynamic_cast<const soci::sqlite3_soci_error *>(&error);
  const auto code = reported != nullptr ? reported->result() : SQLITE_MISUSE;
  return explainCode(database, code, error.get_error_message(), attempted);
}

DatabaseFault SqliteDialect::explainCode(sqlite3 *database, int code, const std::string &message,
                                         const char *attempted) const {
  const auto systemError = sqlite3_system_errno(database);
  const LogText log(path_ + ": " + message + " (SQLite code " + std::to_string(code) + ", errno " +
                    std::to_string(systemError) + ") in: " + attempted);
  const auto fault = [&](DatabaseFailure failure, FaultCode faultCode, const std::string &reason) {
    return DatabaseFault(failure, Fault(faultCode, "the catalog " + shown_ + " " + reason, {}, {}, log));
  };
  const auto found = " (" + message + ")";
  switch (code & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return fault(DatabaseFailure::Busy, FaultCode::Busy,
                 "is held by a transaction of another process; try again later");
  case SQLITE_FULL:
    return fault(DatabaseFailure::NoSpace, FaultCode::NoSpace,
                 "has no room: the disk is full; delete data that is no longer needed, or ask the site for more");
  case SQLITE_IOERR:
    if (code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC && meansNoSpace(systemError)) {
      return fault(
          DatabaseFailure::NoSpace, FaultCode::NoSpace,
          "has no room: the disk or a quota is full; delete data that is no longer needed, or ask the site for more");
    }
    return fault(DatabaseFailure::Disk, FaultCode::Internal,
                 "met an I/O error" + found + "; the administrator has to check the disk and restart the instance");
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return fault(DatabaseFailure::Damaged, FaultCode::Internal,
                 "is damaged, or not a catalog" + found + "; stop the instance and restore it from a backup");
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
    return fault(DatabaseFailure::Other, FaultCode::Internal,
                 "cannot be opened for writing" + found + "; check who owns it and its folder, and its mode");
  default:
    return fault(DatabaseFailure::Other, FaultCode::Internal,
                 "refused a statement" + found + "; this is a fault of the program, please report it with the log");
  }
}

std::unique_ptr<SqlCatalog> openSqliteCatalog(const std::string &path, const Clock &clock,
                                              const SqliteSettings &settings) {
  // Absolute, so that SQLite takes nothing in it for a URI or a name with a meaning.
  auto dialect = std::make_unique<SqliteDialect>(std::filesystem::absolute(path).string(), settings);
  dialect->makeReady(clock);
  return std::make_unique<SqlCatalog>(std::move(dialect), settings.readers);
}

std::unique_ptr<Catalog> openSqliteCatalog(const std::string &path, const Clock &clock) {
  return openSqliteCatalog(path, clock, SqliteSettings());
}

} // namespace waybill::storage
