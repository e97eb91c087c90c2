// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/digested_file.hpp"

#include "storage/file_errors.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace waybill::storage {

DigestedFile::DigestedFile(int file, Words words, Progressed progressed)
    : file_(file), words_(std::move(words)), progressed_(std::move(progressed)),
      worker_([this](std::uint64_t offset, ByteView bytes) { keep(offset, bytes); }) {}

void DigestedFile::add(std::uint64_t offset, ByteView bytes) { worker_.add(offset, bytes); }

DigestedFile::Digests DigestedFile::finish() {
  worker_.finish();
  if (!ahead_.empty()) {
    throw broken("is missing");
  }
  Digests digests;
  digests.adler32 = digester_.adler32Hex();
  digests.sha256 = digester_.sha256Hex();
  return digests;
}

void DigestedFile::keep(std::uint64_t offset, ByteView bytes) {
  const auto next = ahead_.upper_bound(offset);
  const auto before = next == ahead_.begin() ? ahead_.end() : std::prev(next);
  if (offset < digester_.size() || (next != ahead_.end() && offset + bytes.size() > next->first) ||
      (before != ahead_.end() && before->second > offset)) {
    throw broken("came twice");
  }
  writeAllAt(file_, offset, bytes, words_.attempted, words_.path);
  if (offset == digester_.size()) {
    digester_.update(bytes);
    digestWhatFollows();
  } else if (before != ahead_.end() && before->second == offset) {
    before->second += bytes.size();
  } else {
    ahead_[offset] = offset + bytes.size();
  }
  if (progressed_) {
    progressed_(digester_.size());
  }
}

/// What was written ahead is read back once all before it is there: the page cache has it still.
void DigestedFile::digestWhatFollows() {
  Bytes block;
  while (!ahead_.empty() && ahead_.begin()->first == digester_.size()) {
    block.resize(copyBlock);
    const auto end = ahead_.begin()->second;
    while (digester_.size() < end) {
      const auto wanted = std::min<std::uint64_t>(block.size(), end - digester_.size());
      const auto got =
          readAt(file_, std::span(block).first(static_cast<std::size_t>(wanted)), digester_.size(), words_.path);
      if (got == 0) {
        throw broken("was cut off in its file");
      }
      digester_.update(ByteView(block).first(got));
    }
    ahead_.erase(ahead_.begin());
  }
}

Fault DigestedFile::broken(const std::string &found) const {
  return Fault(FaultCode::Internal,
               words_.attempted + " failed: a part of it " + found +
                   "; this is a fault of the program, please report it",
               words_.concerned);
}

} // namespace waybill::storage
