// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/home_lock.hpp"

#include "domain/bytes.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "storage/file_errors.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>

namespace waybill::storage {

namespace {

std::string contentOf(int fd, const std::string &path) {
  std::array<std::byte, 32> bytes{};
  const auto got = readAt(fd, bytes, 0, path);
  return std::string(trimmed(asText(ByteView(bytes).first(got))));
}

/// "process 12 (waybilld)", as far as that can be found out.
std::string holder(int fd, const std::string &path) {
  const auto pid = contentOf(fd, path);
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) {
    return "another process";
  }
  std::string command;
  std::getline(std::ifstream("/proc/" + pid + "/comm"), command);
  return "process " + pid + (command.empty() ? "" : " (" + printable(command, 40) + ")");
}

} // namespace

HomeLock::HomeLock(const std::string &home) {
  const auto path = home + "/lock";
  file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file_.isOpen()) {
    throw systemFault("locking the instance's home by " + path, path, errno);
  }
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      throw systemFault("locking the instance's home by " + path, path, errno);
    }
    throw Fault(FaultCode::Busy,
                "the instance's home " + home + " is in use by " + holder(file_.get(), path) +
                    ": stop that one first, or start this one with another --home",
                home);
  }
  if (::ftruncate(file_.get(), 0) != 0) {
    throw systemFault("writing the process id to " + path, path, errno);
  }
  writeAll(file_.get(), asBytes(std::to_string(::getpid()) + "\n"), "writing the process id to " + path, path);
}

} // namespace waybill::storage
