// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/remote_name.hpp"
#include "cli/remote_transfers.hpp"
#include "cli/signals.hpp"
#include "cli/transfer_table.hpp"
#include "cli/usage.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace waybill::cli {

namespace {

constexpr std::chrono::milliseconds lookAgain{1000};

struct TransfersOptions {
  std::vector<std::string> words; ///< an instance, or what to do and ids
  std::string at;
  std::vector<std::string> states;
  bool watch = false;
};

/// An alias, with or without ":" or ":/", or a URL.
std::string instanceOf(const std::string &text) {
  if (text.ends_with(':')) {
    return text.substr(0, text.size() - 1);
  }
  return looksRemote(text) ? parseRemoteName(text).instance : text;
}

/// An instance that is asked.
struct Place {
  std::string name;
  services::RemoteInstance remote;
};

/// The one that was named; else all that are known.
std::vector<Place> places(const std::string &named, Context &context) {
  std::vector<Place> all;
  if (!named.empty()) {
    const auto name = instanceOf(named);
    all.push_back({name, context.remote(name)});
    return all;
  }
  for (const auto &known : context.instances()) {
    all.push_back({known.alias.value_or(*known.url), context.remote(known.instance)});
  }
  if (all.empty()) {
    throw Fault(FaultCode::BadParameter, "no instance is known yet; make one known with: waybill trust "
                                         "https://HOST:PORT --as NAME");
  }
  return all;
}

/// One instance that cannot be asked does not keep the others from it.
void failedAt(const Place &place, const Fault &fault) { printError("transfers at '" + place.name + "'", fault); }

std::vector<std::optional<TransferState>> statesOf(const TransfersOptions &options) {
  std::vector<std::optional<TransferState>> states;
  std::transform(options.states.begin(), options.states.end(), std::back_inserter(states),
                 [](const std::string &text) { return transferStateNamed(text); });
  if (states.empty()) {
    states.emplace_back(std::nullopt);
  }
  return states;
}

std::vector<Transfer> transfersAt(services::RemoteInstance &remote, const TransfersOptions &options) {
  std::vector<Transfer> all;
  for (const auto &state : statesOf(options)) {
    listTransfers(remote, state, [&](const Transfer &transfer) { all.push_back(transfer); });
  }
  return all;
}

int list(const TransfersOptions &options, Context &context) {
  auto asked = places(options.words.empty() ? options.at : options.words.front(), context);
  JsonList json;
  bool failed = false;
  bool any = false;
  for (auto &place : asked) {
    try {
      const auto transfers = transfersAt(place.remote, options);
      for (const auto &transfer : context.globals().json ? transfers : std::vector<Transfer>()) {
        json.add(toJson(transfer));
      }
      if (!context.globals().json && !transfers.empty()) {
        printText((any ? "\n" : "") + (asked.size() > 1 ? forTerminal(place.name) + ":\n" : std::string()) +
                  transferTable(transfers, context.clock().now()));
        any = true;
      }
    } catch (const Fault &fault) {
      failedAt(place, fault);
      failed = true;
    }
  }
  if (context.globals().json) {
    json.end();
  } else if (!any && !failed && !context.globals().quiet) {
    note("there are no transfers");
  }
  return failed ? 1 : 0;
}

/// Follows what is under way until all has ended: a table that is drawn anew on a terminal, and a line for each change
/// elsewhere.
class Watch {
public:
  Watch(const TransfersOptions &options, Context &context)
      : context_(context), places_(places(options.words.empty() ? options.at : options.words.front(), context)),
        redraws_(isatty(STDOUT_FILENO) == 1 && !context.globals().json) {}

  int run() {
    while (look()) {
      flushOutput();
      sleepUnlessInterrupted(lookAgain);
    }
    if (seen_.empty() && !context_.globals().json && !context_.globals().quiet) {
      note("no transfer is under way");
    }
    return failed_ ? 1 : 0;
  }

private:
  using Key = std::pair<std::size_t, std::string>; ///< place and id

  /// True while any is under way.
  bool look() {
    std::map<Key, Transfer> found;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      listUnderWay(places_[i].remote, [&](const Transfer &transfer) {
        found.insert_or_assign({i, transfer.messageId}, transfer);
      });
    }
    const auto any = !found.empty();
    for (const auto &[key, last] : seen_) {
      if (!isFinal(last.state) && !found.contains(key)) {
        found.emplace(key, transferOf(places_[key.first].remote, key.second));
      }
    }
    for (auto &[key, transfer] : found) {
      take(key, std::move(transfer));
    }
    if (redraws_) {
      draw();
    }
    return any;
  }

  void take(const Key &key, Transfer transfer) {
    const auto before = seen_.find(key);
    const auto changed = before == seen_.end() || before->second.state != transfer.state ||
                         (context_.globals().json && before->second.bytesDone != transfer.bytesDone);
    if (changed && !redraws_) {
      if (context_.globals().json) {
        printJson(toJson(transfer));
      } else {
        printText(transferLine(transfer));
      }
    }
    failed_ = failed_ || transfer.state == TransferState::Failed;
    seen_.insert_or_assign(key, std::move(transfer));
  }

  /// One row of the terminal a line, or the next drawing would not know how far to go up.
  static std::string narrowed(std::string_view table) {
    const auto width = terminalWidth(STDOUT_FILENO) - 1;
    std::string text;
    while (!table.empty()) {
      const auto end = table.find('\n');
      text += std::string(table.substr(0, std::min(end, width))) + "\n";
      table.remove_prefix(end + 1);
    }
    return text;
  }

  void draw() {
    std::vector<Transfer> all;
    std::transform(seen_.begin(), seen_.end(), std::back_inserter(all), [](const auto &entry) { return entry.second; });
    if (all.empty()) {
      return;
    }
    const auto table = narrowed(transferTable(all, context_.clock().now()));
    const auto up = lines_ == 0 ? std::string() : "\033[" + std::to_string(lines_) + "A\033[J";
    lines_ = static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n'));
    printText(up + table);
  }

  Context &context_;
  std::vector<Place> places_;
  bool redraws_;
  std::map<Key, Transfer> seen_;
  std::size_t lines_ = 0;
  bool failed_ = false;
};

/// Asks each place for that transfer with `ask`, until one has it. Throws Fault NoSuchTransfer, or what else went wrong
/// first.
template <class Ask> Transfer atAny(std::vector<Place> &asked, const Ask &ask) {
  std::optional<Fault> first;
  for (auto &place : asked) {
    try {
      return ask(place.remote);
    } catch (const Fault &fault) {
      if (!first || first->code() == FaultCode::NoSuchTransfer) {
        first = fault;
      }
    }
  }
  throw first.value();
}

int onEach(const TransfersOptions &options, Context &context,
           const std::function<Transfer(services::RemoteInstance &, const std::string &)> &ask,
           const std::function<std::string(const Transfer &)> &text) {
  auto asked = places(options.at, context);
  JsonList json;
  bool failed = false;
  for (std::size_t i = 1; i < options.words.size(); ++i) {
    const auto id = fullId(options.words[i]);
    try {
      const auto transfer = atAny(asked, [&](services::RemoteInstance &remote) { return ask(remote, id); });
      if (context.globals().json) {
        json.add(toJson(transfer));
      } else {
        printText(text(transfer));
      }
    } catch (const Fault &fault) {
      printError("transfer " + shortId(id), fault);
      failed = true;
    }
  }
  if (context.globals().json) {
    json.end();
  }
  return failed ? 1 : 0;
}

Transfer cancel(services::RemoteInstance &remote, const std::string &id) {
  return remote.call(CancelTransferRequest{id}).message.transfer;
}

int runTransfers(const TransfersOptions &options, Context &context) {
  const auto verb = options.words.empty() ? std::string() : options.words.front();
  if (verb == "show" || verb == "cancel") {
    if (options.words.size() < 2) {
      throw WrongUsage("'transfers " + verb + "' needs the ID of a transfer, as 'waybill transfers' lists it");
    }
    if (options.watch || !options.states.empty()) {
      throw WrongUsage("--watch and --state belong to the list of transfers, not to '" + verb + "'");
    }
    return verb == "show" ? onEach(options, context, transferOf, transferBlock)
                          : onEach(options, context, cancel, transferLine);
  }
  if (options.words.size() > 1) {
    throw WrongUsage("the list is of one INSTANCE, or of all when none is given; to see or stop a transfer: waybill "
                     "transfers show ID, waybill transfers cancel ID");
  }
  if (options.watch && !options.states.empty()) {
    throw WrongUsage("--watch follows what is under way, so it takes no --state");
  }
  return options.watch ? Watch(options, context).run() : list(options, context);
}

} // namespace

void addTransfers(CLI::App &app, Work &work) {
  auto options = std::make_shared<TransfersOptions>();
  auto *command = app.add_subcommand("transfers", "list, watch, show and cancel what instances send to one another");
  command
      ->add_option("WHAT", options->words,
                   "whose transfers to list (ALIAS or URL; those of all known instances when left out), or show or "
                   "cancel and the IDs of transfers")
      ->option_text("INSTANCE|show ID|cancel ID")
      ->expected(0, -1);
  command->add_option("--at", options->at, "the instance that has the transfers to show or cancel; else all are asked")
      ->option_text("INSTANCE");
  command->add_option("--state", options->states, "only those in this state; may be given again")
      ->transform(
          CLI::IsMember({"Queued", "Active", "Succeeded", "Failed", "Cancelled"}, CLI::ignore_case).description(""))
      ->option_text("queued|active|succeeded|failed|cancelled")
      ->expected(1)
      ->take_all();
  command->add_flag("--watch", options->watch, "follow those under way until all have ended");
  command->footer(
      "A transfer is what an instance was asked to send to another; its ID is that of the request that asked for it. "
      "It is tried again until it arrives or its time is over\n"
      "(transfers.deadline there), and can be asked about for a week after its end. --watch with --json prints an "
      "object a line for each change, and with a pipe a line.\n\n"
      "Example:\n  waybill transfers lab --state failed\n  waybill transfers lab --watch\n  waybill transfers cancel "
      "0b7c6a1e-6d3f-4c1f-9a53-1d2a0a2f7c11");
  command->callback(
      [options, &work] { work = [options](Context &context) { return runTransfers(*options, context); }; });
}

} // namespace waybill::cli
