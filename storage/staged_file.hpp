// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/content_store.hpp"
#include "storage/digested_file.hpp"
#include "storage/store_folder.hpp"

#include <optional>
#include <string>

namespace waybill::storage {

/// Content in staging/<id>, until a Publication moves it. It is written and digested beside whatever brings the bytes;
/// what fails there is thrown by a later write(), or when the digests are asked for.
class StagedFile final : public StagedContent {
public:
  /// Creates the file. `folder` must outlive this.
  StagedFile(StoreFolder &folder, std::string id);
  ~StagedFile() override;
  StagedFile(const StagedFile &) = delete;
  StagedFile &operator=(const StagedFile &) = delete;

  /// Throws Fault NoSpace (the file is gone by then, so that its room is free again), or Internal.
  void write(ByteView bytes) override;
  void writeAt(std::uint64_t offset, ByteView bytes) override;
  [[nodiscard]] const std::string &id() const noexcept override { return id_; }
  [[nodiscard]] std::uint64_t size() const noexcept override { return taken_; }
  [[nodiscard]] std::string sha256Hex() override;
  [[nodiscard]] std::string adler32Hex() override;

  [[nodiscard]] const StoreFolder &folder() const noexcept { return folder_; }
  /// False once the file was closed to spare its descriptor: such a file needs StoreFolder::syncAll.
  [[nodiscard]] bool isOpen() const noexcept { return file_.isOpen(); }
  /// True while staging/<id> is this object's to remove.
  [[nodiscard]] bool isStaged() const noexcept { return staged_; }
  void sync() { folder_.sync(file_.get(), stagingPath(id_)); }
  /// The file is no longer in staging: published, or gone.
  void leaveStaging() noexcept;

private:
  void take(std::uint64_t offset, ByteView bytes);
  DigestedFile &writing();
  void startWriteBack(std::uint64_t upTo);
  void seal();
  void discard() noexcept;
  void closeFile() noexcept;

  StoreFolder &folder_;
  std::string id_;
  FileDescriptor file_;
  std::uint64_t taken_ = 0;
  bool staged_ = true;
  bool countedOpen_ = false;
  std::optional<DigestedFile::Digests> digests_; ///< set when sealed
  std::uint64_t writeBackFrom_ = 0;              ///< of the thread that writes
  std::optional<DigestedFile> writing_;          ///< until sealed or discarded; the last: it ends before what it uses
};

} // namespace waybill::storage
