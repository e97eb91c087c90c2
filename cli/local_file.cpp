// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/local_file.hpp"

#include "cli/signals.hpp"
#include "domain/fault.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace waybill::cli {

namespace {

[[noreturn]] void cannot(const std::string &what, const std::string &path) {
  const int error = errno;
  throw Fault(error == ENOSPC ? FaultCode::NoSpace : FaultCode::Internal,
              "cannot " + what + " '" + path + "': " + std::strerror(error));
}

/// read(2), gone on with after signals that are none of ours.
std::size_t readSome(int file, std::span<std::byte> into, const std::string &name) {
  while (true) {
    throwIfInterrupted();
    const auto count = ::read(file, into.data(), into.size());
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR) {
      cannot("read", name);
    }
  }
}

void writeAll(int file, ByteView bytes, const std::string &name) {
  while (!bytes.empty()) {
    throwIfInterrupted();
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      cannot("write", name);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
}

std::string folderOf(const std::string &path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

} // namespace

Descriptor::Descriptor(Descriptor &&other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept {
  if (this != &other) {
    static_cast<void>(close());
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() { static_cast<void>(close()); }

bool Descriptor::close() noexcept {
  const int number = std::exchange(number_, -1);
  return number < 0 || ::close(number) == 0;
}

FileSource::FileSource(std::string path, std::uint64_t size)
    : path_(std::move(path)), size_(size), left_(size), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat now {};
  if (file_.get() < 0 || fstat(file_.get(), &now) != 0) {
    cannot("read", path_);
  }
  if (!S_ISREG(now.st_mode) || static_cast<std::uint64_t>(now.st_size) != size_) {
    throw Fault(FaultCode::Internal, "cannot send '" + path_ + "': it changes while it is read; send it again");
  }
  posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

std::size_t FileSource::read(std::span<std::byte> into) {
  if (into.empty()) {
    return 0;
  }
  // At the end one byte more is asked for, which shows a file that grew.
  std::byte beyond{};
  const auto wanted = left_ == 0 ? std::span(&beyond, 1)
                                 : into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_)));
  const auto count = readSome(file_.get(), wanted, path_);
  if ((count == 0) != (left_ == 0)) {
    throw Fault(FaultCode::Internal, "cannot send '" + path_ + "': it changes while it is read; send it again");
  }
  left_ -= count;
  return count;
}

std::string readWholeFile(const std::string &path, std::uint64_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    cannot("read", path);
  }
  std::string text;
  Bytes block(16 * 1024);
  while (const auto count = readSome(file.get(), block, path)) {
    text.append(asText(ByteView(block).first(count)));
    if (text.size() > limit) {
      throw Fault(FaultCode::BadParameter, "'" + path + "' is larger than anything of its kind");
    }
  }
  return text;
}

std::size_t InputSource::read(std::span<std::byte> into) {
  if (given_ < before_.size()) {
    const auto count = std::min(into.size(), before_.size() - given_);
    std::memcpy(into.data(), before_.data() + given_, count);
    given_ += count;
    return count;
  }
  return into.empty() ? 0 : readSome(STDIN_FILENO, into, "standard input");
}

void OutputSink::write(ByteView bytes) { writeAll(STDOUT_FILENO, bytes, "standard output"); }

void requireRoomFor(const std::string &path, bool replace) {
  struct stat present {};
  if (lstat(path.c_str(), &present) != 0) {
    return;
  }
  if (!replace) {
    throw Fault(FaultCode::AlreadyExists, "'" + path + "' is there already; use --force to replace it");
  }
  if (!S_ISREG(present.st_mode) && !S_ISLNK(present.st_mode)) {
    throw Fault(FaultCode::BadParameter, "'" + path +
                                             "' is no regular file, and a rename would put one in its place; to write "
                                             "to it, get to - and redirect that");
  }
}

NewFile::NewFile(std::string path, bool replace, Random &random)
    : path_(std::move(path)), temporary_(folderOf(path_) + ".waybill-" + randomId(random)), replace_(replace) {
  try {
    requireRoomFor(path_, replace_);
  } catch (const Fault &) {
    temporary_.clear();
    throw;
  }
  file_ = Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file_.get() < 0) {
    temporary_.clear();
    cannot("write", path_);
  }
}

NewFile::NewFile(NewFile &&other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})), replace_(other.replace_),
      file_(std::move(other.file_)) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void NewFile::write(ByteView bytes) { writeAll(file_.get(), bytes, path_); }

void NewFile::sync() {
  if (fsync(file_.get()) != 0) {
    cannot("write", path_);
  }
}

void NewFile::syncFileSystem() {
  if (syncfs(file_.get()) != 0) {
    cannot("write", path_);
  }
}

void NewFile::closeBeside(const NewFile &witness) {
  struct stat mine {};
  struct stat other {};
  if (fstat(file_.get(), &mine) != 0 || fstat(witness.file_.get(), &other) != 0 || mine.st_dev != other.st_dev) {
    sync();
  }
  if (!file_.close()) {
    cannot("write", path_);
  }
}

void NewFile::syncFolder() const {
  const auto folder = folderOf(path_);
  const Descriptor open(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (open.get() < 0 || fsync(open.get()) != 0) {
    cannot("write", path_);
  }
}

void NewFile::commit() {
  int result = renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(),
                         replace_ ? 0U : static_cast<unsigned>(RENAME_NOREPLACE));
  if (result != 0 && errno == EINVAL && !replace_) {
    // A file system without RENAME_NOREPLACE: a link never replaces either.
    result = link(temporary_.c_str(), path_.c_str());
    if (result == 0) {
      ::unlink(temporary_.c_str());
    }
  }
  if (result != 0) {
    if (errno == EEXIST) {
      throw Fault(FaultCode::AlreadyExists, "'" + path_ + "' is there already; use --force to replace it");
    }
    cannot("write", path_);
  }
  temporary_.clear();
}

} // namespace waybill::cli
