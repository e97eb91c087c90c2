// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/local_tree.hpp"

#include "cli/signals.hpp"
#include "domain/data_path.hpp"
#include "domain/fault.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace waybill::cli {

namespace fs = std::filesystem;

namespace {

[[nodiscard]] Fault unreadable(const std::string &path, const std::error_code &error) {
  return {FaultCode::Internal, "cannot read '" + path + "': " + error.message()};
}

/// The last part of a path as the user means it: "b" of "a/b/"; nothing of ".", ".." and "/".
std::string nameOf(const std::string &source) {
  auto path = fs::path(source).lexically_normal();
  if (!path.has_filename()) {
    path = path.parent_path();
  }
  const auto name = path.filename().string();
  return name == "." || name == ".." || name == "/" ? std::string() : name;
}

std::string joined(const std::string &folder, const std::string &name) {
  if (name.empty()) {
    return folder;
  }
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

class Walk {
public:
  explicit Walk(const TreeEvents &events) : events_(events) {}

  void file(const std::string &local, const std::string &remote) {
    throwIfInterrupted();
    try {
      std::error_code failed;
      const auto size = fs::file_size(local, failed);
      if (failed) {
        throw unreadable(local, failed);
      }
      files_.push_back({local, DataPath::parse(remote).text(), size});
    } catch (const Fault &fault) {
      events_.failed(fault.subject().empty()
                         ? fault
                         : Fault(fault.code(), "cannot send '" + local + "': " + fault.reason(), fault.subject()));
    }
  }

  void folder(const std::string &local, const std::string &remote) {
    std::error_code failed;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator it(local, failed), end; !failed && it != end; it.increment(failed)) {
      entries.push_back(*it);
    }
    if (failed) {
      events_.failed(unreadable(local, failed));
    } else if (entries.empty()) {
      events_.note("'" + local + "' is left out: it is empty, and an instance keeps files, not folders");
    }
    std::sort(entries.begin(), entries.end());
    for (const auto &entry : entries) {
      visit(entry, joined(remote, entry.path().filename().string()));
    }
  }

  [[nodiscard]] std::vector<LocalFile> take() { return std::move(files_); }

private:
  void visit(const fs::directory_entry &entry, const std::string &remote) {
    const auto local = entry.path().string();
    std::error_code failed;
    const auto target = entry.status(failed);
    if (failed || target.type() == fs::file_type::not_found) {
      events_.failed(unreadable(local, failed ? failed : std::make_error_code(std::errc::no_such_file_or_directory)));
    } else if (fs::is_regular_file(target)) {
      file(local, remote);
    } else if (!fs::is_directory(target)) {
      events_.note("'" + local + "' is left out: it is no file or folder");
    } else if (entry.is_symlink(failed)) {
      events_.note("'" + local + "' is left out: it is a link to a folder");
    } else {
      folder(local, remote);
    }
  }

  const TreeEvents &events_;
  std::vector<LocalFile> files_;
};

} // namespace

std::vector<LocalFile> walk(const std::string &source, const std::string &target, const TreeEvents &events) {
  Walk walk(events);
  std::error_code failed;
  const auto status = fs::status(source, failed);
  if (failed || status.type() == fs::file_type::not_found) {
    events.failed(unreadable(source, failed ? failed : std::make_error_code(std::errc::no_such_file_or_directory)));
  } else if (fs::is_directory(status)) {
    walk.folder(source, target.ends_with('/') ? joined(target, nameOf(source)) : target);
  } else if (fs::is_regular_file(status)) {
    walk.file(source, target.ends_with('/') ? joined(target, nameOf(source)) : target);
  } else {
    events.failed(
        Fault(FaultCode::Internal, "cannot send '" + source + "': it is no file or folder; to send a pipe use -"));
  }
  return walk.take();
}

} // namespace waybill::cli
