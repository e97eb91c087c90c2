// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>

namespace waybill::cli {

/// A folder into which files go whose names came from another machine. Nothing is written outside of it.
class LocalFolder {
public:
  explicit LocalFolder(std::string root);
  /// Makes the folders for `relative` ("a/b/c.txt") and returns the file's whole name. Throws Fault naming it: for ".",
  /// "..", empty parts, and for a link or a file where a folder should be.
  [[nodiscard]] std::string prepare(const std::string &relative);

private:
  void makeFolder(const std::string &path, bool below);
  std::string root_;
  std::set<std::string> known_;
};

} // namespace waybill::cli
