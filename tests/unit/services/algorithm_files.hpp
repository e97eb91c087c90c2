// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace waybill::test {

/// A folder of algorithm files that is gone at the end.
class AlgorithmFiles {
public:
  AlgorithmFiles() {
    std::string name = std::filesystem::temp_directory_path() / "waybill-algorithms-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder at " + name);
    }
    folder_ = name;
  }
  ~AlgorithmFiles() { std::filesystem::remove_all(folder_); }
  AlgorithmFiles(const AlgorithmFiles &) = delete;
  AlgorithmFiles &operator=(const AlgorithmFiles &) = delete;

  [[nodiscard]] const std::filesystem::path &folder() const noexcept { return folder_; }
  [[nodiscard]] std::filesystem::path path(const std::string &name) const { return folder_ / name; }

  /// Writes it in place, as an editor does.
  std::string write(const std::string &name, const std::string &text) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name)) << text;
    return path(name);
  }

private:
  std::filesystem::path folder_;
};

} // namespace waybill::test
