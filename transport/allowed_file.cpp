// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/allowed_file.hpp"

#include "transport/client.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace waybill::transport {

namespace {

class Descriptor {
public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  Descriptor(Descriptor &&other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  Descriptor &operator=(Descriptor &&) = delete;
  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] std::string link() const { return "/proc/self/fd/" + std::to_string(number_); }

private:
  int number_;
};

Fault failure(const std::string &url, int error, bool mayBeAbsent) {
  const auto cause = std::generic_category().message(error);
  if (mayBeAbsent && (error == ENOENT || error == ENOTDIR)) {
    return {FaultCode::NoSuchData, "'" + printableUrl(url) + "' cannot be read: there is no such file; check its path",
            printableUrl(url)};
  }
  return {FaultCode::DeliveryFailed,
          "'" + printableUrl(url) + "' cannot be read: " + cause + "; check the file and who may read it",
          printableUrl(url)};
}

bool isUnder(const std::filesystem::path &folder, const std::filesystem::path &path) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

void requireAllowed(const EgressPolicy &policy, const Descriptor &file, const std::string &url) {
  std::error_code error;
  const auto real = std::filesystem::read_symlink(file.link(), error);
  const auto &folders = policy.folders();
  const bool allowed = !error && std::any_of(folders.begin(), folders.end(), [&](const auto &folder) {
    std::error_code absent;
    const auto where = std::filesystem::canonical(folder, absent);
    return !absent && isUnder(where, real);
  });
  if (!allowed) {
    throw Fault(FaultCode::AddressNotAllowed,
                "'" + printableUrl(url) +
                    "' leads, by a link, out of the folders that are open for file URLs; the operator can add to "
                    "egress.folders where the file really is",
                printableUrl(url), {}, LogText(printableUrl(url) + " is really " + real.string()));
  }
}

class FileSource final : public Source {
public:
  FileSource(Descriptor file, std::uint64_t size, std::string url)
      : file_(std::move(file)), size_(size), url_(std::move(url)) {}

  std::size_t read(std::span<std::byte> into) override {
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - at_));
    if (room == 0) {
      return 0;
    }
    ssize_t got = 0;
    do {
      got = ::read(file_.number(), into.data(), room);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      throw failure(url_, errno, false);
    }
    if (got == 0) {
      throw Fault(FaultCode::DeliveryFailed,
                  "'" + printableUrl(url_) + "' became shorter while it was read: " + std::to_string(at_) + " of " +
                      std::to_string(size_) + " bytes came; try again when nobody writes it",
                  printableUrl(url_));
    }
    at_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return size_; }

private:
  Descriptor file_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
  std::string url_;
};

} // namespace

std::unique_ptr<Source> openAllowedFile(const EgressPolicy &policy, const std::string &url) {
  static_cast<void>(policy.check(url));
  // O_PATH finds the file without the effects that opening a device or a pipe has.
  const Descriptor found(open(decodedPath(url).c_str(), O_PATH | O_CLOEXEC));
  if (found.number() < 0) {
    throw failure(url, errno, true);
  }
  requireAllowed(policy, found, url);
  struct stat facts {};
  if (fstat(found.number(), &facts) != 0) {
    throw failure(url, errno, false);
  }
  if (!S_ISREG(facts.st_mode)) {
    throw Fault(FaultCode::AddressNotAllowed,
                "'" + printableUrl(url) + "' is no regular file, and nothing else is read; name a file",
                printableUrl(url));
  }
  Descriptor file(open(found.link().c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) {
    throw failure(url, errno, false);
  }
  return std::make_unique<FileSource>(std::move(file), static_cast<std::uint64_t>(facts.st_size), url);
}

} // namespace waybill::transport
