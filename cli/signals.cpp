// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/signals.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <thread>

namespace waybill::cli {

namespace {

// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t caught = 0;
volatile std::time_t caughtAt = 0;

// Shells, timeout(1) and batch systems may send one interrupt twice, to the process and to its group: what comes at
// once after the first is the same one, and must not keep the program from cleaning up.
void remember(int signal) {
  if (caught == 0) {
    caughtAt = std::time(nullptr);
    caught = signal;
  } else if (std::time(nullptr) - caughtAt >= 2) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

} // namespace

void catchSignals() {
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = 0; // no SA_RESTART: a blocked read returns
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaction(signal, &action, nullptr);
  }
}

void throwIfInterrupted() {
  if (caught != 0) {
    throw Interrupted(caught);
  }
}

void sleepUnlessInterrupted(std::chrono::milliseconds time) {
  using namespace std::chrono_literals;
  for (; time > 0ms; time -= 50ms) {
    throwIfInterrupted();
    std::this_thread::sleep_for(std::min(time, std::chrono::milliseconds(50ms)));
  }
}

void endBySignal(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::abort(); // not reached: the default of all three is to end
}

} // namespace waybill::cli
