// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/job_follow.hpp"

#include "cli/output.hpp"
#include "cli/remote_jobs.hpp"
#include "cli/signals.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace waybill::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto firstLook = 20ms;
constexpr auto longestPause = 1000ms;
/// Enough to find the place again where the last tail ended.
constexpr std::size_t overlap = 1024;

/// "fetches", "waits", "runs", "delivers": nothing once it has ended.
std::string doing(const Job &job) {
  if (isFinal(job.state)) {
    return {};
  }
  const auto again = [&](const std::string &what) {
    return job.lastError ? what + " again, after: " + *job.lastError : what;
  };
  if (job.phase == JobPhase::Inputs) {
    return again("fetches its inputs");
  }
  if (job.phase == JobPhase::Delivery) {
    return again("delivers its results");
  }
  return job.state == TransferState::Queued ? "waits for its turn" : "runs";
}

} // namespace

std::string_view GrowingLog::newPart(std::string_view tail) const {
  if (tail.starts_with(seen_)) {
    return tail.substr(seen_.size());
  }
  const std::string_view end = std::string_view(seen_).substr(seen_.size() - std::min(seen_.size(), overlap));
  const auto place = tail.rfind(end);
  return place == std::string_view::npos ? tail : tail.substr(place + end.size());
}

std::string GrowingLog::news(std::string_view tail, bool last) {
  waiting_ += newPart(tail);
  seen_ = tail;
  const auto end = last ? waiting_.size() : waiting_.rfind('\n') + 1; // npos + 1 is 0: no whole line yet
  auto lines = waiting_.substr(0, end);
  waiting_.erase(0, end);
  return lines;
}

Job followJob(services::RemoteInstance &remote, const std::string &id, bool tell) {
  GrowingLog log;
  std::string said;
  auto pause = std::chrono::milliseconds(firstLook);
  while (true) {
    auto job = jobOf(remote, id);
    const auto ended = isFinal(job.state);
    const auto does = doing(job);
    if (tell && !does.empty() && does != said) {
      note("the job " + does);
      said = does;
    }
    if (const auto lines = log.news(job.log, ended); tell && !lines.empty()) {
      std::fputs(linesForTerminal(lines, "  ").c_str(), stderr);
    }
    if (ended) {
      return job;
    }
    sleepUnlessInterrupted(pause);
    pause = std::min<std::chrono::milliseconds>(pause * 3 / 2, longestPause);
  }
}

} // namespace waybill::cli
