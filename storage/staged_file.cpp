// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/staged_file.hpp"

#include "storage/file_errors.hpp"

#include <cerrno>
#include <fcntl.h>
#include <iterator>

namespace waybill::storage {

namespace {

/// The kernel is told to start writing after so many bytes, so that the sync at the end finds little left to do.
constexpr std::uint64_t writeBackStep = 8ULL * 1024 * 1024;

} // namespace

StagedFile::StagedFile(StoreFolder &folder, std::string id)
    : folder_(folder), id_(std::move(id)),
      file_(folder.open(stagingPath(id_), O_RDWR | O_CREAT | O_EXCL, "starting to store data")) {
  worker_.emplace([this](std::uint64_t offset, ByteView bytes) { keep(offset, bytes); });
}

StagedFile::~StagedFile() { discard(); }

void StagedFile::write(ByteView bytes) { take(taken_, bytes); }

void StagedFile::writeAt(std::uint64_t offset, ByteView bytes) { take(offset, bytes); }

void StagedFile::take(std::uint64_t offset, ByteView bytes) {
  if (!staged_ || sha256_) {
    throw Fault(FaultCode::Internal,
                "storing data failed: more came after its end, or after a failure; this is a fault of the program, "
                "please report it",
                id_);
  }
  try {
    worker_->add(offset, bytes);
  } catch (const Fault &) {
    discard();
    throw;
  }
  taken_ += bytes.size();
}

void StagedFile::keep(std::uint64_t offset, ByteView bytes) {
  const auto next = ahead_.upper_bound(offset);
  const auto before = next == ahead_.begin() ? ahead_.end() : std::prev(next);
  if (offset < digester_.size() || (next != ahead_.end() && offset + bytes.size() > next->first) ||
      (before != ahead_.end() && before->second > offset)) {
    throw Fault(FaultCode::Internal,
                "storing data failed: a part of it came twice; this is a fault of the program, please report it", id_);
  }
  writeAllAt(file_.get(), offset, bytes, "storing data", folder_.absolute(stagingPath(id_)));
  if (offset == digester_.size()) {
    digester_.update(bytes);
    digestWhatFollows();
  } else if (before != ahead_.end() && before->second == offset) {
    before->second += bytes.size();
  } else {
    ahead_[offset] = offset + bytes.size();
  }
  startWriteBack();
}

/// What was written ahead is read back once all before it is there: the page cache has it still.
void StagedFile::digestWhatFollows() {
  Bytes block;
  while (!ahead_.empty() && ahead_.begin()->first == digester_.size()) {
    block.resize(copyBlock);
    const auto end = ahead_.begin()->second;
    while (digester_.size() < end) {
      const auto wanted = std::min<std::uint64_t>(block.size(), end - digester_.size());
      const auto got = readAt(file_.get(), std::span(block).first(static_cast<std::size_t>(wanted)), digester_.size(),
                              folder_.absolute(stagingPath(id_)));
      digester_.update(ByteView(block).first(got));
    }
    ahead_.erase(ahead_.begin());
  }
}

void StagedFile::startWriteBack() {
  if (digester_.size() - writeBackFrom_ < writeBackStep) {
    return;
  }
  // Only an I/O error is looked at: whatever else this hint meets, the sync will meet too.
  if (::sync_file_range(file_.get(), static_cast<off64_t>(writeBackFrom_), 0, SYNC_FILE_RANGE_WRITE) != 0 &&
      errno == EIO) {
    throw Fault(folder_.turnReadOnly("writing stored data back", stagingPath(id_), errno));
  }
  writeBackFrom_ = digester_.size();
}

void StagedFile::seal() {
  if (sha256_) {
    return;
  }
  try {
    worker_->finish();
  } catch (const Fault &) {
    discard();
    throw;
  }
  if (!ahead_.empty()) {
    throw Fault(FaultCode::Internal,
                "storing data failed: a part of it is missing; this is a fault of the program, please report it", id_);
  }
  adler32_ = digester_.adler32Hex();
  sha256_ = digester_.sha256Hex();
  countedOpen_ = file_.isOpen() && folder_.mayStayOpen();
  if (!countedOpen_) {
    file_.close();
  }
}

std::string StagedFile::sha256Hex() {
  seal();
  return *sha256_;
}

std::string StagedFile::adler32Hex() {
  seal();
  return adler32_;
}

void StagedFile::closeFile() noexcept {
  file_.close();
  if (countedOpen_) {
    folder_.noLongerOpen();
    countedOpen_ = false;
  }
}

void StagedFile::leaveStaging() noexcept {
  staged_ = false;
  closeFile();
}

void StagedFile::discard() noexcept {
  worker_.reset();
  if (staged_) {
    // What cannot be unlinked here is left to recover().
    ::unlinkat(folder_.fd(), ("staging/" + id_).c_str(), 0);
    leaveStaging();
  }
}

} // namespace waybill::storage
