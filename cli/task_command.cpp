// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/task_command.hpp"

#include "cli/choice.hpp"
#include "cli/output.hpp"
#include "cli/places.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/usage.hpp"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace waybill::cli {

namespace {

constexpr std::chrono::milliseconds lookAgain{1000};

std::vector<std::optional<TransferState>> statesOf(const TaskOptions &options) {
  std::vector<std::optional<TransferState>> states;
  std::transform(options.states.begin(), options.states.end(), std::back_inserter(states),
                 [](const std::string &text) { return transferStateNamed(text); });
  if (states.empty()) {
    states.emplace_back(std::nullopt);
  }
  return states;
}

std::vector<Place> placesToList(const TaskOptions &options, Context &context) {
  return places(options.words.empty() ? options.at : options.words.front(), context);
}

int list(const TaskKind &kind, const TaskOptions &options, Context &context) {
  auto asked = placesToList(options, context);
  JsonList json;
  bool failed = false;
  bool any = false;
  for (auto &place : asked) {
    try {
      std::vector<Task> tasks;
      for (const auto &state : statesOf(options)) {
        kind.list(place.remote, state, [&](const Task &task) { tasks.push_back(task); });
      }
      for (const auto &task : context.globals().json ? tasks : std::vector<Task>()) {
        json.add(task.json);
      }
      if (!context.globals().json && !tasks.empty()) {
        printText((any ? "\n" : "") + (asked.size() > 1 ? forTerminal(place.name) + ":\n" : std::string()) +
                  taskTable(kind, tasks, context.clock().now()));
        any = true;
      }
    } catch (const Fault &fault) {
      // One instance that cannot be asked does not keep the others from it.
      printError(std::string(kind.command) + " at '" + place.name + "'", fault);
      failed = true;
    }
  }
  if (context.globals().json) {
    json.end();
  } else if (!any && !failed && !context.globals().quiet) {
    note(std::string("there are no ") + kind.command);
  }
  return failed ? 1 : 0;
}

/// Follows what is under way until all has ended: a table that is drawn anew on a terminal, and a line for each change
/// elsewhere.
class Watch {
public:
  Watch(const TaskKind &kind, const TaskOptions &options, Context &context)
      : kind_(kind), context_(context), places_(placesToList(options, context)),
        redraws_(isatty(STDOUT_FILENO) == 1 && !context.globals().json) {}

  int run() {
    while (look()) {
      flushOutput();
      sleepUnlessInterrupted(lookAgain);
    }
    if (seen_.empty() && !context_.globals().json && !context_.globals().quiet) {
      note(std::string("no ") + kind_.noun + " is under way");
    }
    return failed_ ? 1 : 0;
  }

private:
  using Key = std::pair<std::size_t, std::string>; ///< place and id

  /// True while any is under way.
  bool look() {
    std::map<Key, Task> found;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      for (const auto state : {TransferState::Active, TransferState::Queued}) {
        kind_.list(places_[i].remote, state, [&](const Task &task) { found.insert_or_assign({i, task.id}, task); });
      }
    }
    const auto any = !found.empty();
    for (const auto &[key, last] : seen_) {
      if (!isFinal(last.state) && !found.contains(key)) {
        found.emplace(key, kind_.show(places_[key.first].remote, key.second));
      }
    }
    for (auto &[key, task] : found) {
      take(key, std::move(task));
    }
    if (redraws_) {
      draw();
    }
    return any;
  }

  void take(const Key &key, Task task) {
    const auto before = seen_.find(key);
    const auto json = context_.globals().json;
    const auto changed =
        before == seen_.end() || before->second.step != task.step || (json && before->second.json != task.json);
    if (changed && json) {
      printJson(task.json);
    } else if (changed && !redraws_) {
      printText(taskLine(task));
    }
    failed_ = failed_ || task.state == TransferState::Failed;
    seen_.insert_or_assign(key, std::move(task));
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
    std::vector<Task> all;
    std::transform(seen_.begin(), seen_.end(), std::back_inserter(all), [](const auto &entry) { return entry.second; });
    if (all.empty()) {
      return;
    }
    const auto table = narrowed(taskTable(kind_, all, context_.clock().now()));
    const auto up = lines_ == 0 ? std::string() : "\033[" + std::to_string(lines_) + "A\033[J";
    lines_ = static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n'));
    printText(up + table);
  }

  const TaskKind &kind_;
  Context &context_;
  std::vector<Place> places_;
  bool redraws_;
  std::map<Key, Task> seen_;
  std::size_t lines_ = 0;
  bool failed_ = false;
};

using Ask = std::function<Task(services::RemoteInstance &, const std::string &)>;

/// Asks each place for that task, until one has it. Throws Fault NoSuchTransfer, or what else went wrong first.
Task atAny(std::vector<Place> &asked, const std::string &id, const Ask &ask) {
  std::optional<Fault> first;
  for (auto &place : asked) {
    try {
      return ask(place.remote, id);
    } catch (const Fault &fault) {
      if (!first || first->code() == FaultCode::NoSuchTransfer) {
        first = fault;
      }
    }
  }
  throw Fault(first.value());
}

/// Does `ask` for each id after the verb, and the instance, if one is named there.
int onEach(const TaskKind &kind, const TaskOptions &options, Context &context, const Ask &ask,
           std::string (&text)(const Task &)) {
  auto ids = std::vector<std::string>(options.words.begin() + 1, options.words.end());
  auto at = options.at;
  if (at.empty() && ids.size() > 1 && namesInstance(ids.front(), context)) {
    at = ids.front();
    ids.erase(ids.begin());
  }
  auto asked = places(at, context);
  JsonList json;
  bool failed = false;
  for (const auto &word : ids) {
    const auto id = fullId(word);
    try {
      const auto task = atAny(asked, id, ask);
      if (context.globals().json) {
        json.add(task.json);
      } else {
        printText(text(task));
      }
    } catch (const Fault &fault) {
      printError(std::string(kind.noun) + " " + shortId(id), fault);
      failed = true;
    }
  }
  if (context.globals().json) {
    json.end();
  }
  return failed ? 1 : 0;
}

} // namespace

void addTaskOptions(CLI::App &command, const TaskKind &kind, TaskOptions &options) {
  const auto many = std::string(kind.command);
  command
      .add_option("WHAT", options.words,
                  "whose " + many + " to list (ALIAS or URL; those of all known instances when left out); or show or " +
                      "cancel, and the IDs of " + many + ", with an INSTANCE before them or not")
      ->option_text("INSTANCE|show ID|cancel ID")
      ->expected(0, -1);
  command
      .add_option("--at", options.at,
                  "the instance that has the " + many + " to show or cancel; else, without INSTANCE, all are asked")
      ->option_text("INSTANCE");
  command.add_option("--state", options.states, "only those in this state; may be given again")
      ->transform(choice({"Queued", "Active", "Succeeded", "Failed", "Cancelled"}))
      ->option_text("queued|active|succeeded|failed|cancelled")
      ->expected(1)
      ->take_all();
  command.add_flag("--watch", options.watch, "follow those under way until all have ended");
}

int runTasks(const TaskKind &kind, const TaskOptions &options, Context &context) {
  const auto command = std::string(kind.command);
  const auto verb = options.words.empty() ? std::string() : options.words.front();
  if (verb == "show" || verb == "cancel") {
    if (options.words.size() < 2) {
      throw WrongUsage("'" + command + " " + verb + "' needs the ID of a " + kind.noun + ", as 'waybill " + command +
                       "' lists it");
    }
    if (options.watch || !options.states.empty()) {
      throw WrongUsage("--watch and --state belong to the list of " + command + ", not to '" + verb + "'");
    }
    return verb == "show" ? onEach(kind, options, context, kind.show, taskBlock)
                          : onEach(kind, options, context, kind.cancel, taskLine);
  }
  if (options.words.size() > 1) {
    throw WrongUsage("the list is of one INSTANCE, or of all when none is given; to see or stop a " +
                     std::string(kind.noun) + ": waybill " + command + " show ID, waybill " + command + " cancel ID");
  }
  if (options.watch && !options.states.empty()) {
    throw WrongUsage("--watch follows what is under way, so it takes no --state");
  }
  return options.watch ? Watch(kind, options, context).run() : list(kind, options, context);
}

} // namespace waybill::cli
