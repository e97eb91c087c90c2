// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace waybill::cli {

/// Help texts: what is written after a command in the order it is written ("put [OPTIONS] FILE... TARGET"), each
/// argument by the text it was given.
class HelpFormat final : public CLI::Formatter {
public:
  HelpFormat();
  [[nodiscard]] std::string make_usage(const CLI::App *app, std::string name) const override;
  [[nodiscard]] std::string make_option_name(const CLI::Option *option, bool positional) const override;
  [[nodiscard]] std::string make_option_opts(const CLI::Option *option) const override;
};

} // namespace waybill::cli
