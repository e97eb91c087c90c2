// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/out_folder.hpp"

#include "services/algorithms/folder_listing.hpp"
#include "storage/file_errors.hpp"
#include "storage/file_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace waybill::services {

namespace {

using storage::FileDescriptor;
using storage::systemFault;

/// Each level of a walk holds a descriptor open.
constexpr int mostLevels = 64;

std::string kindOf(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG: return "a file with several names (hard links)";
  case S_IFDIR: return "a folder";
  case S_IFLNK: return "a symbolic link";
  case S_IFIFO: return "a named pipe";
  case S_IFSOCK: return "a socket";
  default: return "a device";
  }
}

/// `name` in `parent`, never through a link; made accessible for its owner where it is not. Null: errno says why.
Listing openFolder(int parent, const char *name) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const auto list = [](int fd) {
    Listing listing(fd < 0 ? nullptr : ::fdopendir(fd));
    if (!listing && fd >= 0) {
      ::close(fd);
    }
    return listing;
  };
  struct stat found {};
  const FileDescriptor place(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!place.isOpen() || ::fstat(place.get(), &found) != 0) {
    return nullptr;
  }
  if ((found.st_mode & S_IRWXU) != S_IRWXU) {
    // The name could mean another thing by now; the descriptor cannot.
    const auto same = "/proc/self/fd/" + std::to_string(place.get());
    if (::chmod(same.c_str(), (found.st_mode & 07777U) | S_IRWXU) != 0) {
      return nullptr;
    }
  }
  return list(::openat(place.get(), ".", flags));
}

class Counter {
public:
  Counter(std::uint64_t mostBytes, std::uint64_t mostEntries) : mostBytes_(mostBytes), mostEntries_(mostEntries) {}

  // Recursive, but never deeper than mostLevels.
  void count(int parent, const char *name, int level) { // NOLINT(misc-no-recursion)
    const auto listing = level < mostLevels ? openFolder(parent, name) : nullptr;
    if (!listing) {
      // Gone meanwhile, or replaced by something that is not a folder: the next count sees what is there then.
      use_.readable = use_.readable && level < mostLevels && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP);
      return;
    }
    const int folder = ::dirfd(listing.get());
    while (const auto *entry = nextName(*listing)) {
      struct stat found {};
      if (::fstatat(folder, entry, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        continue; // removed meanwhile
      }
      use_.entries += 1;
      constexpr std::uint64_t block = 512; // of st_blocks, whatever the disk's is
      use_.bytes += std::max(static_cast<std::uint64_t>(found.st_blocks) * block,
                             S_ISREG(found.st_mode) ? static_cast<std::uint64_t>(found.st_size) : 0);
      if (use_.bytes > mostBytes_ || use_.entries > mostEntries_) {
        return;
      }
      if (S_ISDIR(found.st_mode)) {
        count(folder, entry, level + 1);
      }
    }
  }

  [[nodiscard]] FolderUse use() const { return use_; }

private:
  std::uint64_t mostBytes_;
  std::uint64_t mostEntries_;
  FolderUse use_;
};

/// Removes trees of any depth with a few descriptors: what lies in a folder of `top` is moved up into `top`, so that
/// the folder can go.
class Emptier {
public:
  Emptier(DIR &top, const std::string &path) : top_(top), path_(path) {}

  void empty() {
    for (bool found = true; found;) {
      found = false;
      ::rewinddir(&top_);
      while (const auto *name = nextName(top_)) {
        found = true;
        remove(name);
      }
    }
  }

private:
  void remove(const char *name) {
    const int top = ::dirfd(&top_);
    if (::unlinkat(top, name, 0) == 0 || errno == ENOENT) {
      return;
    }
    if (errno != EISDIR && errno != EPERM) {
      fail();
    }
    const auto folder = openFolder(top, name);
    if (!folder) {
      fail();
    }
    while (const auto *inner = nextName(*folder)) {
      if (::unlinkat(::dirfd(folder.get()), inner, 0) != 0) {
        moveUp(*folder, inner);
      }
    }
    // Not empty: reading a folder while names go may pass over some. The next round finds it again.
    if (::unlinkat(top, name, AT_REMOVEDIR) != 0 && errno != ENOTEMPTY && errno != EEXIST) {
      fail();
    }
  }

  void moveUp(DIR &folder, const char *name) {
    // Moving a folder writes into it, so it has to be its owner's to write.
    if (!openFolder(::dirfd(&folder), name)) {
      fail();
    }
    do {
      ++moved_;
    } while (::renameat2(::dirfd(&folder), name, ::dirfd(&top_), ("moved-" + std::to_string(moved_)).c_str(),
                         RENAME_NOREPLACE) != 0 &&
             (errno == EEXIST || (fail(), false)));
  }

  [[noreturn]] void fail() const { throw systemFault("removing the files of an algorithm's run", path_, errno); }

  DIR &top_;
  const std::string &path_;
  std::uint64_t moved_ = 0;
};

} // namespace

std::unique_ptr<Source> openOutput(const std::string &outFolder, const std::string &name) {
  static const std::string attempted = "reading an algorithm's output";
  const FileDescriptor folder(::open(outFolder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.isOpen()) {
    throw systemFault(attempted, outFolder, errno);
  }
  struct stat found {};
  const auto path = outFolder + "/" + name;
  if (::fstatat(folder.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) {
      return nullptr;
    }
    throw systemFault(attempted, path, errno);
  }
  if (!S_ISREG(found.st_mode) || found.st_nlink != 1) {
    throw Fault(FaultCode::AlgorithmFailed,
                "the algorithm left " + kindOf(found.st_mode) +
                    " where its output was to be; only a plain file is taken: ask whoever published the algorithm",
                name);
  }
  // The program may have taken the right to read it from itself.
  const FileDescriptor place(::openat(folder.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  const auto same = "/proc/self/fd/" + std::to_string(place.get());
  if (place.isOpen() && (found.st_mode & S_IRUSR) == 0) {
    ::chmod(same.c_str(), S_IRUSR | S_IWUSR); // looked at by what comes next: the file opens or it does not
  }
  FileDescriptor file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.isOpen()) {
    throw systemFault(attempted, path, errno);
  }
  return std::make_unique<storage::FileReader>(std::move(file), path);
}

FolderUse folderUse(int folder, std::uint64_t mostBytes, std::uint64_t mostEntries) {
  Counter counter(mostBytes, mostEntries);
  counter.count(folder, ".", 0);
  return counter.use();
}

void removeFolder(const std::string &path) {
  {
    const auto top = openFolder(AT_FDCWD, path.c_str());
    if (!top && errno == ENOENT) {
      return;
    }
    if (!top) {
      throw systemFault("removing the files of an algorithm's run", path, errno);
    }
    Emptier(*top, path).empty();
  }
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
    throw systemFault("removing the files of an algorithm's run", path, errno);
  }
}

void letProgramsRead(const std::string &file) {
  if (::geteuid() != 0) {
    return;
  }
  struct stat found {};
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!opened.isOpen() || ::fstat(opened.get(), &found) != 0 ||
      ((found.st_mode & S_IROTH) == 0 && ::fchmod(opened.get(), (found.st_mode & 07777U) | S_IROTH) != 0)) {
    throw systemFault("handing a file to an algorithm", file, errno);
  }
}

} // namespace waybill::services
