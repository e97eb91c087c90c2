// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace waybill::services {

/// The end of what a program prints. Thread-safe: it may be read while the program runs.
class LogTail {
public:
  static constexpr std::size_t mostBytes = 16UL * 1024;
  void append(std::string_view text);
  /// Valid UTF-8, printable but for line feeds and tabs; beginning with "[...]" where something was left out.
  [[nodiscard]] std::string text() const;

private:
  mutable std::mutex mutex_;
  std::string kept_;
  bool cut_ = false;
};

} // namespace waybill::services
