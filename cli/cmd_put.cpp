// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/local_tree.hpp"
#include "cli/output.hpp"
#include "cli/overwrite_option.hpp"
#include "cli/people.hpp"
#include "cli/progress.hpp"
#include "cli/remote_name.hpp"
#include "cli/uploader.hpp"
#include "cli/url_source.hpp"
#include "cli/usage.hpp"
#include "domain/data_path.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
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

/// How long the instance may be at work on a URL before its answer is given up.
constexpr std::chrono::hours longestFetch{24};

void checkUsage(const std::vector<std::string> &sources, const RemoteName &target, Context &context) {
  const auto known = context.instances();
  for (const auto &source : sources) {
    if (source == "-" && (sources.size() > 1 || target.namesFolder())) {
      throw WrongUsage("standard input needs a TARGET of its own that names a file, such as lab:/data/run.tar");
    }
    const auto isInstance =
        std::any_of(known.begin(), known.end(), [&](const TrustedKey &key) { return isBelow(source, *key.url); });
    std::error_code none;
    if (isInstance || (!isUrl(source) && looksRemote(source) && !std::filesystem::exists(source, none))) {
      throw WrongUsage("'" + source + "' is at an instance; what goes from one to another goes with: waybill copy");
    }
  }
  if (sources.size() > 1 && !target.namesFolder()) {
    throw WrongUsage("several files need a TARGET that ends in '/'");
  }
}

/// Throws WrongUsage when two sources would go to one path, before anything is sent.
class Paths {
public:
  void add(const std::string &path, const std::string &source) {
    if (const auto [earlier, isNew] = sourceOf_.emplace(path, source); !isNew) {
      throw WrongUsage("'" + earlier->second + "' and '" + source + "' would both become '" + path +
                       "'; nothing was sent: put them under targets of their own");
    }
  }

private:
  std::map<std::string, std::string, std::less<>> sourceOf_;
};

/// One run of the command.
class Put {
public:
  Put(const PutOptions &options, Context &context)
      : sources_(options.names.begin(), options.names.end() - 1), target_(parseRemoteName(options.names.back())),
        context_(context), upload_(uploadOptions(options, context)), progress_(context.globals().quiet) {
    checkUsage(sources_, target_, context);
  }

  int run() {
    auto remote = context_.remote(target_.instance, longestFetch);
    Uploader uploader(remote, upload_,
                      {[this](const std::string &, const Data &receipt) { stored(receipt); },
                       [this](const std::string &local, const std::exception &error) { failed(local, error); }},
                      progress_);
    if (sources_.front() == "-") {
      progress_.expect(std::nullopt);
      uploader.addInput(DataPath::parse(target_.path).text());
    } else {
      const auto files = findAll();
      for (const auto &file : files) {
        progress_.expect(file.size);
      }
      for (const auto &file : files) {
        uploader.add(file);
      }
    }
    uploader.flush();
    for (const auto &[url, path] : urls_) {
      fetch(remote, url, path);
    }
    progress_.clear();
    if (context_.globals().json) {
      json_.end();
    } else if (!context_.globals().quiet) {
      note("sent " + counted(files_, "file") + " (" + sizeForPeople(bytes_) + ") to " + target_.withPath(target_.path));
    }
    return failed_ == 0 ? 0 : 1;
  }

private:
  /// The files of all sources; what the instance is to fetch goes to `urls_`.
  std::vector<LocalFile> findAll() {
    const TreeEvents events{[](const std::string &text) { note(text); },
                            [this](const std::exception &error) { failed("", error); }};
    std::vector<LocalFile> all;
    Paths paths;
    for (const auto &source : sources_) {
      if (isUrl(source)) {
        urls_.emplace_back(source, pathFor(source, target_.path));
        paths.add(urls_.back().second, source);
        continue;
      }
      auto files = walk(source, target_.path, events);
      for (const auto &file : files) {
        paths.add(file.remote, file.local);
      }
      all.insert(all.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
    }
    return all;
  }

  void fetch(services::RemoteInstance &remote, const std::string &url, const std::string &path) {
    auto data = upload_.common;
    data.path = path;
    try {
      stored(fetchInto(remote, url, std::move(data), upload_.overwrite));
    } catch (const Fault &fault) {
      if (fault.code() == FaultCode::DeliveryFailed || fault.code() == FaultCode::UntrustedKey) {
        throw;
      }
      // Of the ways to give an instance data, a URL is the last, and the only one meant here.
      failed(url, fault.tried().empty()
                      ? fault
                      : Fault(fault.code(), "the instance could not fetch it: " + fault.tried().back()));
    }
  }

  void stored(const Data &receipt) {
    ++files_;
    bytes_ += receipt.size.value_or(0);
    if (context_.globals().json) {
      json_.add(toJson(receipt));
    }
  }

  void failed(const std::string &source, const std::exception &error) {
    progress_.clear();
    ++failed_;
    printError(source.empty() ? "put" : "put '" + source + "'", error);
  }

  std::vector<std::string> sources_;
  RemoteName target_;
  Context &context_;
  UploadOptions upload_;
  Progress progress_;
  std::vector<std::pair<std::string, std::string>> urls_; ///< and the path of each
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t failed_ = 0;
  JsonList json_;
};

} // namespace

void addPut(CLI::App &app, Work &work) {
  auto options = std::make_shared<PutOptions>();
  auto *command =
      app.add_subcommand("put", "send files, folders or standard input to an instance, or have it fetch a URL");
  command
      ->add_option(
          "TARGET", options->names,
          "files, folders and URLs (or - for standard input), then the target: ALIAS:/path or https://host:port/path")
      ->option_text("FILE... TARGET")
      ->required()
      ->expected(2, -1);
  addOverwrite(*command, options->overwrite);
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
      "long (30 seconds unless configured).\n"
      "What is at a URL (https://host/file) is fetched by the instance, not by this machine, where its configuration "
      "allows that (egress.allow).\n\n"
      "Example:\n  waybill put paper.pdf lab:/docs/\n  waybill put measurements lab:/2026/\n  tar c src | "
      "waybill put - lab:/src.tar\n  waybill put https://example.org/catalog.fits lab:/catalogs/");
  command->callback([options, &work] { work = [options](Context &context) { return Put(*options, context).run(); }; });
}

} // namespace waybill::cli
