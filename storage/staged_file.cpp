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
      file_(folder.open(stagingPath(id_), O_WRONLY | O_CREAT | O_EXCL, "starting to store data")) {}

StagedFile::~StagedFile() { discard(); }

void StagedFile::write(ByteView bytes) {
  if (!staged_ || sha256_) {
    throw Fault(FaultCode::Internal,
                "storing data failed: more came after its end, or after a failure; this is a fault of the program, "
                "please report it",
                id_);
  }
  try {
    writeAll(file_.get(), bytes, "storing data", folder_.absolute(stagingPath(id_)));
  } catch (const Fault &) {
    discard();
    throw;
  }
  digester_.update(bytes);
  if (digester_.size() - writeBackFrom_ >= writeBackStep) {
    startWriteBack();
  }
}

void StagedFile::startWriteBack() {
  // Only an I/O error is looked at: whatever else this hint meets, the sync will meet too.
  if (::sync_file_range(file_.get(), static_cast<off64_t>(writeBackFrom_), 0, SYNC_FILE_RANGE_WRITE) != 0 &&
      errno == EIO) {
    const auto fault = folder_.turnReadOnly("writing stored data back", stagingPath(id_), errno);
    discard();
    throw Fault(fault);
  }
  writeBackFrom_ = digester_.size();
}

void StagedFile::seal() {
  if (sha256_) {
    return;
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
  if (staged_) {
    // What cannot be unlinked here is left to recover().
    ::unlinkat(folder_.fd(), ("staging/" + id_).c_str(), 0);
    leaveStaging();
  }
}

} // namespace waybill::storage
