// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <exception>

namespace waybill::cli {

/// Ctrl-C and its like, as an exception, so that temporary files go on the way out.
class Interrupted : public std::exception {
public:
  explicit Interrupted(int signal) noexcept : signal_(signal) {}
  [[nodiscard]] int signal() const noexcept { return signal_; }
  [[nodiscard]] const char *what() const noexcept override { return "interrupted"; }

private:
  int signal_;
};

/// From now on SIGINT, SIGTERM and SIGHUP are remembered; one that comes a second or two after the first
/// ends the program at once.
void catchSignals();
/// Throws Interrupted when a signal has come.
void throwIfInterrupted();
/// Sleeps, or throws Interrupted.
void sleepUnlessInterrupted(std::chrono::milliseconds time);
/// Ends the program by that signal, as a shell expects it.
[[noreturn]] void endBySignal(int signal);

} // namespace waybill::cli
