// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/algorithm_name.hpp"
#include "cli/choice.hpp"
#include "cli/elsewhere_results.hpp"
#include "cli/job_follow.hpp"
#include "cli/output.hpp"
#include "cli/overwrite_option.hpp"
#include "cli/people.hpp"
#include "cli/places.hpp"
#include "cli/priority_option.hpp"
#include "cli/remote_jobs.hpp"
#include "cli/remote_name.hpp"
#include "cli/run_inputs.hpp"
#include "cli/run_results.hpp"
#include "cli/signals.hpp"
#include "cli/task.hpp"
#include "cli/token_resources.hpp"
#include "cli/usage.hpp"
#include "domain/data_path.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

namespace waybill::cli {

namespace {

struct RunOptions {
  std::string algorithm;
  std::vector<std::string> inputs;
  std::vector<std::string> parameters;
  std::vector<std::string> contentTypes;
  std::string output;
  std::string store;
  Overwrite overwrite = Overwrite::Never;
  bool force = false;
  std::optional<Attach> attach;
  bool detach = false;
  std::optional<std::int32_t> priority;
};

/// Whether the results go to an instance.
bool isElsewhere(const std::string &output) {
  std::error_code none;
  return looksRemote(output) && !std::filesystem::exists(output, none);
}

/// "b:results" is easily written for "b:/results", and would be a file here.
void refuseHalfRemote(const std::string &output, Context &context) {
  const auto colon = output.find(':');
  std::error_code none;
  if (colon < output.find('/') && !looksRemote(output) && namesInstance(output.substr(0, colon), context) &&
      !std::filesystem::exists(output, none)) {
    throw WrongUsage("'" + output + "' is neither here nor there; write " + output.substr(0, colon + 1) + "/" +
                     output.substr(colon + 1) + " for the instance, or ./" + output + " for a file");
  }
}

/// The fault about an input's type, for who has a command line.
Fault withOption(const Fault &fault) {
  static constexpr std::string_view wire = "as ContentType";
  auto reason = fault.reason();
  const auto at = reason.rfind(wire);
  if (fault.code() != FaultCode::BadParameter || at == std::string::npos) {
    return fault;
  }
  reason.replace(at, wire.size(),
                 "with --content-type " + (fault.subject().empty() ? "NAME" : fault.subject()) + "=TYPE");
  return {fault.code(), reason, fault.subject(), fault.tried()};
}

/// What is to be run; throws WrongUsage for options that do not go together.
AlgorithmName checkedUsage(const RunOptions &options) {
  auto name = parseAlgorithmName(options.algorithm);
  if (!name.namesOne()) {
    throw WrongUsage("'" + options.algorithm + "' names no single algorithm; see what there is with: waybill " +
                     "algorithms " + name.with(name.id));
  }
  const auto elsewhere = isElsewhere(options.output);
  if (elsewhere && !options.store.empty()) {
    throw WrongUsage("results go to an instance (-o) or are kept at the called one (--store), not both");
  }
  if (options.detach && !elsewhere) {
    throw WrongUsage("--detach is for results that go to an instance: -o ALIAS:/path/");
  }
  if (options.overwrite != Overwrite::Never && !elsewhere && options.store.empty()) {
    throw WrongUsage("--overwrite is about data at an instance; files here are replaced with --force");
  }
  if (!options.store.empty() && !options.store.starts_with('/')) {
    throw WrongUsage("--store takes a path at the called instance such as /results, not '" + options.store +
                     "'; results go to another instance with: -o ALIAS:/path/");
  }
  return name;
}

/// One run of the command.
class Run {
public:
  Run(const RunOptions &options, Context &context)
      : options_(options), context_(context), name_(checkedUsage(options)), progress_(context.globals().quiet),
        called_(context.remoteForRuns(name_.instance, [this] { tellWaiting(); })),
        inputs_(called_, name_, context, progress_) {}

  int run() {
    try {
      prepare();
      return isElsewhere(options_.output) ? send() : call();
    } catch (const WrongUsage &) {
      throw;
    } catch (const Fault &fault) {
      progress_.clear();
      printError("run '" + name_.with(name_.id) + "'", withOption(fault));
      return 1;
    }
  }

private:
  /// Everything that can be wrong is found before anything is sent.
  void prepare() {
    refuseHalfRemote(options_.output, context_);
    request_.algorithm = name_.id;
    request_.priority = options_.priority;
    for (const auto &[name, value] : namedArguments(options_.parameters, "--param takes NAME=VALUE", "order=numeric")) {
      request_.parameters.push_back({name, value});
    }
    const auto arguments = namedArguments(
        options_.inputs, "inputs are given as NAME=FILE, NAME=URL or NAME=@ALIAS:/path", "text=notes.txt");
    const auto types = typesOf(arguments);
    services::CallExtras extras;
    extras.resources = {name_.id};
    algorithm_ = called_.call(DescribeAlgorithmRequest{name_.id}, extras).message.algorithm;
    values_ = services::checkedParameters(algorithm_, request_.parameters);
    checkNames(arguments);
    if (!isElsewhere(options_.output) && takesBytes()) {
      local().check();
    }
    for (const auto &argument : arguments) {
      const auto type = types.find(argument.name);
      inputs_.add(argument, type == types.end() ? "" : type->second);
    }
    request_.inputs = inputs_.data();
    if (isElsewhere(options_.output) || takesBytes()) {
      request_.attach = options_.attach;
    }
  }

  [[nodiscard]] std::map<std::string, std::string> typesOf(const std::vector<NamedArgument> &arguments) const {
    std::map<std::string, std::string> types;
    for (const auto &given : namedArguments(options_.contentTypes, "--content-type takes NAME=TYPE", "text=text/csv")) {
      if (std::none_of(arguments.begin(), arguments.end(), [&](const auto &one) { return one.name == given.name; })) {
        throw WrongUsage("--content-type is for an input '" + given.name + "', and none of that name is given");
      }
      types[given.name] = given.value;
    }
    return types;
  }

  void checkNames(const std::vector<NamedArgument> &arguments) const {
    std::vector<NamedData> named;
    for (const auto &argument : arguments) {
      if (services::declared(algorithm_.inputs, argument.name) == nullptr &&
          services::declared(algorithm_.parameters, argument.name) != nullptr) {
        throw WrongUsage("'" + argument.name + "' is a parameter of '" + name_.id + "'; give it as --param " +
                         argument.name + "=" + argument.value);
      }
      named.push_back({argument.name, {}});
    }
    services::checkInputs(algorithm_, named);
  }

  /// Whether results come back as bytes: unless they are only to be kept there.
  [[nodiscard]] bool takesBytes() const { return options_.store.empty() || !options_.output.empty(); }

  [[nodiscard]] LocalResults local() const {
    return {options_.output.empty() ? "." : options_.output, options_.force, algorithm_, values_};
  }

  [[nodiscard]] services::CallExtras extras() const {
    services::CallExtras extras;
    extras.parts = inputs_.parts();
    extras.repeatable = inputs_.areRepeatable();
    extras.lifetime = tokenLifeFor(inputs_.bytes());
    extras.resources = resourcesFor(inputs_.paths());
    extras.resources.push_back(name_.id);
    return extras;
  }

  /// Waits for the results.
  int call() {
    auto sent = extras();
    if (!options_.store.empty()) {
      request_.store = options_.store;
      sent.resources.push_back(parsePathPrefix(options_.store));
      if (options_.overwrite != Overwrite::Never) {
        request_.overwrite = options_.overwrite;
      }
    }
    if (takesBytes() && !request_.attach) {
      request_.attach = Attach::Mtom;
    }
    progress_.name(name_.id);
    calling_ = true;
    auto reply = called_.call(request_, sent);
    calling_ = false;
    auto rows = nlohmann::ordered_json::array();
    std::string summary;
    const auto taken = [&](const NamedData &output, const std::string &file) {
      auto row = toJson(output.data);
      row["name"] = output.name;
      if (!file.empty()) {
        row["file"] = file;
        summary +=
            (summary.empty() ? "; wrote " : ", ") + file + " (" + sizeForPeople(output.data.size.value_or(0)) + ")";
      }
      rows.push_back(std::move(row));
    };
    if (takesBytes()) {
      local().take(reply, context_.random(), progress_, taken);
    } else {
      for (const auto &output : reply.message.outputs) {
        taken(output, {});
      }
    }
    progress_.clear();
    tellLog(reply.message.log);
    tell(reply.message, std::move(rows), summary);
    return 0;
  }

  void tellWaiting() {
    if (calling_) {
      progress_.await("the results");
    }
  }

  /// Whether what goes on is told on standard error.
  [[nodiscard]] bool tellsOfRun() const { return !context_.globals().quiet && !context_.globals().json; }

  void tellLog(const std::string &log) const {
    if (tellsOfRun()) {
      std::fputs(linesForTerminal(log, "  ").c_str(), stderr);
    }
  }

  void tell(const InvokeResponse &response, nlohmann::ordered_json rows, const std::string &summary) const {
    if (context_.globals().json) {
      if (options_.output != "-") {
        printJson({{"job", response.job},
                   {"exitStatus", response.exitStatus},
                   {"outputs", std::move(rows)},
                   {"log", response.log}});
      }
      return;
    }
    if (!options_.store.empty() && options_.output != "-") {
      std::vector<Data> stored;
      std::transform(response.outputs.begin(), response.outputs.end(), std::back_inserter(stored),
                     [](const NamedData &output) { return output.data; });
      tellStored(stored, called_.address().url, name_.prefix);
    }
    if (!context_.globals().quiet) {
      note("ran " + name_.with(name_.id) + summary);
    }
  }

  /// One a line: what it is called there, and its Id.
  static void tellStored(const std::vector<Data> &all, const std::string &url, const std::string &prefix) {
    for (const auto &data : all) {
      printText(forTerminal((data.path ? prefix + *data.path : url) + "  " + data.id.value_or("?")) + "\n");
    }
  }

  /// Has the results sent to an instance.
  int send() {
    const auto target = parseRemoteName(options_.output);
    auto destination = context_.remote(target.instance);
    ElsewhereResults results(called_, destination, target, options_.overwrite);
    results.want(algorithm_, values_, request_);
    const auto id = results.begin(request_, extras());
    progress_.clear();
    if (options_.detach) {
      return tellBegun(results, id);
    }
    const auto job = follow(id);
    if (context_.globals().json) {
      printJson(toJson(job));
    }
    if (job.state != TransferState::Succeeded) {
      throw results.failureOf(job, tellsOfRun());
    }
    if (!context_.globals().json) {
      tellStored(job.receipt, destination.address().url, target.prefix);
    }
    if (!context_.globals().quiet) {
      note("ran " + name_.with(name_.id) +
           (job.receipt.empty() ? "; it has made nothing" : "; its results are at " + target.withPath(target.path)));
    }
    return 0;
  }

  /// What is refused is answered like what is taken: as a job, which has failed.
  int tellBegun(const ElsewhereResults &results, const std::string &id) {
    const auto job = look(id);
    if (context_.globals().json) {
      printJson({{"job", id}, {"state", name(job.state)}});
    }
    if (job.state == TransferState::Failed) {
      throw results.failureOf(job, false);
    }
    if (!context_.globals().json) {
      printText(id + "\n");
    }
    if (!context_.globals().quiet) {
      tellWhereItIs(id);
    }
    return 0;
  }

  Job look(const std::string &id) {
    try {
      return jobOf(called_, id);
    } catch (const Fault &) {
      tellWhereItIs(id); // it may well have begun
      throw;
    }
  }

  void tellWhereItIs(const std::string &id) const {
    note("see the job with: waybill jobs show " + name_.instance + " " + shortId(id) +
         "; stop it with: waybill jobs cancel " + name_.instance + " " + shortId(id));
  }

  Job follow(const std::string &id) {
    try {
      return followJob(called_, id, tellsOfRun());
    } catch (const Interrupted &) {
      note("the job " + shortId(id) + " goes on without this command");
      tellWhereItIs(id);
      throw;
    }
  }

  const RunOptions &options_;
  Context &context_;
  AlgorithmName name_;
  Progress progress_;
  bool calling_ = false;
  services::RemoteInstance called_;
  RunInputs inputs_;
  InvokeRequest request_;
  AlgorithmDescription algorithm_;
  services::ParameterValues values_;
};

void addOptions(CLI::App &command, RunOptions &options) {
  command
      .add_option("ALGORITHM", options.algorithm, "ALIAS:/ID or https://host:port/ID, as 'waybill algorithms' lists")
      ->option_text("INSTANCE/ALGORITHM")
      ->required();
  command
      .add_option("INPUT", options.inputs,
                  "for the input NAME: a file (- for standard input), a URL that the instance fetches, or data at an "
                  "instance: @ALIAS:/path, and @/path for the called one; again for an input of many")
      ->option_text("NAME=FILE|URL|@REMOTE...")
      ->expected(0, -1);
  command.add_option("-p,--param", options.parameters, "the value of a parameter; may be given again")
      ->option_text("NAME=VALUE")
      ->expected(1)
      ->take_all();
  command
      .add_option("-o,--output", options.output,
                  "where the results go: a folder, a file for a single one, - for standard output, or an instance "
                  "(ALIAS:/path/); this folder when left out")
      ->option_text("FILE|DIR|-|REMOTE/");
  command.add_option("--store", options.store, "keep the results at the called instance below that path")
      ->option_text("PATH");
  addOverwrite(command, options.overwrite);
  command.add_flag("-f,--force", options.force, "replace files that are there");
  command
      .add_option("--content-type", options.contentTypes,
                  "media type of the input NAME; else it goes by the file's name")
      ->option_text("NAME=TYPE")
      ->expected(1)
      ->take_all();
  command.add_option("--attach", options.attach, "how results are packed; MTOM when left out")
      ->transform(choice<Attach>({{"mtom", Attach::Mtom}, {"swa", Attach::SwA}, {"inline", Attach::Inline}}))
      ->option_text("mtom|swa|inline");
  addPriority(command, options.priority);
  command.add_flag("--detach", options.detach, "with results that go to an instance: print the id of the job, and go");
}

} // namespace

void addRun(CLI::App &app, Work &work) {
  auto options = std::make_shared<RunOptions>();
  auto *command = app.add_subcommand("run", "run a program that an instance publishes, on data from anywhere");
  addOptions(*command, *options);
  command->footer(
      "Files travel with the call; data at another instance is read by the called one on your behalf, with a token for "
      "that alone. Results get the names of the outputs,\n"
      "with -o and the ending of their type, and a file its name only when its SHA-256 is right. What the program "
      "prints goes "
      "to "
      "standard error.\n"
      "With -o ALIAS:/path/ it is a job, which goes on when this command is interrupted (waybill jobs); its results "
      "have "
      "to arrive there within an hour of the call.\n"
      "What the algorithm takes and makes: waybill algorithms INSTANCE/ALGORITHM.\n\n"
      "Example:\n  waybill run lab:/text/sort text=words.txt\n  waybill run lab:/text/sort text=- -o - --param "
      "reverse=true < words.txt\n  waybill run lab:/image/convert picture=@archive:/2026/m31.tiff -p format=png -o "
      "pictures/\n  waybill run lab:/net/rank edges=https://example.org/edges.csv -o archive:/ranks/ --detach");
  command->callback([options, &work] { work = [options](Context &context) { return Run(*options, context).run(); }; });
}

} // namespace waybill::cli
