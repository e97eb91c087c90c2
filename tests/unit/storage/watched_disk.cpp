// SPDX-License-Identifier: GPL-3.0-or-later
#include "watched_disk.hpp"

#include <new>
#include <sqlite3.h>
#include <stdexcept>
#include <string_view>

namespace waybill::storage::tests {

namespace {

constexpr const char *vfsName = "waybill-watched";

/// Our part of an open file; the real one follows it in the memory that SQLite gave.
struct WatchedFile {
  sqlite3_file base;
  WatchedDisk::Watch *watch;
};

sqlite3_file *real(sqlite3_file *file) {
  return reinterpret_cast<sqlite3_file *>(reinterpret_cast<WatchedFile *>(file) + 1);
}
WatchedDisk::Watch &watch(sqlite3_file *file) { return *reinterpret_cast<WatchedFile *>(file)->watch; }

int close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }
int read(sqlite3_file *file, void *into, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), into, size, at);
}
int write(sqlite3_file *file, const void *from, int size, sqlite3_int64 at) {
  const int result = watch(file).writeResult;
  return result != SQLITE_OK ? result : real(file)->pMethods->xWrite(real(file), from, size, at);
}
int truncate(sqlite3_file *file, sqlite3_int64 size) { return real(file)->pMethods->xTruncate(real(file), size); }
int sync(sqlite3_file *file, int flags) {
  ++watch(file).syncs;
  const int result = watch(file).syncResult;
  return result != SQLITE_OK ? result : real(file)->pMethods->xSync(real(file), flags);
}
int fileSize(sqlite3_file *file, sqlite3_int64 *size) { return real(file)->pMethods->xFileSize(real(file), size); }
int lock(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int checkReservedLock(sqlite3_file *file, int *out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int fileControl(sqlite3_file *file, int op, void *argument) {
  return real(file)->pMethods->xFileControl(real(file), op, argument);
}
int sectorSize(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
int deviceCharacteristics(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
int shmMap(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int shmLock(sqlite3_file *file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void shmBarrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
int shmUnmap(sqlite3_file *file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

const sqlite3_io_methods methods{2,
                                 close,
                                 read,
                                 write,
                                 truncate,
                                 sync,
                                 fileSize,
                                 lock,
                                 unlock,
                                 checkReservedLock,
                                 fileControl,
                                 sectorSize,
                                 deviceCharacteristics,
                                 shmMap,
                                 shmLock,
                                 shmBarrier,
                                 shmUnmap,
                                 nullptr,
                                 nullptr};

sqlite3_vfs *realVfs(sqlite3_vfs *vfs) {
  // The next in SQLite's list: what was the default before.
  return vfs->pNext;
}

int open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *outFlags) {
  auto *watched = reinterpret_cast<WatchedFile *>(file);
  watched->base.pMethods = nullptr;
  auto &disk = *static_cast<WatchedDisk *>(vfs->pAppData);
  watched->watch = name != nullptr && std::string_view(name).ends_with("-wal") ? &disk.log : &disk.database;
  const auto result = realVfs(vfs)->xOpen(realVfs(vfs), name, real(file), flags, outFlags);
  if (real(file)->pMethods != nullptr) {
    watched->base.pMethods = &methods;
  }
  return result;
}

sqlite3_vfs watchedVfs{};

} // namespace

WatchedDisk::WatchedDisk() {
  auto *system = sqlite3_vfs_find(nullptr);
  if (system == nullptr || std::string_view(system->zName) == vfsName) {
    throw std::logic_error("one WatchedDisk at a time");
  }
  watchedVfs = *system;
  watchedVfs.zName = vfsName;
  watchedVfs.szOsFile = static_cast<int>(sizeof(WatchedFile)) + system->szOsFile;
  watchedVfs.pAppData = this;
  watchedVfs.xOpen = open;
  sqlite3_vfs_register(&watchedVfs, 1);
}

WatchedDisk::~WatchedDisk() { sqlite3_vfs_unregister(&watchedVfs); }

} // namespace waybill::storage::tests
