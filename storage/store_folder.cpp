// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/store_folder.hpp"

#include "storage/content_store.hpp"
#include "storage/file_errors.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace waybill::storage {

namespace {

constexpr int mostWaitingOpen = 256;

/// True when it was not there before.
bool makeFolder(int at, const std::string &name, const std::string &path) {
  if (::mkdirat(at, name.c_str(), 0700) == 0) {
    return true;
  }
  if (errno != EEXIST) {
    throw systemFault("creating the store's folder " + path, path, errno);
  }
  return false;
}

} // namespace

bool isContentId(std::string_view text) noexcept {
  return text.size() == 32 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string stagingPath(std::string_view id) { return "staging/" + std::string(id); }

std::string contentPath(std::string_view id) {
  return "content/" + std::string(id.substr(0, 2)) + "/" + std::string(id.substr(2, 2)) + "/" + std::string(id);
}

StoreFolder::StoreFolder(std::string path, std::unique_ptr<SyncCalls> calls)
    : path_(std::move(path)), calls_(std::move(calls)) {
  const auto isNew = makeFolder(AT_FDCWD, path_, path_);
  root_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_.isOpen()) {
    throw systemFault("opening the store's folder " + path_, path_, errno);
  }
  makeFolder(root_.get(), "content", absolute("content"));
  makeFolder(root_.get(), "staging", absolute("staging"));
  sync(root_.get(), ".");
  if (isNew) {
    const auto parent = open("..", O_RDONLY | O_DIRECTORY, "opening the parent of the store's folder " + path_);
    sync(parent.get(), "..");
  }
}

FileDescriptor StoreFolder::open(const std::string &relative, int flags, const std::string &attempted) const {
  FileDescriptor file(::openat(root_.get(), relative.c_str(), flags | O_CLOEXEC, 0600));
  if (!file.isOpen()) {
    throw systemFault(attempted, absolute(relative), errno);
  }
  return file;
}

void StoreFolder::sync(int fd, const std::string &relative) {
  if (const auto error = calls_->sync(fd); error != 0) {
    throw turnReadOnly("syncing stored data", relative, error);
  }
}

void StoreFolder::syncAll() {
  // The kernel reports a lost page to one caller only (errseq), so one thread asks at a time, and the others, when
  // their turn comes, see what it found.
  const std::lock_guard lock(syncing_);
  requireWritable();
  if (const auto error = calls_->syncFileSystem(root_.get()); error != 0) {
    throw turnReadOnly("syncing the file system of stored data", ".", error);
  }
}

void StoreFolder::requireWritable() const {
  if (readOnly_.load()) {
    throw Fault(FaultCode::Internal, "the instance takes no changes: " + readOnlyReason());
  }
}

std::string StoreFolder::readOnlyReason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

Fault StoreFolder::turnReadOnly(const std::string &attempted, const std::string &relative, int error) {
  const auto cause = systemFault(attempted, absolute(relative), error);
  const std::lock_guard lock(mutex_);
  if (reason_.empty()) {
    reason_ = attempted + " failed (errno " + std::to_string(error) +
              "), so the store is read-only; the administrator has to check the disk and restart the instance";
    readOnly_ = true;
  }
  return {FaultCode::Internal, "nothing was stored: " + reason_, {}, {}, cause.log()};
}

bool StoreFolder::mayStayOpen() noexcept {
  if (waitingOpen_.fetch_add(1) < mostWaitingOpen) {
    return true;
  }
  noLongerOpen();
  return false;
}

void StoreFolder::noLongerOpen() noexcept { waitingOpen_.fetch_sub(1); }

} // namespace waybill::storage
