// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <mutex>

/// Locks that clang checks (-Wthread-safety): a field marked GUARDED_BY is touched with its lock held, or the build
/// fails. For this folder's .cpp files alone.
#if defined(__clang__)
#define WAYBILL_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define WAYBILL_THREAD_SAFETY(attribute)
#endif
#define WAYBILL_GUARDED_BY(mutex) WAYBILL_THREAD_SAFETY(guarded_by(mutex))

namespace waybill::transport {

/// std::mutex with a name that clang can follow; fit for std::condition_variable_any.
class WAYBILL_THREAD_SAFETY(capability("mutex")) Mutex {
public:
  void lock() WAYBILL_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
  void unlock() WAYBILL_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }

private:
  std::mutex mutex_;
};

class WAYBILL_THREAD_SAFETY(scoped_lockable) Lock {
public:
  explicit Lock(Mutex &mutex) WAYBILL_THREAD_SAFETY(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() WAYBILL_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }
  Lock(const Lock &) = delete;
  Lock &operator=(const Lock &) = delete;

private:
  Mutex &mutex_;
};

} // namespace waybill::transport
