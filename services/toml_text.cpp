// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/toml_text.hpp"

#include "domain/fault.hpp"
#include "storage/file_descriptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace waybill::services {

namespace {

[[noreturn]] void refuse(const std::string &file, const std::string &what) {
  throw Fault(FaultCode::BadParameter, file + ":1: " + what);
}

[[noreturn]] void refuseUnreadable(const std::string &file, int error) {
  refuse(file, "the file cannot be read: " + std::generic_category().message(error) +
                   "; it has to be there, and to be open to the user who runs this");
}

void requireRegular(const std::string &file, const struct stat &found) {
  if (S_ISREG(found.st_mode)) {
    return;
  }
  const auto *const kind = S_ISDIR(found.st_mode)    ? "a folder"
                           : S_ISFIFO(found.st_mode) ? "a FIFO"
                           : S_ISSOCK(found.st_mode) ? "a socket"
                                                     : "a device";
  refuse(file, std::string("this has to be a TOML file, and is ") + kind + "; put a file there, or rename it");
}

} // namespace

void requireRegularFile(const std::string &file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) {
    refuseUnreadable(file, errno);
  }
  requireRegular(file, found);
}

std::string tomlText(const std::string &file, std::uint64_t mostBytes) {
  requireRegularFile(file); // some devices do something when they are opened
  struct stat found {};
  const storage::FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!opened.isOpen() || ::fstat(opened.get(), &found) != 0) {
    refuseUnreadable(file, errno);
  }
  requireRegular(file, found);
  std::string text(static_cast<std::size_t>(mostBytes) + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(opened.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno != EINTR) {
      refuseUnreadable(file, errno);
    }
    if (got == 0) {
      break;
    }
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  if (size > mostBytes) {
    refuse(file, "the file has more than " + std::to_string(mostBytes / 1024) +
                     " KiB, the most that is read of such a file; make it smaller");
  }
  text.resize(size);
  return text;
}

} // namespace waybill::services
