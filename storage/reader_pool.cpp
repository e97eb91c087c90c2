// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/reader_pool.hpp"

#include "storage/sql_dialect.hpp"

#include <soci/soci.h>

namespace waybill::storage {

std::unique_ptr<SqlConnection> ReaderPool::take() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return lent_ < most_; });
    ++lent_;
    if (!resting_.empty()) {
      auto connection = std::move(resting_.back());
      resting_.pop_back();
      return connection;
    }
  }
  try {
    return std::make_unique<SqlConnection>(dialect_.openReader(), dialect_);
  } catch (...) {
    giveBack(nullptr);
    throw;
  }
}

void ReaderPool::giveBack(std::unique_ptr<SqlConnection> connection) noexcept {
  const std::lock_guard lock(mutex_);
  --lent_;
  if (connection) {
    resting_.push_back(std::move(connection)); // never more than most_, for which there is room
  }
  returned_.notify_one();
}

} // namespace waybill::storage
