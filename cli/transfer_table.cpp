// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/transfer_table.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/remote_transfers.hpp"

#include <algorithm>
#include <array>

namespace waybill::cli {

namespace {

constexpr std::size_t columns = 6;
using Row = std::array<std::string, columns>;

std::string bytes(const Transfer &transfer) {
  return transfer.bytesDone == transfer.bytesTotal
             ? sizeForPeople(transfer.bytesTotal)
             : sizeForPeople(transfer.bytesDone) + " of " + sizeForPeople(transfer.bytesTotal);
}

std::string way(const Transfer &transfer) {
  auto text = transfer.sources.empty() ? transfer.operation : transfer.sources.front();
  if (transfer.sources.size() > 1) {
    text += " and " + std::to_string(transfer.sources.size() - 1) + " more";
  }
  return text + " -> " + transfer.destination;
}

Row rowOf(const Transfer &transfer, Time now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(std::max(now - transfer.started, Time::duration{}));
  return {shortId(transfer.messageId),
          std::string(name(transfer.state)),
          bytes(transfer),
          std::to_string(transfer.attempts),
          durationForPeople(age),
          way(transfer)};
}

std::string padded(const std::string &text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

std::string line(const Row &row, const std::array<std::size_t, columns> &widths) {
  std::string text;
  for (std::size_t i = 0; i + 1 < columns; ++i) {
    text += padded(row[i], widths[i]) + "  ";
  }
  return forTerminal(text + row.back()) + "\n";
}

std::string field(const std::string &name, const std::string &value) {
  return value.empty() ? std::string() : padded(name, 13) + forTerminal(value) + "\n";
}

} // namespace

std::string transferTable(const std::vector<Transfer> &transfers, Time now) {
  const Row titles{"ID", "STATE", "BYTES", "TRIES", "AGE", "SOURCE -> DESTINATION"};
  std::vector<Row> rows{titles};
  std::array<std::size_t, columns> widths{};
  for (const auto &transfer : transfers) {
    rows.push_back(rowOf(transfer, now));
  }
  for (const auto &row : rows) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  auto text = line(titles, widths);
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    text += line(rows[i + 1], widths);
    if (transfers[i].lastError && transfers[i].state != TransferState::Succeeded) {
      text += "  " + forTerminal(*transfers[i].lastError) + "\n";
    }
  }
  return text;
}

std::string transferBlock(const Transfer &transfer) {
  auto text = field("id", transfer.messageId) + field("operation", transfer.operation) +
              field("owner", transfer.owner) + field("state", std::string(name(transfer.state))) +
              field("bytes", bytes(transfer)) + field("attempts", std::to_string(transfer.attempts)) +
              field("last error", transfer.lastError.value_or("")) + field("started", formatUtc(transfer.started)) +
              field("ended", transfer.ended ? formatUtc(*transfer.ended) : "") +
              field("destination", transfer.destination);
  for (const auto &source : transfer.sources) {
    text += field("source", source);
  }
  for (const auto &data : transfer.receipt) {
    text += field("stored", data.path.value_or("") + (data.id ? "  " + *data.id : ""));
  }
  return text;
}

std::string transferLine(const Transfer &transfer) {
  auto text = shortId(transfer.messageId) + "  " + std::string(name(transfer.state)) + "  " + bytes(transfer) + "  " +
              way(transfer);
  if (transfer.lastError && transfer.state != TransferState::Succeeded) {
    text += "  " + *transfer.lastError;
  }
  return forTerminal(text) + "\n";
}

} // namespace waybill::cli
