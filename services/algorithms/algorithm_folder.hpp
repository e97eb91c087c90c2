// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "services/algorithms/algorithm.hpp"

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// The algorithms that the files of a folder publish, as the files are now: it is looked at again when it is used, once
/// a second at most. While one thread looks, the others go on with what was there. A file that cannot be used, or whose
/// program cannot be run, is left out and reported; it is back once that is mended. Files are *.toml, in any folder
/// below, but for what is hidden and the folder "programs" at the top; links to files are followed, links to folders
/// are not. The folder need not be there. Thread-safe.
class AlgorithmFolder {
public:
  using ById = std::map<std::string, std::shared_ptr<const Algorithm>, std::less<>>;
  /// Gets "<file>:<line>: ...", once for each change of the file; called by the thread that looks.
  using Report = std::function<void(const std::string &problem)>;

  /// Gets a program that an algorithm may run, and says why it cannot be run now; empty when it can.
  using ProgramCheck = std::function<std::string(const std::string &program)>;

  /// Looks at once. `clock` must outlive this. Without `check` any program is taken for one that can be run.
  AlgorithmFolder(std::filesystem::path folder, const Clock &clock, Report report, ProgramCheck check = {});

  /// Null when nothing of that id is published.
  [[nodiscard]] std::shared_ptr<const Algorithm> find(std::string_view id);
  [[nodiscard]] std::shared_ptr<const ById> all();
  /// What is wrong with the files that are left out now, in their order.
  [[nodiscard]] std::vector<std::string> problems();

  /// Looks now, whenever the last time was.
  void refresh();

private:
  /// A file as it was when it was last read.
  struct File {
    std::string stamp;                          ///< differs when the file has changed
    bool settled = false;                       ///< false: it may have changed since without another stamp
    std::shared_ptr<const Algorithm> algorithm; ///< or
    std::string problem;
  };
  using Files = std::map<std::string, File>; ///< by path below the folder

  /// One state of the folder; never changed once it is there.
  struct State {
    std::shared_ptr<const ById> byId = std::make_shared<ById>();
    std::map<std::string, std::string> problems; ///< by path below the folder
  };

  [[nodiscard]] std::shared_ptr<const State> current();
  void look();
  /// The files that are there, read where they are new or have changed; the names of those go into `changed`. What
  /// cannot be looked at goes into `problems`.
  [[nodiscard]] Files read(std::vector<std::string> &changed, std::map<std::string, std::string> &problems) const;
  [[nodiscard]] File readFile(const std::string &name, const std::string &stamp, bool settled) const;
  [[nodiscard]] std::string problemWithPrograms(const std::string &name, const Algorithm &algorithm) const;
  void publish(Files files, const std::vector<std::string> &changed, std::map<std::string, std::string> problems);

  const std::filesystem::path folder_;
  const Clock &clock_;
  const Report report_;
  const ProgramCheck check_;
  Files files_; ///< only for the thread that looks

  std::mutex mutex_;
  std::condition_variable looked_;
  bool looking_ = false;               ///< guarded by mutex_
  std::optional<Time> lastLook_;       ///< guarded by mutex_
  std::shared_ptr<const State> state_; ///< guarded by mutex_
};

} // namespace waybill::services
