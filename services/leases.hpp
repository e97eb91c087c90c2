// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/data_manager.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// What may be read without a token by whoever has a URL that nobody can guess, for as long as a transfer runs.
/// Thread-safe.
class Leases {
public:
  /// One object of a lease, where it is counted how much of it has been read, and whether it is over.
  struct Found {
    LeasedContent content;
    std::shared_ptr<std::atomic<std::uint64_t>> read;
    std::shared_ptr<const std::atomic<bool>> over;
  };

  /// `read` counts the bytes that are handed out. A lease of that secret goes on with
  /// these.
  void begin(const std::string &secret, std::vector<LeasedContent> contents,
             std::shared_ptr<std::atomic<std::uint64_t>> read);
  void end(const std::string &secret); ///< also for who is reading
  /// `path`: "<secret>/<number>".
  [[nodiscard]] std::optional<Found> find(std::string_view path) const;

private:
  struct Lease {
    std::vector<LeasedContent> contents;
    std::shared_ptr<std::atomic<std::uint64_t>> read;
    std::shared_ptr<std::atomic<bool>> over = std::make_shared<std::atomic<bool>>(false);
  };
  mutable std::mutex mutex_;
  std::map<std::string, Lease, std::less<>> leases_; ///< by secret; guarded by mutex_
};

} // namespace waybill::services
