// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/random.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace waybill::cli {

/// An open file descriptor, closed in the end.
class Descriptor {
public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor &&other) noexcept;
  Descriptor &operator=(Descriptor &&other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const noexcept { return number_; }
  /// Closes now; false when that fails.
  [[nodiscard]] bool close() noexcept;

private:
  int number_ = -1;
};

/// A regular file that is read to its end. Reads throw Fault when it changes its length meanwhile, and Interrupted.
class FileSource final : public Source {
public:
  /// Throws Fault Internal naming the file when it cannot be opened, or is not `size` bytes long.
  FileSource(std::string path, std::uint64_t size);
  std::size_t read(std::span<std::byte> into) override;
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return size_; }

private:
  std::string path_;
  std::uint64_t size_;
  std::uint64_t left_;
  Descriptor file_;
};

/// All of a file of at most `limit` bytes. Throws Fault naming it.
[[nodiscard]] std::string readWholeFile(const std::string &path, std::uint64_t limit);

/// Standard input, after the bytes of it that were read before.
class InputSource final : public Source {
public:
  explicit InputSource(Bytes before) : before_(std::move(before)) {}
  std::size_t read(std::span<std::byte> into) override;

private:
  Bytes before_;
  std::size_t given_ = 0;
};

/// Standard output.
class OutputSink final : public Sink {
public:
  void write(ByteView bytes) override;
};

/// Throws Fault when NewFile could not put a file there: AlreadyExists when `path` is there and `replace` is false,
/// BadParameter when it is neither a regular file nor a link.
void requireRoomFor(const std::string &path, bool replace);

/// A file that appears under its name whole or not at all: written beside it under another, synced, renamed. Destroyed
/// uncommitted, it leaves nothing.
class NewFile final : public Sink {
public:
  /// Throws Fault naming the file: what requireRoomFor() throws, and Internal when it cannot be written.
  NewFile(std::string path, bool replace, Random &random);
  NewFile(NewFile &&other) noexcept;
  NewFile &operator=(NewFile &&) = delete;
  ~NewFile() override;

  void write(ByteView bytes) override;
  /// Brings what was written to the disk.
  void sync();
  /// The same for all that was written to its file system, names too: one call for many small files.
  void syncFileSystem();
  /// Gives the descriptor back early, for one of many files that `witness` will sync. What it would not reach is synced
  /// now.
  void closeBeside(const NewFile &witness);
  /// Gives it its name. Throws as the constructor does. Call after a sync.
  void commit();
  /// Brings the name to the disk.
  void syncFolder() const;
  [[nodiscard]] const std::string &path() const noexcept { return path_; }

private:
  [[noreturn]] void fail(const std::string &what) const;
  std::string path_;
  std::string temporary_; ///< empty once there is none
  bool replace_;
  Descriptor file_;
};

} // namespace waybill::cli
