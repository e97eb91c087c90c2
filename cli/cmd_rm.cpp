// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/remote_groups.hpp"
#include "cli/remote_list.hpp"
#include "cli/token_resources.hpp"
#include "cli/usage.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <set>

namespace waybill::cli {

namespace {

/// One message deletes so many, all or none.
constexpr std::size_t atOnce = 1000;

struct RmOptions {
  std::vector<std::string> names;
  bool recursive = false;
};

std::vector<Data> chosen(const RemoteGroup &group, services::RemoteInstance &remote, bool recursive) {
  std::vector<Data> all;
  std::set<std::string> seen;
  const auto add = [&](Data data) {
    if (seen.insert(data.id ? *data.id : *data.path).second) {
      all.push_back(std::move(data));
    }
  };
  for (const auto &name : group.names) {
    if (!recursive) {
      if (name.namesFolder()) {
        throw WrongUsage("'" + name.withPath(name.path) + "' means all below it; say so with -r");
      }
      add(name.toData());
      continue;
    }
    bool any = false;
    listAll(remote, name.path, [&](const Data &data) {
      any = true;
      Data named;
      named.path = data.path;
      add(std::move(named));
    });
    if (!any) {
      throw Fault(FaultCode::NoSuchData,
                  "there is nothing at or below '" + name.withPath(name.path) + "', or nothing that you may see");
    }
  }
  return all;
}

void remove(services::RemoteInstance &remote, const std::vector<Data> &all,
            const std::function<void(const Data &)> &each) {
  for (std::size_t begin = 0; begin < all.size(); begin += atOnce) {
    const auto end = std::min(begin + atOnce, all.size());
    DeleteRequest request;
    request.data.assign(all.begin() + static_cast<std::ptrdiff_t>(begin),
                        all.begin() + static_cast<std::ptrdiff_t>(end));
    services::CallExtras extras;
    extras.resources = resourcesFor(request.data);
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
    remove(remote, chosen(group, remote, options.recursive), [&](const Data &data) {
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
