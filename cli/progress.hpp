// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace waybill::cli {

/// Columns of the terminal behind that descriptor; 80 when it does not say.
[[nodiscard]] std::size_t terminalWidth(int descriptor);

/// A bar with rate and time left on standard error, when that is a terminal; else nothing. One thread.
class Progress {
public:
  /// `quiet`: never.
  explicit Progress(bool quiet);
  ~Progress(); ///< takes the bar away
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// More work than was known of; nothing when there is no telling.
  void expect(std::optional<std::uint64_t> bytes);
  void advance(std::uint64_t bytes);
  /// Takes back what has to be moved again.
  void rewind(std::uint64_t bytes);
  /// What is being moved now.
  void name(const std::string &text) { name_ = text; }
  /// While nothing moves: once all that is known of has been moved, shows `what` is awaited, and for how long.
  void await(const std::string &what);
  /// Takes the bar away until the next advance(), so that a line can be printed.
  void clear();

private:
  using Clock = std::chrono::steady_clock;
  void draw(Clock::time_point now);
  void show(const std::string &text);
  [[nodiscard]] std::string line(double seconds, std::size_t width) const;

  bool shown_;
  bool drawn_ = false;
  bool open_ = false; ///< the end is not known
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
  std::string name_;
  Clock::time_point begin_;
  Clock::time_point last_;  ///< drawn
  Clock::time_point moved_; ///< something was
};

} // namespace waybill::cli
