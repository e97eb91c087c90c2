// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/overwrite_option.hpp"

#include "cli/choice.hpp"

namespace waybill::cli {

void addOverwrite(CLI::App &command, Overwrite &overwrite) {
  command.add_option("--overwrite", overwrite, "when the path is taken; never when left out")
      ->transform(choice<Overwrite>(
          {{"never", Overwrite::Never}, {"always", Overwrite::Always}, {"if-different", Overwrite::IfDifferent}}))
      ->option_text("never|always|if-different");
}

} // namespace waybill::cli
