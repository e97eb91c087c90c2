// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/catalog.hpp"
#include "storage/sql.hpp"

#include <optional>
#include <string>

/// Between the catalog's values and columns: times are microseconds since 1970, lists are JSON, rights are
/// "read,write".
namespace waybill::storage {

/// The views are valid as long as their argument.
[[nodiscard]] Parameter parameter(const std::optional<std::string> &text) noexcept;
[[nodiscard]] Parameter parameter(const std::optional<Time> &time) noexcept;
[[nodiscard]] Parameter parameter(std::optional<TransferState> state) noexcept;
/// Throws Fault TooLarge for what no column holds.
[[nodiscard]] std::int64_t column(std::uint64_t size);
[[nodiscard]] std::int64_t column(Time time) noexcept;
/// Throws Fault BadParameter for text that is not UTF-8.
[[nodiscard]] std::string column(const std::vector<Metadata> &metadata);
[[nodiscard]] std::string column(const std::vector<std::string> &texts);

/// Each takes the columns of its statements in catalog_statements.hpp. Throw Fault Internal for a row that no program
/// of ours wrote.
[[nodiscard]] ObjectRow toObject(const Row &row);
[[nodiscard]] TokenRow toToken(const Row &row);
[[nodiscard]] TransferRow toTransfer(const Row &row);
[[nodiscard]] WaitingTransfers toWaiting(const Row &row);
[[nodiscard]] TrustedKey toKey(const Row &row);
[[nodiscard]] Grant toGrant(const Row &row);
[[nodiscard]] std::size_t toCount(const Row &row);
[[nodiscard]] Time toTime(const Row &row);
[[nodiscard]] std::string toText(const Row &row);

} // namespace waybill::storage
