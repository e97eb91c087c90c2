// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/remote_groups.hpp"
#include "cli/token_resources.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace waybill::cli {

namespace {

std::string block(const Data &data) {
  auto text = field("path", data.path.value_or("")) + field("id", data.id.value_or(""));
  if (data.size) {
    text += field("size", std::to_string(*data.size) + " (" + sizeForPeople(*data.size) + ")");
  }
  if (data.digest) {
    text += field(std::string(name(data.digest->algorithm)), data.digest->hex);
  }
  text += field("type", data.contentType.value_or("")) +
          field("access", data.secure.value_or(true) ? "secure" : "public") + field("owner", data.owner.value_or(""));
  if (data.created) {
    text += field("created", formatUtc(*data.created));
  }
  if (data.expires) {
    text += field("expires", formatUtc(*data.expires));
  }
  for (const auto &[name, value] : data.metadata) {
    text += field("metadata", name + "=" + value);
  }
  return text;
}

int runStat(const std::vector<std::string> &names, Context &context) {
  JsonList list;
  bool first = true;
  for (const auto &group : groupByInstance(names)) {
    auto remote = context.remote(group.first.instance);
    DescribeRequest request;
    services::CallExtras extras;
    for (const auto &name : group.names) {
      request.data.push_back(name.toData());
    }
    extras.resources = resourcesFor(request.data);
    for (const auto &data : remote.call(request, extras).message.data) {
      if (context.globals().json) {
        list.add(toJson(data));
      } else {
        printText((first ? "" : "\n") + block(data));
      }
      first = false;
    }
  }
  if (context.globals().json) {
    list.end();
  }
  return 0;
}

} // namespace

void addStat(CLI::App &app, Work &work) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto *command = app.add_subcommand("stat", "show what an instance knows of data: id, size, digest, owner, times");
  command->add_option("PATH", *names, "ALIAS:/path or https://host:port/path")
      ->option_text("PATH...")
      ->required()
      ->expected(1, -1);
  command->footer("Example:\n  waybill stat lab:/docs/paper.pdf\n  waybill stat --json lab:/docs/paper.pdf");
  command->callback([names, &work] { work = [names](Context &context) { return runStat(*names, context); }; });
}

} // namespace waybill::cli
