// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/progress.hpp"

#include "cli/people.hpp"
#include "domain/text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace waybill::cli {

namespace {

constexpr auto redraw = std::chrono::milliseconds(100);
constexpr std::size_t barWidth = 24;
constexpr double rateAfter = 0.5; ///< seconds; before, a rate says nothing

} // namespace

std::size_t terminalWidth(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

Progress::Progress(bool quiet)
    : shown_(!quiet && isatty(STDERR_FILENO) == 1), begin_(Clock::now()), last_(begin_), moved_(begin_) {}

Progress::~Progress() { clear(); }

void Progress::expect(std::optional<std::uint64_t> bytes) {
  open_ = open_ || !bytes;
  total_ += bytes.value_or(0);
}

void Progress::advance(std::uint64_t bytes) {
  done_ += bytes;
  if (!shown_) {
    return;
  }
  moved_ = Clock::now();
  if (moved_ - last_ >= redraw) {
    draw(moved_);
  }
}

void Progress::await(const std::string &what) {
  if (!shown_ || (!open_ && done_ < total_)) {
    return;
  }
  const auto time = durationForPeople(std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - moved_));
  show(("waiting for " + what + "  " + time).substr(0, terminalWidth(STDERR_FILENO) - 1));
}

void Progress::rewind(std::uint64_t bytes) { done_ -= std::min(bytes, done_); }

void Progress::clear() {
  if (drawn_) {
    std::fputs("\r\033[K", stderr);
    drawn_ = false;
  }
}

void Progress::draw(Clock::time_point now) {
  last_ = now;
  show(line(std::chrono::duration<double>(now - begin_).count(), terminalWidth(STDERR_FILENO) - 1));
}

void Progress::show(const std::string &text) {
  drawn_ = true;
  std::fprintf(stderr, "\r%s\033[K", text.c_str());
}

std::string Progress::line(double seconds, std::size_t width) const {
  const auto rate = seconds > rateAfter ? static_cast<double>(done_) / seconds : 0.0;
  std::string text;
  if (!open_ && total_ > 0) {
    const auto part = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
    const auto filled = static_cast<std::size_t>(part * barWidth);
    text = std::to_string(static_cast<int>(part * 100)) + "% [" + std::string(filled, '#') +
           std::string(barWidth - filled, ' ') + "] " + sizeForPeople(done_) + " of " + sizeForPeople(total_);
  } else {
    text = sizeForPeople(done_);
  }
  if (rate > 0) {
    text += "  " + sizeForPeople(static_cast<std::uint64_t>(rate)) + "/s";
    if (!open_ && total_ >= done_) {
      text += "  " +
              durationForPeople(
                  std::chrono::seconds(static_cast<std::int64_t>(static_cast<double>(total_ - done_) / rate))) +
              " left";
    }
  }
  text += "  " + printable(name_);
  return text.substr(0, width);
}

} // namespace waybill::cli
