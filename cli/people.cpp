// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/people.hpp"

#include "cli/usage.hpp"
#include "domain/text.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace waybill::cli {

std::string sizeForPeople(std::uint64_t bytes) {
  static constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text.data();
}

std::string durationForPeople(std::chrono::seconds time) {
  const auto total = time.count();
  std::array<char, 48> text{};
  if (total >= 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", static_cast<long long>(total / 3600),
                  static_cast<long long>(total / 60 % 60), static_cast<long long>(total % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", static_cast<long long>(total / 60),
                  static_cast<long long>(total % 60));
  }
  return text.data();
}

std::chrono::seconds parseDuration(std::string_view text, std::string_view option) {
  static constexpr std::int64_t most = 100LL * 366 * 24 * 3600;
  std::int64_t number = 0;
  const auto *end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  std::int64_t factor = 0;
  if (unit.empty() || unit == "s") {
    factor = 1;
  } else if (unit == "m") {
    factor = 60;
  } else if (unit == "h") {
    factor = 3600;
  } else if (unit == "d") {
    factor = 24 * 3600;
  }
  if (error != std::errc() || number <= 0 || factor == 0 || number > most / factor) {
    throw WrongUsage(std::string(option) + " takes a time such as 45s, 30m, 2h or 7d, not '" + printable(text, 60) +
                     "'");
  }
  return std::chrono::seconds(number * factor);
}

Time parseExpiry(std::string_view text, Time now) {
  auto time = parseUtc(text);
  if (!time) {
    time = parseUtc(std::string(text) + "T00:00:00Z");
  }
  if (time && *time <= now) {
    throw WrongUsage("--expires is to lie ahead, and " + printable(text, 60) + " has passed");
  }
  if (time) {
    return *time;
  }
  if (text.find_first_of("-:TZ") != std::string_view::npos) {
    throw WrongUsage("--expires takes 2027-01-31T12:00:00Z, 2027-01-31, or a time from now such as 30d, not '" +
                     printable(text, 60) + "'");
  }
  return now + parseDuration(text, "--expires");
}

std::string counted(std::uint64_t number, std::string_view thing) {
  return std::to_string(number) + " " + std::string(thing) + (number == 1 ? "" : "s");
}

} // namespace waybill::cli
