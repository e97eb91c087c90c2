// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/data.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// Where a transfer stands. The first two are on their way to one of the others, which are final.
enum class TransferState : std::uint8_t { Queued, Active, Succeeded, Failed, Cancelled };

/// "Queued", "Active", ...: as in wb:State.
[[nodiscard]] std::string_view name(TransferState state) noexcept;
[[nodiscard]] std::optional<TransferState> transferStateNamed(std::string_view name) noexcept;
/// True for Succeeded, Failed and Cancelled: nothing changes such a transfer any more.
[[nodiscard]] bool isFinal(TransferState state) noexcept;

/// `wb:Priority`: in which order what one caller has waiting goes, the higher first. It moves nobody ahead of another.
inline constexpr std::int32_t lowestPriority = 1;
inline constexpr std::int32_t normalPriority = 3; ///< when nothing is said
inline constexpr std::int32_t highestPriority = 5;
/// Of receipts, faults and other replies without content, which nobody can ask for: they are short, somebody waits for
/// them, and they go before all else.
inline constexpr std::int32_t receiptPriority = 6;

/// `wb:Transfer`: a reply that goes elsewhere, from the request that asked for it to its receipt (wsdl/data.xsd).
struct Transfer {
  std::string messageId; ///< wsa:MessageID of the request, by which its caller finds it
  std::string operation; ///< the request's element: "Copy", ...
  std::string owner;     ///< formatted Principal of the caller
  TransferState state = TransferState::Queued;
  std::uint64_t bytesDone = 0;  ///< of the present attempt
  std::uint64_t bytesTotal = 0; ///< content alone, without what wraps it
  std::uint32_t attempts = 0;
  std::optional<std::string> lastError;
  Time started; ///< when the request was taken
  std::optional<Time> ended;
  std::vector<std::string> sources;     ///< paths or URLs
  std::string destination;              ///< the address that the reply goes to
  std::vector<Data> receipt;            ///< what the receiver said that it stored
  std::optional<std::int32_t> priority; ///< none: a receipt, a fault or another short reply
  friend bool operator==(const Transfer &, const Transfer &) = default;
};

} // namespace waybill
