// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/remote_groups.hpp"
#include "cli/remote_list.hpp"
#include "cli/token_resources.hpp"
#include "domain/data_path.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace waybill::cli {

namespace {

/// One message deletes so many, all or none.
constexpr std::size_t atOnce = 1000;

struct RmOptions {
  std::vector<std::string> names;
  bool recursive = false;
};

std::vector<std::string> pathsOf(const RemoteGroup &group, services::RemoteInstance &remote, bool recursive) {
  std::vector<std::string> paths;
  for (const auto &name : group.names) {
    if (!recursive) {
      if (name.namesFolder()) {
        throw Fault(FaultCode::BadParameter, "'" + name.withPath(name.path) + "' means all below it; say so with -r");
      }
      paths.push_back(DataPath::parse(name.path).text());
      continue;
    }
    const auto before = paths.size();
    listAll(remote, name.path, [&](const Data &data) { paths.push_back(*data.path); });
    if (paths.size() == before) {
      throw Fault(FaultCode::NoSuchData,
                  "there is nothing at or below '" + name.withPath(name.path) + "', or nothing that you may see");
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

void remove(services::RemoteInstance &remote, std::vector<std::string> paths,
            const std::function<void(const Data &)> &each) {
  for (std::size_t begin = 0; begin < paths.size(); begin += atOnce) {
    DeleteRequest request;
    services::CallExtras extras;
    for (std::size_t i = begin; i < std::min(begin + atOnce, paths.size()); ++i) {
      request.data.emplace_back().path = paths[i];
      extras.resources.push_back(paths[i]);
    }
    extras.resources = resourcesFor(extras.resources);
    for (const auto &data : remote.call(request, extras).message.data) {
      each(data);
    }
  }
}

int runRm(const RmOptions &options, Context &context) {
  JsonList list;
  std::uint64_t number = 0;
  for (const auto &group : groupByInstance(options.names)) {
    auto remote = context.remote(group.first.instance);
    remove(remote, pathsOf(group, remote, options.recursive), [&](const Data &data) {
      ++number;
      if (context.globals().json) {
        list.add(toJson(data));
      }
    });
  }
  if (context.globals().json) {
    list.end();
  } else if (!context.globals().quiet) {
    note("deleted " + counted(number, "object"));
  }
  return 0;
}

} // namespace

void addRm(CLI::App &app, Work &work) {
  auto options = std::make_shared<RmOptions>();
  auto *command = app.add_subcommand("rm", "delete data");
  command->add_option("PATH", options->names, "ALIAS:/path or https://host:port/path")
      ->option_text("PATH...")
      ->required()
      ->expected(1, -1);
  command->add_flag("-r,--recursive", options->recursive, "all at or below each PATH");
  command->footer("Up to 1,000 go in one message, all or none of them.\n\nExample:\n  waybill rm lab:/docs/paper.pdf\n "
                  " waybill rm -r lab:/2026/");
  command->callback([options, &work] { work = [options](Context &context) { return runRm(*options, context); }; });
}

} // namespace waybill::cli
