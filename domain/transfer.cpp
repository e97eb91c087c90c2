// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/transfer.hpp"

#include <array>

namespace waybill {

namespace {
using enum TransferState;
constexpr std::array allStates{Queued, Active, Succeeded, Failed, Cancelled};
} // namespace

std::string_view name(TransferState state) noexcept {
  switch (state) {
  case Queued: return "Queued";
  case Active: return "Active";
  case Succeeded: return "Succeeded";
  case Failed: return "Failed";
  case Cancelled: return "Cancelled";
  }
  return "Failed";
}

std::optional<TransferState> transferStateNamed(std::string_view wanted) noexcept {
  for (const auto state : allStates) {
    if (name(state) == wanted) {
      return state;
    }
  }
  return std::nullopt;
}

bool isFinal(TransferState state) noexcept {
  switch (state) {
  case Queued:
  case Active: return false;
  case Succeeded:
  case Failed:
  case Cancelled: return true;
  }
  return true;
}

} // namespace waybill
