// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/priority_option.hpp"

#include "domain/transfer.hpp"

#include <string>

namespace waybill::cli {

void addPriority(CLI::App &command, std::optional<std::int32_t> &priority) {
  static const auto numbers = std::to_string(lowestPriority) + "-" + std::to_string(highestPriority);
  command
      .add_option(
          "--priority", priority,
          "when it goes, among what you have waiting at that instance: 5 first, 1 last, 3 when left out; others "
          "wait no longer for it")
      ->check(CLI::Range(lowestPriority, highestPriority).description(""))
      ->option_text(numbers);
}

} // namespace waybill::cli
