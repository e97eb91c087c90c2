// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "storage/block_worker.hpp"
#include "storage/digests.hpp"

#include <functional>
#include <map>
#include <string>

namespace waybill::storage {

/// Writes a file at offsets, in any order, and digests it in order, both beside whatever brings the bytes. Used by one
/// thread at a time.
class DigestedFile {
public:
  struct Digests {
    std::string sha256; ///< lower-case hex
    std::string adler32;
  };
  struct Words {
    std::string attempted; ///< what a failure says was going on: "storing data"
    std::string path;      ///< for the log alone
    std::string concerned; ///< what the Fault is about
  };
  /// Called after each write, maybe in another thread, with the number of bytes from the start that are digested.
  using Progressed = std::function<void(std::uint64_t digested)>;

  /// `file` is open for reading and writing, and outlives this.
  DigestedFile(int file, Words words, Progressed progressed = {});
  DigestedFile(const DigestedFile &) = delete;
  DigestedFile &operator=(const DigestedFile &) = delete;
  ~DigestedFile() = default;

  /// Throws systemFault, what `progressed` throws, or Fault Internal for bytes that came before; maybe for those of an
  /// earlier call.
  void add(std::uint64_t offset, ByteView bytes);
  /// Waits until all is written. Call once, nothing is added after that. Throws as add() does, and Fault Internal when
  /// there is a gap.
  [[nodiscard]] Digests finish();

private:
  void keep(std::uint64_t offset, ByteView bytes);
  void digestWhatFollows();
  [[nodiscard]] Fault broken(const std::string &found) const;

  int file_;
  Words words_;
  Progressed progressed_;
  Digester digester_;
  std::map<std::uint64_t, std::uint64_t> ahead_; ///< begin and end of what is written past what is digested
  BlockWorker worker_;                           ///< the last: it ends before what it uses
};

} // namespace waybill::storage
