// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/local_tree.hpp"
#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/progress.hpp"
#include "cli/remote_name.hpp"
#include "cli/uploader.hpp"
#include "cli/usage.hpp"
#include "domain/data_path.hpp"

#include <nlohmann/json.hpp>

#include <iterator>
#include <map>
#include <memory>

namespace waybill::cli {

namespace {

struct PutOptions {
  std::vector<std::string> names; ///< sources, then the target
  Overwrite overwrite = Overwrite::Never;
  std::string contentType;
  std::string expires;
  std::vector<std::string> metadata;
  bool isPublic = false;
};

Metadata parseMetadata(const std::string &text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw WrongUsage("--metadata takes NAME=VALUE, not '" + text + "'");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

UploadOptions uploadOptions(const PutOptions &options, const Context &context) {
  UploadOptions upload;
  upload.overwrite = options.overwrite;
  if (!options.contentType.empty()) {
    upload.common.contentType = options.contentType;
  }
  if (options.isPublic) {
    upload.common.secure = false;
  }
  if (!options.expires.empty()) {
    upload.common.expires = parseExpiry(options.expires, context.clock().now());
  }
  for (const auto &text : options.metadata) {
    upload.common.metadata.push_back(parseMetadata(text));
  }
  return upload;
}

/// What is said in the end.
struct Tally {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t failed = 0;
  JsonList json;
};

void checkUsage(const std::vector<std::string> &sources, const RemoteName &target) {
  for (const auto &source : sources) {
    if (source == "-" && (sources.size() > 1 || target.namesFolder())) {
      throw CLI::ValidationError(
          "put", "standard input needs a TARGET of its own that names a file, such as lab:/data/run.tar");
    }
  }
  if (sources.size() > 1 && !target.namesFolder()) {
    throw WrongUsage("several files need a TARGET that ends in '/'");
  }
}

/// What all sources come to. Throws WrongUsage when two files would go to one path, before anything is sent.
std::vector<LocalFile> walkAll(const std::vector<std::string> &sources, const std::string &target,
                               const TreeEvents &events) {
  std::vector<LocalFile> all;
  for (const auto &source : sources) {
    auto files = walk(source, target, events);
    all.insert(all.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
  }
  std::map<std::string_view, std::string_view> localOf;
  for (const auto &file : all) {
    if (const auto [earlier, isNew] = localOf.emplace(file.remote, file.local); !isNew) {
      throw WrongUsage("'" + std::string(earlier->second) + "' and '" + file.local + "' would both become '" +
                       file.remote + "'; nothing was sent: put them under targets of their own");
    }
  }
  return all;
}

int runPut(const PutOptions &options, Context &context) {
  const std::vector<std::string> sources(options.names.begin(), options.names.end() - 1);
  const auto target = parseRemoteName(options.names.back());
  checkUsage(sources, target);
  const auto upload = uploadOptions(options, context);
  auto remote = context.remote(target.instance);
  const bool json = context.globals().json;
  Progress progress(context.globals().quiet);
  Tally tally;

  UploadEvents events;
  events.stored = [&](const std::string &, const Data &receipt) {
    ++tally.files;
    tally.bytes += receipt.size.value_or(0);
    if (json) {
      tally.json.add(toJson(receipt));
    }
  };
  events.failed = [&](const std::string &local, const std::exception &error) {
    progress.clear();
    ++tally.failed;
    printError(local.empty() ? "put" : "put '" + local + "'", error);
  };
  const TreeEvents treeEvents{[&](const std::string &text) { note(text); },
                              [&](const std::exception &error) { events.failed("", error); }};

  Uploader uploader(remote, upload, events, progress);
  if (sources.front() == "-") {
    progress.expect(std::nullopt);
    uploader.addInput(DataPath::parse(target.path).text());
  } else {
    const auto files = walkAll(sources, target.path, treeEvents);
    for (const auto &file : files) {
      progress.expect(file.size);
    }
    for (const auto &file : files) {
      uploader.add(file);
    }
  }
  uploader.flush();
  progress.clear();
  if (json) {
    tally.json.end();
  } else if (!context.globals().quiet) {
    note("sent " + counted(tally.files, "file") + " (" + sizeForPeople(tally.bytes) + ") to " +
         target.withPath(target.path));
  }
  return tally.failed == 0 ? 0 : 1;
}

} // namespace

void addPut(CLI::App &app, Work &work) {
  auto options = std::make_shared<PutOptions>();
  auto *command = app.add_subcommand("put", "send files, folders or standard input to an instance");
  command
      ->add_option(
          "TARGET", options->names,
          "files and folders (or - for standard input), then the target: ALIAS:/path or https://host:port/path")
      ->option_text("FILE... TARGET")
      ->required()
      ->expected(2, -1);
  static const std::map<std::string, Overwrite> ways{
      {"never", Overwrite::Never}, {"always", Overwrite::Always}, {"if-different", Overwrite::IfDifferent}};
  command->add_option("--overwrite", options->overwrite, "when the path is taken; never when left out")
      ->transform(CLI::CheckedTransformer(ways, CLI::ignore_case).description(""))
      ->option_text("never|always|if-different");
  command->add_option("--content-type", options->contentType, "media type; else it goes by the file's name")
      ->option_text("TYPE");
  command
      ->add_option("--expires", options->expires,
                   "when the instance may delete it: 30d, or a time such as 2027-01-31T00:00:00Z")
      ->option_text("WHEN");
  command->add_option("--metadata", options->metadata, "kept with the data; may be given again")
      ->option_text("NAME=VALUE")
      ->expected(1)
      ->take_all();
  command->add_flag("--public", options->isPublic, "readable by everybody at its URL");
  command->footer(
      "A folder keeps its name below a TARGET that ends in '/', and takes its place otherwise. Small files "
      "travel many to a message.\n"
      "SHA-256 is computed on this side and compared with the receipt.\n"
      "A pipe may take its time for its first bytes; after that the instance gives it up when it is silent for "
      "long (30 seconds unless configured).\n\n"
      "Example:\n  waybill put paper.pdf lab:/docs/\n  waybill put measurements lab:/2026/\n  tar c src | "
      "waybill put - lab:/src.tar");
  command->callback([options, &work] { work = [options](Context &context) { return runPut(*options, context); }; });
}

} // namespace waybill::cli
