// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/algorithm_name.hpp"
#include "cli/algorithm_text.hpp"
#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/places.hpp"
#include "cli/usage.hpp"
#include "domain/data_path.hpp"
#include "services/algorithms/algorithm_folder.hpp"
#include "services/instance.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>

namespace waybill::cli {

namespace {

struct AlgorithmsOptions {
  std::string what;
  bool check = false;
};

using Descriptions = std::vector<AlgorithmDescription>;

void show(const Descriptions &algorithms, Context &context) {
  if (!context.globals().json) {
    printText(algorithmTable(algorithms));
    return;
  }
  JsonList list;
  for (const auto &algorithm : algorithms) {
    list.add(toJson(algorithm));
  }
  list.end();
}

void showOne(const AlgorithmDescription &algorithm, const std::string &name, Context &context) {
  if (context.globals().json) {
    printJson(toJson(algorithm));
  } else {
    printText(algorithmBlock(algorithm, name));
  }
}

std::filesystem::path folderOf(const Context &context) { return std::filesystem::path(context.home()) / "algorithms"; }

bool hasFolder(const Context &context) {
  std::error_code failed;
  return std::filesystem::is_directory(folderOf(context), failed);
}

/// What this home publishes, as its instance sees it.
services::AlgorithmFolder published(const Context &context) {
  const auto sandbox = std::make_shared<const services::Sandbox>(
      services::sandboxOptions(context.home(), services::configOf(context.home())));
  return {folderOf(context), context.clock(), {}, [sandbox](const std::string &program) {
            return sandbox->whyNotRunnable(program);
          }};
}

Descriptions descriptionsOf(services::AlgorithmFolder &folder) {
  Descriptions all;
  const auto published = folder.all();
  for (const auto &[id, algorithm] : *published) {
    all.push_back(algorithm->description);
  }
  return all;
}

/// What this home publishes, and what is wrong with the files that are left out.
int check(Context &context) {
  if (!hasFolder(context)) {
    throw Fault(FaultCode::BadParameter,
                "there is no folder '" + folderOf(context).string() +
                    "', in which an instance has the files of its algorithms; make it, or say which home with --home");
  }
  auto folder = published(context);
  const auto problems = folder.problems();
  const auto algorithms = descriptionsOf(folder);
  if (context.globals().json) {
    nlohmann::ordered_json json{{"algorithms", nlohmann::ordered_json::array()}, {"problems", problems}};
    for (const auto &algorithm : algorithms) {
      json["algorithms"].push_back(toJson(algorithm));
    }
    printJson(json);
  } else {
    if (!algorithms.empty()) {
      printText(algorithmTable(algorithms));
    }
    flushOutput();
    for (const auto &problem : problems) {
      note(problem);
    }
    if (!context.globals().quiet) {
      note(counted(algorithms.size(), "algorithm") + " published, " + counted(problems.size(), "file") + " left out");
    }
  }
  return problems.empty() ? 0 : 1;
}

/// One that this home publishes.
int describeOwn(const std::string &id, Context &context) {
  auto folder = published(context);
  const auto algorithm = folder.find(id);
  if (!algorithm) {
    throw Fault(FaultCode::NoSuchAlgorithm,
                "this home publishes no algorithm of this id; see what it has, and what is wrong with it, with: "
                "waybill algorithms --check",
                id);
  }
  showOne(algorithm->description, "ALIAS:/" + id, context);
  return 0;
}

Descriptions listAt(services::RemoteInstance &remote) {
  return remote.call(ListAlgorithmsRequest{}).message.algorithms;
}

int listEverywhere(Context &context) {
  Descriptions all;
  bool failed = false;
  bool any = false;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (auto &place : places({}, context)) {
    try {
      const auto algorithms = listAt(place.remote);
      for (const auto &algorithm : algorithms) {
        json.push_back(toJson(algorithm));
        json.back()["instance"] = place.name;
      }
      if (!context.globals().json && !algorithms.empty()) {
        printText((any ? "\n" : "") + forTerminal(place.name) + ":\n" + algorithmTable(algorithms));
        any = true;
      }
    } catch (const Fault &fault) {
      printError("algorithms at '" + place.name + "'", fault);
      failed = true;
    }
  }
  if (context.globals().json) {
    printJson(json);
  } else if (!any && !failed && !context.globals().quiet) {
    note("there are no algorithms that you may run");
  }
  return failed ? 1 : 0;
}

/// Those below a name, "text" or "text/"; all, for an empty one.
Descriptions listBelow(services::RemoteInstance &remote, const std::string &name) {
  auto algorithms = listAt(remote);
  std::erase_if(algorithms, [&](const AlgorithmDescription &algorithm) {
    return !isUnder("/" + algorithm.id, parsePathPrefix("/" + name));
  });
  return algorithms;
}

int atInstance(const AlgorithmName &name, Context &context) {
  auto remote = context.remote(name.instance);
  if (name.namesOne()) {
    services::CallExtras extras;
    extras.resources = {name.id};
    try {
      showOne(remote.call(DescribeAlgorithmRequest{name.id}, extras).message.algorithm, name.with(name.id), context);
    } catch (const Fault &fault) {
      const auto below = fault.code() == FaultCode::NoSuchAlgorithm ? listBelow(remote, name.id) : Descriptions();
      if (below.empty()) {
        throw;
      }
      show(below, context);
    }
    return 0;
  }
  const auto algorithms = listBelow(remote, name.id);
  if (algorithms.empty() && !context.globals().json) {
    if (!context.globals().quiet) {
      note("there are no algorithms that you may run at '" + name.with(name.id) +
           "'; its operator grants them with: waybill --home HOME grant NAME invoke ID");
    }
    return 0;
  }
  show(algorithms, context);
  return 0;
}

int runAlgorithms(const AlgorithmsOptions &options, Context &context) {
  if (options.check && !options.what.empty()) {
    throw WrongUsage("--check is about what this home publishes, so it takes no INSTANCE");
  }
  if (options.check || (options.what.empty() && hasFolder(context))) {
    return check(context);
  }
  if (options.what.empty()) {
    return listEverywhere(context);
  }
  if (isAlgorithmId(options.what) && hasFolder(context) && !namesInstance(options.what, context)) {
    return describeOwn(options.what, context);
  }
  return atInstance(parseAlgorithmName(options.what), context);
}

} // namespace

void addAlgorithms(CLI::App &app, Work &work) {
  auto options = std::make_shared<AlgorithmsOptions>();
  auto *command = app.add_subcommand("algorithms", "list and describe the programs that instances run for you");
  command
      ->add_option("WHAT", options->what,
                   "an instance (ALIAS: or URL) to list what you may run there, or ALIAS:/ID to describe one, or list "
                   "those below "
                   "it")
      ->option_text("INSTANCE[/ID]");
  command->add_flag("--check", options->check,
                    "list what this home publishes, and what is wrong with files that are left out; exit code 1 when "
                    "any is");
  command->footer(
      "Without INSTANCE: in a home with a folder 'algorithms' (that of an instance) as --check; else those of all "
      "known "
      "instances. A description ends in a command line to begin with.\n\n"
      "Example:\n  waybill algorithms lab:\n  waybill algorithms lab:/text/sort\n  waybill --home /var/lib/waybill "
      "algorithms --check");
  command->callback(
      [options, &work] { work = [options](Context &context) { return runAlgorithms(*options, context); }; });
}

} // namespace waybill::cli
