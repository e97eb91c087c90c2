// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/key_files.hpp"

#include "domain/fault.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/file_errors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace waybill::security {

namespace {

constexpr std::size_t mostBytes = 1024 * 1024;

[[noreturn]] void failed(const std::string &what, const std::string &file, const std::string &hint, int error) {
  throw Fault(storage::meansNoSpace(error) ? FaultCode::NoSpace : FaultCode::Internal,
              what + " failed: " + std::generic_category().message(error) + "; " + hint, file);
}

/// A file that goes at the end; its own name is another link to it.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &file) : name_(file + ".XXXXXX"), fd_(::mkostemp(name_.data(), O_CLOEXEC)) {
    if (!fd_.isOpen()) {
      failed("creating a file beside it", file, "make the folder writable for this user", errno);
    }
  }
  ~TemporaryFile() { ::unlink(name_.c_str()); }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  [[nodiscard]] const char *name() const noexcept { return name_.c_str(); }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
  std::string name_;
  storage::FileDescriptor fd_;
};

} // namespace

void writeNewFile(const std::string &file, ByteView bytes, mode_t mode) {
  const TemporaryFile temporary(file);
  storage::writeAll(temporary.fd(), bytes, "writing " + file, file);
  if (::fchmod(temporary.fd(), mode) != 0 || ::fsync(temporary.fd()) != 0) {
    failed("writing the file", file, "look at the disk", errno);
  }
  // Unlike rename(2), link(2) never replaces what somebody else has just made.
  if (::link(temporary.name(), file.c_str()) != 0) {
    if (errno == EEXIST) {
      throw Fault(FaultCode::AlreadyExists, "the file is there already, and it is never overwritten", file);
    }
    failed("naming the file", file, "look at the disk", errno);
  }
}

void syncFolder(const std::string &folder) {
  const storage::FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.isOpen() || ::fsync(fd.get()) != 0) {
    failed("syncing the folder", folder, "look at the disk", errno);
  }
}

std::string readSmallFile(const std::string &file, Readers readers, const std::string &hint) {
  const storage::FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd.isOpen() || ::fstat(fd.get(), &status) != 0) {
    failed("reading the file", file, hint, errno);
  }
  if (!S_ISREG(status.st_mode) || status.st_size > static_cast<off_t>(mostBytes)) {
    throw Fault(FaultCode::Internal, "this is no plain file of at most 1 MiB; " + hint, file);
  }
  if (readers == Readers::OwnerOnly && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Fault(FaultCode::Internal,
                "others than its owner have access to this file, so it is not used; chmod 600 it, and if others may "
                "have read it, make a new key pair",
                file);
  }
  Bytes bytes(static_cast<std::size_t>(status.st_size));
  std::size_t size = 0;
  while (size < bytes.size()) {
    const auto got = storage::readAt(fd.get(), std::span(bytes).subspan(size), size, file);
    if (got == 0) {
      break;
    }
    size += got;
  }
  return std::string(asText(ByteView(bytes).first(size)));
}

} // namespace waybill::security
