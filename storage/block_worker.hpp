// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace waybill::storage {

/// Works on a stream's bytes beside their owner, who goes on to the next ones meanwhile: past a few MiB in a thread of
/// its own, before that (and where the system has no thread to give) at once. What comes in small pieces is gathered,
/// so that the thread is woken for whole blocks; at most half a MiB is under way, then the owner waits. Used by one
/// thread at a time.
class BlockWorker {
public:
  /// `bytes` belong at `offset` of the stream. Never called by two threads at once.
  using Work = std::function<void(std::uint64_t offset, ByteView bytes)>;

  explicit BlockWorker(Work work);
  /// What has not been begun by then is not done.
  ~BlockWorker();
  BlockWorker(const BlockWorker &) = delete;
  BlockWorker &operator=(const BlockWorker &) = delete;

  /// Has the bytes worked on, after what came before; copies them if need be. Throws what the work threw, maybe for
  /// earlier bytes: nothing more is worked on after that.
  void add(std::uint64_t offset, ByteView bytes);
  /// Waits until all is done; what the work used is the owner's again. Nothing is added after that. Throws as add()
  /// does.
  void finish();

private:
  class Thread;
  Work work_;
  std::uint64_t added_ = 0;
  bool threadless_ = false; ///< the system had none to give
  std::unique_ptr<Thread> thread_;
};

} // namespace waybill::storage
