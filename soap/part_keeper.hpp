// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/budget.hpp"
#include "domain/bytes.hpp"
#include "soap/attachments.hpp"
#include "soap/limits.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace waybill::soap {

/// The bytes of one part that had to be kept: in memory when few, else a stretch of a spool file.
class KeptBytes {
public:
  KeptBytes() = default;
  explicit KeptBytes(std::string bytes) : memory_(std::move(bytes)) {}
  KeptBytes(SpoolFile &file, std::uint64_t offset, std::uint64_t size) : file_(&file), offset_(offset), size_(size) {}

  /// From the start, as often as wanted. The source must not outlive this nor the keeper.
  [[nodiscard]] std::unique_ptr<Source> open() const;
  [[nodiscard]] std::uint64_t size() const noexcept { return file_ == nullptr ? memory_.size() : size_; }

private:
  std::string memory_;
  SpoolFile *file_ = nullptr;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
};

/// Keeps what comes earlier than it is needed, in bounded memory and within limits.early_bytes; until the token is open
/// within limits.unopened_bytes, and within limits.unopened together with other messages. Private to soap/. One
/// thread at a time.
class PartKeeper {
public:
  PartKeeper(const Limits &limits, Spool spool)
      : limit_(limits.earlyBytes), unopenedLimit_(limits.unopenedBytes), unopened_(limits.unopened),
        spool_(std::move(spool)) {}

  /// The message's sender is known: an operation asks for content.
  void tokenIsOpen() noexcept {
    tokenIsOpen_ = true;
    unopened_.giveBack();
  }

  /// Reads `part` to its end. Throws Fault TooLarge once all that was kept passes a limit, Busy when other messages
  /// have taken what there is for those without a token, and what the spool throws.
  [[nodiscard]] KeptBytes keep(Source &part);

  /// Parts up to this size stay in memory, as long as all of them together take no more than memoryBytes.
  static constexpr std::size_t smallPart = 64ULL << 10U;
  static constexpr std::size_t memoryBytes = 4ULL << 20U;
  /// A spool file is followed by another once it has this size. Few files, because descriptors are few; not one,
  /// because a file that cannot seek is read from its start.
  static constexpr std::uint64_t spoolFileBytes = 16ULL << 20U;

private:
  struct File {
    std::unique_ptr<SpoolFile> file;
    std::uint64_t size = 0;
  };

  void count(std::size_t bytes);
  File &currentFile();
  KeptBytes spool(ByteView beginning, Source &rest);

  std::uint64_t limit_;
  std::uint64_t unopenedLimit_;
  Budget::Share unopened_;
  bool tokenIsOpen_ = false;
  Spool spool_;
  std::uint64_t kept_ = 0;
  std::size_t inMemory_ = 0;
  std::vector<File> files_;
};

} // namespace waybill::soap
