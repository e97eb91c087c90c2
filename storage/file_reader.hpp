// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/content_store.hpp"
#include "storage/file_descriptor.hpp"

#include <string>

namespace waybill::storage {

/// Reads an open file, whatever happens to its name meanwhile.
class FileReader final : public ContentReader {
public:
  /// `path` is for the log. Throws Fault Internal when the file's size cannot be had.
  FileReader(FileDescriptor file, std::string path);

  /// Also throws Fault Internal when the file has become shorter than it was.
  std::size_t read(std::span<std::byte> into) override;
  /// What lies past the end of the content is left out.
  void select(std::uint64_t offset, std::uint64_t length) override;
  /// Of the whole content, or of the selected part.
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return selected_; }

private:
  FileDescriptor file_;
  std::string path_;
  std::uint64_t fileSize_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_;
  std::uint64_t selected_;
};

} // namespace waybill::storage
