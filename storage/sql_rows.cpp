// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sql_rows.hpp"

#include "domain/fault.hpp"

#include <nlohmann/json.hpp>

#include <limits>

namespace waybill::storage {

namespace {

[[noreturn]] void unreadable(const std::string &what) {
  throw Fault(FaultCode::Internal,
              "the catalog has a row that cannot be read (" + what +
                  "); something else has changed it: restore it from a backup",
              what);
}

/// Takes a row's values one after another.
class Columns {
public:
  Columns(const Row &row, const char *what) : row_(row), what_(what) {}

  std::string text() { return get<std::string>(); }
  std::int64_t number() { return get<std::int64_t>(); }
  bool flag() { return number() != 0; }
  Time time() { return Time(std::chrono::microseconds(number())); }
  std::optional<std::string> optionalText() { return skipNull() ? std::nullopt : std::optional(text()); }
  std::optional<Time> optionalTime() { return skipNull() ? std::nullopt : std::optional(time()); }

private:
  template <class T> T get() {
    if (const auto *value = std::get_if<T>(&row_.at(next_++))) {
      return *value;
    }
    unreadable(what_);
  }
  bool skipNull() {
    if (row_.at(next_).index() != 0) {
      return false;
    }
    ++next_;
    return true;
  }

  const Row &row_;
  const char *what_;
  std::size_t next_ = 0;
};

std::vector<Metadata> metadataFrom(const std::string &text) {
  if (text == "[]") {
    return {};
  }
  std::vector<Metadata> metadata;
  try {
    for (const auto &pair : nlohmann::json::parse(text)) {
      metadata.push_back({pair.at(0).get<std::string>(), pair.at(1).get<std::string>()});
    }
  } catch (const nlohmann::json::exception &) {
    unreadable("object metadata");
  }
  return metadata;
}

std::vector<std::string> textsFrom(const std::string &text) {
  try {
    return nlohmann::json::parse(text).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception &) {
    unreadable("transfer sources");
  }
}

/// The text of what goes into one column. Throws Fault BadParameter, naming `what`, for text that is not UTF-8.
std::string dump(const nlohmann::json &list, const std::string &what) {
  try {
    return list.dump();
  } catch (const nlohmann::json::exception &) {
    throw Fault(FaultCode::BadParameter,
                "the catalog keeps " + what + " in UTF-8, and this is none; send it encoded so");
  }
}

} // namespace

Parameter parameter(const std::optional<std::string> &text) noexcept {
  return text ? Parameter(std::string_view(*text)) : Parameter();
}

Parameter parameter(const std::optional<Time> &time) noexcept { return time ? Parameter(column(*time)) : Parameter(); }

Parameter parameter(std::optional<TransferState> state) noexcept {
  return state ? Parameter(name(*state)) : Parameter();
}

std::int64_t column(std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw Fault(FaultCode::TooLarge, "the catalog keeps sizes up to 2^63 - 1 bytes, not " + std::to_string(size));
  }
  return static_cast<std::int64_t>(size);
}

std::int64_t column(Time time) noexcept { return time.time_since_epoch().count(); }

std::string column(const std::vector<Metadata> &metadata) {
  auto pairs = nlohmann::json::array();
  for (const auto &entry : metadata) {
    pairs.push_back(nlohmann::json::array({entry.name, entry.value}));
  }
  return dump(pairs, "metadata");
}

std::string column(const std::vector<std::string> &texts) { return dump(texts, "the names of sources"); }

ObjectRow toObject(const Row &row) {
  Columns columns(row, "object");
  ObjectRow object;
  object.id = columns.text();
  object.path = columns.text();
  object.owner = columns.text();
  object.size = static_cast<std::uint64_t>(columns.number());
  object.sha256 = columns.text();
  object.adler32 = columns.text();
  object.contentType = columns.text();
  object.secure = columns.flag();
  object.created = columns.time();
  object.expires = columns.optionalTime();
  object.metadata = metadataFrom(columns.text());
  return object;
}

TokenRow toToken(const Row &row) {
  Columns columns(row, "token");
  TokenRow token;
  token.use.tokenId = columns.text();
  token.use.principal = columns.text();
  token.use.operation = columns.text();
  token.use.messageId = columns.optionalText();
  token.use.keepUntil = columns.time();
  token.spent = columns.flag();
  token.held = columns.flag();
  token.request = columns.optionalText();
  token.receipt = columns.optionalText();
  return token;
}

TransferRow toTransfer(const Row &row) {
  Columns columns(row, "transfer");
  TransferRow transfer;
  transfer.id = columns.text();
  transfer.principal = columns.text();
  transfer.messageId = columns.text();
  transfer.operation = columns.text();
  const auto state = transferStateNamed(columns.text());
  if (!state) {
    unreadable("transfer state");
  }
  transfer.state = *state;
  transfer.bytesDone = static_cast<std::uint64_t>(columns.number());
  transfer.bytesTotal = static_cast<std::uint64_t>(columns.number());
  transfer.attempts = static_cast<std::uint32_t>(columns.number());
  transfer.lastError = columns.optionalText();
  transfer.started = columns.time();
  transfer.ended = columns.optionalTime();
  transfer.nextAttempt = columns.time();
  transfer.deadline = columns.time();
  transfer.priority = static_cast<std::int32_t>(columns.number());
  transfer.peer = columns.text();
  transfer.sources = textsFrom(columns.text());
  transfer.destination = columns.text();
  transfer.receipt = columns.optionalText();
  transfer.phase = jobPhaseNamed(columns.text()).value_or(JobPhase::Delivery);
  transfer.job = columns.optionalText();
  transfer.request = columns.optionalText();
  transfer.work = columns.text();
  return transfer;
}

WaitingTransfers toWaiting(const Row &row) {
  Columns columns(row, "transfer");
  WaitingTransfers waiting;
  waiting.count = static_cast<std::uint64_t>(columns.number());
  waiting.bytes = static_cast<std::uint64_t>(columns.number());
  return waiting;
}

TrustedKey toKey(const Row &row) {
  Columns columns(row, "trusted_key");
  TrustedKey key;
  key.instance = columns.text();
  key.certificatePem = columns.text();
  key.alias = columns.optionalText();
  key.url = columns.optionalText();
  key.revoked = columns.flag();
  key.added = columns.time();
  return key;
}

Grant toGrant(const Row &row) {
  Columns columns(row, "permission");
  Grant grant;
  grant.id = columns.text();
  grant.principal.instance = columns.text();
  grant.principal.subject = columns.optionalText();
  try {
    grant.rights = parseRights(columns.text());
  } catch (const Fault &) {
    unreadable("permission rights");
  }
  grant.prefix = columns.text();
  grant.expires = columns.optionalTime();
  grant.created = columns.time();
  return grant;
}

std::size_t toCount(const Row &row) { return static_cast<std::size_t>(Columns(row, "transfer").number()); }

Time toTime(const Row &row) { return Columns(row, "transfer").time(); }

std::string toText(const Row &row) { return Columns(row, "setting").text(); }

} // namespace waybill::storage
