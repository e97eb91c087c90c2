// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/staged_file.hpp"

#include "storage/file_errors.hpp"

#include <cerrno>
#include <fcntl.h>

namespace waybill::storage {

namespace {

/// The kernel is told to start writing after so many bytes, so that the sync at the end finds little left to do.
constexpr std::uint64_t writeBackStep = 8ULL * 1024 * 1024;

} // namespace

StagedFile::StagedFile(StoreFolder &folder, std::string id)
    : folder_(folder), id_(std::move(id)),
      file_(folder.open(stagingPath(id_), O_RDWR | O_CREAT | O_EXCL, "starting to store data")) {
  writing_.emplace(file_.get(), DigestedFile::Words{"storing data", folder_.absolute(stagingPath(id_)), id_},
                   [this](std::uint64_t digested) { startWriteBack(digested); });
}

StagedFile::~StagedFile() { discard(); }

void StagedFile::write(ByteView bytes) { take(taken_, bytes); }

void StagedFile::writeAt(std::uint64_t offset, ByteView bytes) { take(offset, bytes); }

void StagedFile::take(std::uint64_t offset, ByteView bytes) {
  auto &file = writing();
  try {
    file.add(offset, bytes);
  } catch (const Fault &) {
    discard();
    throw;
  }
  taken_ += bytes.size();
}

DigestedFile &StagedFile::writing() {
  if (!writing_) {
    throw Fault(FaultCode::Internal,
                "storing data failed: more was asked after its end, or after a failure; this is a fault of the "
                "program, please report it",
                id_);
  }
  return *writing_;
}

void StagedFile::startWriteBack(std::uint64_t upTo) {
  if (upTo - writeBackFrom_ < writeBackStep) {
    return;
  }
  // Only an I/O error is looked at: whatever else this hint meets, the sync will meet too.
  if (::sync_file_range(file_.get(), static_cast<off64_t>(writeBackFrom_), 0, SYNC_FILE_RANGE_WRITE) != 0 &&
      errno == EIO) {
    throw Fault(folder_.turnReadOnly("writing stored data back", stagingPath(id_), errno));
  }
  writeBackFrom_ = upTo;
}

void StagedFile::seal() {
  if (digests_) {
    return;
  }
  auto &file = writing();
  try {
    digests_ = file.finish();
  } catch (const Fault &) {
    discard();
    throw;
  }
  writing_.reset();
  countedOpen_ = file_.isOpen() && folder_.mayStayOpen();
  if (!countedOpen_) {
    file_.close();
  }
}

std::string StagedFile::sha256Hex() {
  seal();
  return digests_->sha256;
}

std::string StagedFile::adler32Hex() {
  seal();
  return digests_->adler32;
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
  writing_.reset();
  if (staged_) {
    // What cannot be unlinked here is left to recover().
    ::unlinkat(folder_.fd(), ("staging/" + id_).c_str(), 0);
    leaveStaging();
  }
}

} // namespace waybill::storage
