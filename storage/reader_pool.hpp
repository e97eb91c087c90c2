// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/sql_connection.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace waybill::storage {

/// Reading connections, made when needed, at most so many; who finds none waits for one to come back. Thread-safe.
class ReaderPool {
public:
  /// `dialect` must outlive this.
  ReaderPool(const SqlDialect &dialect, std::size_t most) : dialect_(dialect), most_(most) { resting_.reserve(most); }

  /// Runs `action` with a connection that no other thread has. A connection on which something failed is not used
  /// again.
  template <class Action> auto with(Action action) {
    Loan loan(*this);
    return action(loan.connection());
  }

private:
  class Loan {
  public:
    explicit Loan(ReaderPool &pool) : pool_(pool), exceptions_(std::uncaught_exceptions()), connection_(pool.take()) {}
    ~Loan() { pool_.giveBack(std::uncaught_exceptions() > exceptions_ ? nullptr : std::move(connection_)); }
    Loan(Loan &&) = delete;
    [[nodiscard]] SqlConnection &connection() noexcept { return *connection_; }

  private:
    ReaderPool &pool_;
    int exceptions_;
    std::unique_ptr<SqlConnection> connection_;
  };

  std::unique_ptr<SqlConnection> take();
  void giveBack(std::unique_ptr<SqlConnection> connection) noexcept;

  const SqlDialect &dialect_;
  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::size_t lent_ = 0;                                ///< guarded by mutex_
  std::vector<std::unique_ptr<SqlConnection>> resting_; ///< guarded by mutex_
};

} // namespace waybill::storage
