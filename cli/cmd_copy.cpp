// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/copy_run.hpp"
#include "cli/output.hpp"
#include "cli/overwrite_option.hpp"
#include "cli/people.hpp"
#include "cli/priority_option.hpp"
#include "cli/side_fault.hpp"
#include "cli/task.hpp"
#include "cli/usage.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>

namespace waybill::cli {

namespace {

struct CopyOptions {
  std::string source;
  std::string target;
  Overwrite overwrite = Overwrite::Never;
  bool recursive = false;
  bool detach = false;
  bool pull = false;
  std::optional<std::int32_t> priority;
};

/// How long the destination may be at work on what it pulls before its answer is given up.
constexpr std::chrono::hours longestPull{24};

RemoteName remoteSide(const std::string &text) {
  if (!looksRemote(text) && text.find("://") == std::string::npos) {
    throw WrongUsage("'" + text + "' is a local name, and copy goes from one instance to another; between here and " +
                     "an instance files go with: waybill put, waybill get");
  }
  return parseRemoteName(text);
}

template <class Call> auto asSide(const char *side, const Call &call) {
  try {
    return call();
  } catch (const Fault &fault) {
    throw about(side, fault);
  }
}

/// One run of the command.
class Copy {
public:
  Copy(const CopyOptions &options, Context &context)
      : options_(options), context_(context), from_(remoteSide(options.source)), to_(remoteSide(options.target)),
        source_(context.remote(from_.instance)), destination_(context.remote(to_.instance, longestPull)),
        calls_(source_, destination_, options.overwrite, options.priority), progress_(context.globals().quiet),
        run_(calls_, source_, destination_, events(), progress_), pulls_(options.pull || calls_.isOneInstance()) {
    if (options.detach && pulls_) {
      throw WrongUsage("--detach is for what the source sends; what is pulled, or stays at one instance, is done when "
                       "the command ends");
    }
    if (options.priority && pulls_) {
      throw WrongUsage(
          "--priority is for what the source sends, which is queued there; what is pulled, or stays at one "
          "instance, waits in no queue");
    }
  }

  int run() {
    auto items = plan();
    progress_.expect(bytesOf(items));
    try {
      if (pulls_) {
        run_.pull(std::move(items));
      } else if (options_.detach) {
        asSide("source", [&] { run_.join(items); });
        run_.begin(std::move(items));
        progress_.clear();
        tellBegun();
      } else {
        asSide("source", [&] { run_.join(items); });
        run_.send(std::move(items));
      }
    } catch (...) {
      progress_.clear();
      tellWhatRuns();
      throw;
    }
    progress_.clear();
    sumUp();
    return failed_ == 0 ? 0 : 1;
  }

private:
  CopyBatch plan() {
    auto items = asSide("source", [&] { return findSources(source_, from_, options_.recursive, to_); });
    const TakenEvents events{[this](const CopyItem &item, const Data &there) {
                               ++present_;
                               list(item, "Present", {}, &there);
                             },
                             [this](const CopyItem &item) {
                               fail({item}, {},
                                    Fault(FaultCode::AlreadyExists,
                                          "destination: there is other data at this path; to replace it, use "
                                          "--overwrite if-different"));
                             }};
    asSide("destination", [&] { leaveOutTaken(items, destination_, options_.overwrite, events); });
    return items;
  }

  CopyEvents events() {
    return {[this](const CopyItem &item, const std::string &transfer, const Data *receipt) {
              ++copied_;
              bytes_ += item.from.size.value_or(0);
              list(item, name(TransferState::Succeeded), transfer, receipt);
            },
            [this](const CopyBatch &items, const std::string &transfer, const Fault &fault) {
              fail(items, transfer, fault);
            },
            [this](const CopyBatch &items, const std::string &lastError) {
              if (!context_.globals().quiet) {
                progress_.clear();
                note(pairOf(items) + " waits, to be tried again, after: " + lastError);
              }
            }};
  }

  [[nodiscard]] std::string pairOf(const CopyBatch &items) const {
    const auto &first = items.front();
    const auto others = items.size() == 1 ? "" : " and " + std::to_string(items.size() - 1) + " more";
    return "copy '" + from_.withPath(*first.from.path) + "'" + others + " to '" + to_.withPath(first.path) + "'";
  }

  void fail(const CopyBatch &items, const std::string &transfer, const Fault &fault) {
    progress_.clear();
    failed_ += items.size();
    printError(pairOf(items), fault);
    for (const auto &item : items) {
      list(item, name(TransferState::Failed), transfer, nullptr, fault.what());
    }
  }

  void list(const CopyItem &item, std::string_view state, const std::string &transfer, const Data *receipt,
            const std::string &error = {}) {
    if (!context_.globals().json) {
      return;
    }
    nlohmann::ordered_json json{
        {"source", from_.withPath(*item.from.path)}, {"destination", to_.withPath(item.path)}, {"state", state}};
    if (item.from.size) {
      json["size"] = *item.from.size;
    }
    if (receipt != nullptr && receipt->id) {
      json["id"] = *receipt->id;
    }
    if (!transfer.empty()) {
      json["transfer"] = transfer;
    }
    if (!error.empty()) {
      json["error"] = error;
    }
    json_.add(json);
  }

  /// --detach: the ids, one a line.
  void tellBegun() {
    for (const auto &id : run_.underWay()) {
      if (context_.globals().json) {
        json_.add({{"transfer", id}, {"state", name(TransferState::Queued)}});
      } else {
        printText(id + "\n");
      }
    }
  }

  /// The client goes, the transfers stay.
  void tellWhatRuns() const {
    const auto ids = run_.underWay();
    if (ids.empty()) {
      return;
    }
    std::string all;
    for (const auto &id : ids) {
      all += " " + shortId(id);
    }
    note(counted(ids.size(), "transfer") + (ids.size() == 1 ? " goes" : " go") + " on without this command:" + all);
    note("watch with: waybill transfers " + from_.instance + " --watch; stop with: waybill transfers cancel ID");
    note("what had not begun yet is copied when the command is run again");
  }

  void sumUp() {
    if (context_.globals().json) {
      json_.end();
      return;
    }
    if (context_.globals().quiet) {
      return;
    }
    const auto present = present_ == 0 ? "" : "; " + counted(present_, "object") + " there already";
    const auto way = " from " + from_.withPath(from_.path) + " to " + to_.withPath(to_.path);
    if (options_.detach) {
      const auto begun = run_.underWay().size();
      note("began " + counted(begun, "transfer") + way + present + "; watch with: waybill transfers " + from_.instance +
           " --watch");
      return;
    }
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const auto rate =
        seconds > 1 ? ", " + sizeForPeople(static_cast<std::uint64_t>(static_cast<double>(bytes_) / seconds)) + "/s"
                    : std::string();
    note("copied " + counted(copied_, "object") + " (" + sizeForPeople(bytes_) + rate + ")" + way + present);
  }

  const CopyOptions &options_;
  Context &context_;
  RemoteName from_;
  RemoteName to_;
  services::RemoteInstance source_;
  services::RemoteInstance destination_;
  ThirdParty calls_;
  Progress progress_;
  CopyRun run_;
  bool pulls_;
  JsonList json_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::uint64_t copied_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t present_ = 0;
  std::uint64_t failed_ = 0;
};

} // namespace

void addCopy(CLI::App &app, Work &work) {
  auto options = std::make_shared<CopyOptions>();
  auto *command = app.add_subcommand("copy", "have one instance send data to another");
  command
      ->add_option("SOURCE", options->source, "ALIAS:/path or https://host:port/path; a final '/' means all below it")
      ->option_text("SOURCE")
      ->required();
  command->add_option("TARGET", options->target, "ALIAS:/path or https://host:port/path at the other instance")
      ->option_text("TARGET")
      ->required();
  command->add_flag("-r,--recursive", options->recursive, "all at or below SOURCE");
  addOverwrite(*command, options->overwrite);
  addPriority(*command, options->priority);
  auto *detach =
      command->add_flag("--detach", options->detach, "print the ids of the transfers, and wait for none of them");
  command->add_flag("--wait")
      ->description("wait for all of them, with progress; so it is when nothing is said")
      ->excludes(detach);
  command->add_flag("--pull", options->pull,
                    "the target's instance fetches, for when it can reach the other and not the other way round");
  command->footer(
      "The bytes go from instance to instance, not through this machine, and go on when this command is interrupted. "
      "Each transfer is tried again until it arrives, once.\n"
      "A folder keeps its name below a TARGET that ends in '/', and takes its place otherwise. What is there already "
      "with the same size and SHA-256 is left out,\n"
      "and what is still on its way is waited for, so the same command again completes a copy that was cut short.\n"
      "The instance of SOURCE has to know that of TARGET (waybill trust, there), and you need rights at both. What "
      "it is to send has to arrive within an hour of being asked for.\n\n"
      "Example:\n  waybill copy lab:/2026/run7.h5 archive:/runs/\n  waybill copy -r lab:/2026 archive:/lab/\n  waybill "
      "copy --detach lab:/2026/ archive:/lab/\n  waybill transfers lab --watch");
  command->callback([options, &work] { work = [options](Context &context) { return Copy(*options, context).run(); }; });
}

} // namespace waybill::cli
