// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/algorithm_folder.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/algorithms/algorithm_file.hpp"
#include "services/algorithms/arguments.hpp"
#include "services/toml_text.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>
#include <utility>

namespace waybill::services {

namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds betweenLooks{1};
constexpr std::string_view suffix = ".toml";

/// What tells one version of a file from another, and when the file last changed by the machine's clock.
struct Stamp {
  std::string text;
  std::chrono::nanoseconds changed{0};
};

std::chrono::nanoseconds since1970(const timespec &time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// Of what a link leads to; nothing when it is no regular file.
std::optional<Stamp> stampOf(const fs::path &file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  const auto changed = since1970(status.st_ctim);
  std::string text;
  for (const auto part :
       {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino),
        static_cast<std::int64_t>(status.st_size), static_cast<std::int64_t>(since1970(status.st_mtim).count()),
        static_cast<std::int64_t>(changed.count())}) {
    text += std::to_string(part) + " ";
  }
  return Stamp{std::move(text), changed};
}

/// Kernels stamp files with a clock that goes in steps (10 ms at most): a second write within one step shows nowhere.
bool isSettled(const Stamp &stamp) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return since1970(now) - stamp.changed > std::chrono::milliseconds(50);
}

struct Tree {
  std::vector<std::string> files;              ///< *.toml, by path below the folder, in alphabetical order
  std::map<std::string, std::string> problems; ///< what could not be listed
};

void list(const fs::path &folder, const std::string &below, Tree &tree) {
  std::error_code error;
  fs::directory_iterator entry(folder / below, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto name = entry->path().filename().string();
    const auto path = below.empty() ? name : below + "/" + name;
    std::error_code gone; // what vanishes meanwhile is not there
    if (name.starts_with('.') || path == "programs") {
      continue;
    }
    const bool isNamedLikeAFile = name.ends_with(suffix);
    if (!isNamedLikeAFile && entry->symlink_status(gone).type() == fs::file_type::directory) {
      list(folder, path, tree);
    } else if (isNamedLikeAFile) {
      tree.files.push_back(path);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    const auto where = below.empty() ? folder : folder / below;
    tree.problems.emplace(below, where.string() + ": listing the folder's algorithms failed: " + error.message() +
                                     "; what it holds is left out");
  }
}

/// What is wrong with a name that is no regular file's; empty when it is gone.
std::string whatElse(const fs::path &file) {
  std::error_code gone;
  if (fs::symlink_status(file, gone).type() == fs::file_type::not_found) {
    return {};
  }
  if (fs::status(file, gone).type() == fs::file_type::not_found) {
    return file.string() + ":1: there is no file behind this name; mend or remove it";
  }
  try {
    requireRegularFile(file);
  } catch (const Fault &fault) {
    return fault.reason();
  }
  return {};
}

std::string idOf(const std::string &path) { return path.substr(0, path.size() - suffix.size()); }

} // namespace

AlgorithmFolder::AlgorithmFolder(fs::path folder, const Clock &clock, Report report, ProgramCheck check)
    : folder_(std::move(folder)), clock_(clock), report_(std::move(report)), check_(std::move(check)),
      state_(std::make_shared<State>()) {
  refresh();
}

std::shared_ptr<const Algorithm> AlgorithmFolder::find(std::string_view id) {
  const auto state = current();
  const auto found = state->byId->find(id);
  return found == state->byId->end() ? nullptr : found->second;
}

std::shared_ptr<const AlgorithmFolder::ById> AlgorithmFolder::all() { return current()->byId; }

std::vector<std::string> AlgorithmFolder::problems() {
  std::vector<std::string> all;
  const auto state = current();
  for (const auto &[path, problem] : state->problems) {
    all.push_back(problem);
  }
  return all;
}

std::shared_ptr<const AlgorithmFolder::State> AlgorithmFolder::current() {
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    // A clock that was set back must not stop the looking.
    const bool due = !lastLook_ || now < *lastLook_ || now - *lastLook_ >= betweenLooks;
    if (!due || looking_) {
      return state_;
    }
    looking_ = true;
  }
  look();
  const std::lock_guard lock(mutex_);
  return state_;
}

void AlgorithmFolder::refresh() {
  {
    std::unique_lock lock(mutex_);
    looked_.wait(lock, [&] { return !looking_; });
    looking_ = true;
  }
  look();
}

void AlgorithmFolder::look() {
  const auto ended = [this] {
    const std::lock_guard lock(mutex_);
    looking_ = false;
    lastLook_ = clock_.now();
    looked_.notify_all();
  };
  try {
    std::vector<std::string> changed;
    std::map<std::string, std::string> problems;
    auto files = read(changed, problems);
    publish(std::move(files), changed, std::move(problems));
  } catch (...) {
    ended();
    throw;
  }
  ended();
}

AlgorithmFolder::Files AlgorithmFolder::read(std::vector<std::string> &changed,
                                             std::map<std::string, std::string> &problems) const {
  Tree tree;
  list(folder_, "", tree);
  problems = std::move(tree.problems);
  Files files;
  for (const auto &name : tree.files) {
    const auto stamp = stampOf(folder_ / name);
    if (!stamp) {
      if (auto problem = whatElse(folder_ / name); !problem.empty()) {
        problems.emplace(name, std::move(problem));
      }
      continue;
    }
    const auto known = files_.find(name);
    const bool same = known != files_.end() && known->second.stamp == stamp->text;
    const bool settled = isSettled(*stamp);
    auto file = same && known->second.settled ? known->second : readFile(name, stamp->text, settled);
    if (!same || file.problem != known->second.problem) {
      changed.push_back(name);
    }
    files.emplace(name, std::move(file));
  }
  return files;
}

AlgorithmFolder::File AlgorithmFolder::readFile(const std::string &name, const std::string &stamp, bool settled) const {
  File file{stamp, settled, nullptr, ""};
  try {
    file.algorithm = std::make_shared<const Algorithm>(loadAlgorithm(folder_ / name, idOf(name)));
  } catch (const Fault &fault) {
    file.problem = fault.reason();
  }
  return file;
}

std::string AlgorithmFolder::problemWithPrograms(const std::string &name, const Algorithm &algorithm) const {
  for (const auto &program : check_ ? programs(algorithm) : std::vector<std::string>()) {
    if (const auto why = check_(program); !why.empty()) {
      return (folder_ / name).string() + ":" + std::to_string(algorithm.commandLine) + ": 'command' begins with '" +
             printable(program) + "', which cannot be run: " + why + "; install it, or correct the file";
    }
  }
  return {};
}

void AlgorithmFolder::publish(Files files, const std::vector<std::string> &changed,
                              std::map<std::string, std::string> problems) {
  auto byId = std::make_shared<ById>();
  std::map<std::string, std::string> owners;                      // by id: which file
  std::map<std::string, std::shared_ptr<const Algorithm>> usable; // by path below the folder
  for (const auto &[name, file] : files) {
    const auto problem = file.algorithm ? problemWithPrograms(name, *file.algorithm) : file.problem;
    if (problem.empty()) {
      usable.emplace(name, file.algorithm);
    } else {
      problems.emplace(name, problem);
    }
  }
  // The file that is named like the id comes first, so that no other can take its place.
  for (const bool namedSo : {true, false}) {
    for (const auto &[name, algorithm] : usable) {
      const auto &id = algorithm->description.id;
      if ((id == idOf(name)) != namedSo) {
        continue;
      }
      if (const auto [owner, isNew] = owners.emplace(id, name); isNew) {
        byId->emplace(id, algorithm);
      } else {
        problems.emplace(name, (folder_ / name).string() + ":1: the id '" + id + "' is taken by " +
                                   (folder_ / owner->second).string() + "; give one of them another 'id'");
      }
    }
  }
  auto state = std::make_shared<State>();
  state->byId = std::move(byId);
  state->problems = std::move(problems);
  std::shared_ptr<const State> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(state_, state);
  }
  files_ = std::move(files);
  for (const auto &[name, problem] : state->problems) {
    const auto known = before->problems.find(name);
    const bool isChanged = std::find(changed.begin(), changed.end(), name) != changed.end();
    if (report_ && (isChanged || known == before->problems.end() || known->second != problem)) {
      report_(problem);
    }
  }
}

} // namespace waybill::services
