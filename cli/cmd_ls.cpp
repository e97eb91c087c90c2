// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/remote_list.hpp"
#include "cli/remote_name.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <memory>

namespace waybill::cli {

namespace {

struct LsOptions {
  std::string source;
  bool details = false;
};

std::string details(const Data &data) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%c %15llu  ", data.secure.value_or(true) ? 's' : 'p',
                static_cast<unsigned long long>(data.size.value_or(0)));
  return text.data() +
         (data.created ? formatUtc(std::chrono::floor<std::chrono::seconds>(*data.created)) : std::string(20, ' ')) +
         "  ";
}

int runLs(const LsOptions &options, Context &context) {
  const auto source = parseRemoteName(options.source);
  auto remote = context.remote(source.instance);
  JsonList list;
  bool any = false;
  listAll(remote, source.path, [&](const Data &data) {
    any = true;
    if (context.globals().json) {
      list.add(toJson(data));
    } else {
      printText((options.details ? details(data) : std::string()) + *data.path + "\n");
    }
  });
  if (context.globals().json) {
    list.end();
  } else if (!any && !context.globals().quiet) {
    note("there is nothing at or below '" + source.withPath(source.path) + "', or nothing that you may see");
  }
  return 0;
}

} // namespace

void addLs(CLI::App &app, Work &work) {
  auto options = std::make_shared<LsOptions>();
  auto *command = app.add_subcommand("ls", "list the data at or below a path");
  command->add_option("PATH", options->source, "ALIAS:/path or https://host:port/path")
      ->option_text("PATH")
      ->required();
  command->add_flag("-l", options->details, "with 's' for secure or 'p' for public, size, and time of creation");
  command->footer("Example:\n  waybill ls -l lab:/docs");
  command->callback([options, &work] { work = [options](Context &context) { return runLs(*options, context); }; });
}

} // namespace waybill::cli
