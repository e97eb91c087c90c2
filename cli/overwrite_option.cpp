// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/overwrite_option.hpp"

#include <map>
#include <string>

namespace waybill::cli {

void addOverwrite(CLI::App &command, Overwrite &overwrite) {
  static const std::map<std::string, Overwrite> ways{
      {"never", Overwrite::Never}, {"always", Overwrite::Always}, {"if-different", Overwrite::IfDifferent}};
  command.add_option("--overwrite", overwrite, "when the path is taken; never when left out")
      ->transform(CLI::CheckedTransformer(ways, CLI::ignore_case).description(""))
      ->option_text("never|always|if-different");
}

} // namespace waybill::cli
