// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/progress.hpp"
#include "domain/bytes.hpp"
#include "domain/data.hpp"
#include "soap/outgoing_message.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace waybill::cli {

/// Bytes of this side on their way to an instance: a file, or standard input. They are hashed on their way. Copies
/// share what is known of them.
class OutgoingFile {
public:
  /// Up to this size a file is read whole, and can travel with others.
  static constexpr std::uint64_t small = 256 * 1024;

  /// A file of `size` bytes. Throws Fault naming it, for a small one when it cannot be read.
  OutgoingFile(std::string path, std::uint64_t size);
  /// Standard input. Waits for its first bytes, because an instance gives up a connection that says nothing for long.
  [[nodiscard]] static OutgoingFile input();

  [[nodiscard]] const std::string &name() const noexcept { return name_; }
  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept { return size_; }
  /// False for what can be read once only.
  [[nodiscard]] bool isRepeatable() const noexcept { return first_ == nullptr; }

  /// What can be declared of the bytes before they go: size, and of small files the digest.
  void declareIn(Data &data) const;
  /// A part of a message. This and `progress` must outlive it.
  [[nodiscard]] soap::OutgoingPart part(std::string contentId, const Data &data, Progress &progress) const;

  struct Sum {
    std::string sha256;
    std::uint64_t size = 0;
  };
  /// Of all the bytes; reads them anew when none of the parts was read to its end.
  [[nodiscard]] Sum sum(Progress &progress) const;

private:
  struct Read;
  class Counting;
  OutgoingFile();
  [[nodiscard]] std::unique_ptr<Source> open(Progress &progress) const;

  std::string name_;
  std::optional<std::uint64_t> size_;
  std::shared_ptr<const std::string> bytes_; ///< of a small file
  std::shared_ptr<const Bytes> first_;       ///< of standard input, read already
  std::shared_ptr<Read> read_;
};

} // namespace waybill::cli
