// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/help_format.hpp"

namespace waybill::cli {

namespace {

/// One width for all help texts, so that the descriptions of all commands stand in one column.
constexpr std::size_t column = 30;

} // namespace

HelpFormat::HelpFormat() { column_width(column); }

std::string HelpFormat::make_usage(const CLI::App *app, std::string name) const {
  std::string usage = "Usage: " + (name.empty() ? app->get_name() : name) + " [OPTIONS]";
  for (const auto *option :
       app->get_options([](const CLI::Option *candidate) { return candidate->get_positional(); })) {
    usage += option->get_required() ? " " + option->get_option_text() : " [" + option->get_option_text() + "]";
  }
  if (!app->get_subcommands([](const CLI::App *candidate) { return !candidate->get_group().empty(); }).empty()) {
    usage += " COMMAND";
  }
  return usage + "\n";
}

std::string HelpFormat::make_option_name(const CLI::Option *option, bool positional) const {
  return positional ? option->get_option_text() : Formatter::make_option_name(option, false);
}

std::string HelpFormat::make_option_opts(const CLI::Option *option) const {
  if (option->get_positional() || option->get_option_text().empty()) {
    return "";
  }
  return " " + option->get_option_text();
}

} // namespace waybill::cli
