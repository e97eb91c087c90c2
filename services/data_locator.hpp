// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/data.hpp"
#include "services/call.hpp"
#include "storage/catalog.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// Finds data objects by what messages say of them. Thread-safe.
class DataLocator {
public:
  /// `ownUrls`: "https://host:port" prefixes that mean this instance, besides the one a call came in by. All must
  /// outlive this.
  DataLocator(const storage::Catalog &catalog, std::vector<std::string> ownUrls, const Clock &clock);

  /// The object that `data.id` or, without it, `data.path` names. Throws Fault NoSuchData (also for expired objects,
  /// ids of other instances, and ids that the caller may not know of), NotAllowed for a path that the permission does
  /// not cover, BadParameter when neither is given.
  [[nodiscard]] storage::ObjectRow locate(const Data &data, const Call &call, const Permission &permission) const;

  /// The 32 hex digits of `url` when it is "<one of our prefixes>/data/<id>" (or the bare id).
  [[nodiscard]] std::optional<std::string> ownObjectId(std::string_view url, std::string_view baseUrl) const;
  /// The object with that id, unless it has expired; nothing for what is no id.
  [[nodiscard]] std::optional<storage::ObjectRow> alive(const std::string &id) const;
  /// The object at that path, likewise. Throws Fault BadParameter for what is no path.
  [[nodiscard]] std::optional<storage::ObjectRow> aliveAt(std::string_view path) const;
  [[nodiscard]] bool isAlive(const storage::ObjectRow &row) const;

private:
  const storage::Catalog &catalog_;
  std::vector<std::string> ownUrls_;
  const Clock &clock_;
};

/// The row as wb:Data, its id a URL below `baseUrl`; no bytes.
[[nodiscard]] Data describe(const storage::ObjectRow &row, const std::string &baseUrl);
/// How many bytes of XML that takes, at most.
[[nodiscard]] std::uint64_t describedBytes(const storage::ObjectRow &row);

/// Keeps the description of many objects within what a reply may have. One thread.
class ReplyBound {
public:
  ReplyBound(std::string operation, std::uint64_t limit) : operation_(std::move(operation)), limit_(limit) {}
  /// Throws Fault TooLarge past the limit.
  void add(const storage::ObjectRow &row);

private:
  std::string operation_;
  std::uint64_t limit_;
  std::uint64_t bytes_ = 0;
};

} // namespace waybill::services
