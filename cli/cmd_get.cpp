// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/downloader.hpp"
#include "cli/local_folder.hpp"
#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/remote_list.hpp"
#include "cli/remote_name.hpp"
#include "cli/usage.hpp"
#include "domain/data_path.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <set>

namespace waybill::cli {

namespace {

struct GetOptions {
  std::string source;
  std::string target;
  bool recursive = false;
  bool force = false;
};

/// One run of the command.
class Get {
public:
  Get(const GetOptions &options, Context &context)
      : options_(options), context_(context), source_(parseRemoteName(options.source)),
        remote_(context.remote(source_.instance)), progress_(context.globals().quiet),
        downloader_(remote_, options.force, context.random(), events(), progress_) {}

  int run() {
    if (options_.target == "-") {
      return toOutput();
    }
    if (options_.recursive || source_.namesFolder()) {
      folder();
    } else {
      single();
    }
    downloader_.flush();
    progress_.clear();
    if (context_.globals().json) {
      json_.end();
    } else if (!context_.globals().quiet) {
      note("got " + counted(files_, "file") + " (" + sizeForPeople(bytes_) + ") from " +
           source_.withPath(source_.path));
    }
    return failed_ == 0 ? 0 : 1;
  }

private:
  DownloadEvents events() {
    return {[this](const std::string &local, const Data &data) { fetched(local, data); },
            [this](const std::string &path, const std::exception &error) {
              progress_.clear();
              ++failed_;
              printError("get '" + source_.withPath(path) + "'", error);
            }};
  }

  void fetched(const std::string &local, const Data &data) {
    ++files_;
    bytes_ += data.size.value_or(0);
    if (context_.globals().json) {
      auto json = toJson(data);
      json["file"] = local;
      json_.add(json);
    }
  }

  int toOutput() {
    if (options_.recursive || source_.namesFolder()) {
      throw WrongUsage("only a single object goes to standard output");
    }
    OutputSink output;
    static_cast<void>(downloader_.stream(objectPath(), output));
    return 0;
  }

  /// The path of the one object that is meant; one that is named by its Id is looked up first.
  std::string objectPath() {
    return source_.isId() ? *describeOne(remote_, source_).path : DataPath::parse(source_.path).text();
  }

  void single() {
    const auto path = objectPath();
    const auto name = path.substr(path.rfind('/') + 1);
    auto local = options_.target.empty() ? name : options_.target;
    if (local.ends_with('/') || std::filesystem::is_directory(local)) {
      local = (std::filesystem::path(local) / name).string();
    }
    downloader_.add({path, local, std::nullopt});
  }

  void folder() {
    const auto prefix = parsePathPrefix(source_.path);
    const auto name = prefix.substr(prefix.rfind('/') + 1);
    auto target = options_.target;
    if (target.empty()) {
      target = name.empty() ? "." : name;
    }
    std::vector<RemoteFile> files;
    std::set<std::string> folders;
    LocalFolder local(target);
    listAll(remote_, prefix, [&](const Data &data) {
      // What is stored at the prefix itself is a file of that name, not a folder.
      auto below = *data.path == prefix ? name : data.path->substr(prefix == "/" ? 1 : prefix.size() + 1);
      for (auto slash = below.find('/'); slash != std::string::npos; slash = below.find('/', slash + 1)) {
        folders.insert(below.substr(0, slash));
      }
      files.push_back({*data.path, std::move(below), data.size});
      progress_.expect(data.size);
    });
    if (files.empty()) {
      throw Fault(FaultCode::NoSuchData, "there is nothing below '" + source_.withPath(source_.path) +
                                             "', or nothing that you may see; look with: waybill ls " +
                                             source_.withPath("/"));
    }
    for (auto &file : files) {
      try {
        if (folders.contains(file.local)) {
          throw Fault(FaultCode::AlreadyExists, "there is data below it too, and no folder here can hold a file and a "
                                                "folder of one name; get it alone, under another name");
        }
        file.local = local.prepare(file.local);
      } catch (const Fault &fault) {
        events().failed(file.path, fault);
        continue;
      }
      downloader_.add(std::move(file));
    }
  }

  const GetOptions &options_;
  Context &context_;
  RemoteName source_;
  services::RemoteInstance remote_;
  Progress progress_;
  Downloader downloader_;
  JsonList json_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t failed_ = 0;
};

} // namespace

void addGet(CLI::App &app, Work &work) {
  auto options = std::make_shared<GetOptions>();
  auto *command = app.add_subcommand("get", "fetch data from an instance");
  command
      ->add_option("SOURCE", options->source, "ALIAS:/path or https://host:port/path; a final '/' means all below it")
      ->option_text("SOURCE")
      ->required();
  command
      ->add_option("LOCAL", options->target,
                   "file or folder to write; - for standard output; the name it has there when left out")
      ->option_text("LOCAL");
  command->add_flag("-r,--recursive", options->recursive, "all below SOURCE");
  command->add_flag("-f,--force", options->force, "replace files that are there");
  command->footer("A file gets its name only when its SHA-256 is right and its bytes are on the disk; until then "
                  "nothing is seen of it. With -, who reads has to take at\n"
                  "least server.minimum_rate bytes a second and to pause no longer than server.stall_deadline (30 s at "
                  "most instances): for a slower reader get a file.\n\n"
                  "Example:\n  waybill get lab:/docs/paper.pdf\n  waybill get lab:/2026/ results\n  waybill get "
                  "lab:/src.tar - | tar x");
  command->callback([options, &work] { work = [options](Context &context) { return Get(*options, context).run(); }; });
}

} // namespace waybill::cli
