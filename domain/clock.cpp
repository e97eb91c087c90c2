// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/clock.hpp"

#include <charconv>
#include <cstdio>

namespace waybill {

namespace {

using namespace std::chrono;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<microseconds> fraction(std::string_view text) {
  if (text.empty()) {
    return microseconds{0};
  }
  if (text.size() < 2 || text.size() > 10 || text.front() != '.') {
    return std::nullopt;
  }
  int value = 0;
  for (std::size_t i = 1; i <= 9; ++i) {
    const char c = i < text.size() ? text[i] : '0';
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    if (i <= 6) {
      value = value * 10 + (c - '0');
    }
  }
  return microseconds{value};
}

} // namespace

Time SystemClock::now() const { return floor<microseconds>(system_clock::now()); }

std::string formatUtc(Time time) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  char text[40];
  int length = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                             static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                             static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                             static_cast<int>(clock.seconds().count()));
  std::string result(text, static_cast<std::size_t>(length));
  if (const auto micro = clock.subseconds().count(); micro != 0) {
    length = std::snprintf(text, sizeof text, ".%06d", static_cast<int>(micro));
    result.append(text, static_cast<std::size_t>(length));
  }
  return result + 'Z';
}

std::optional<Time> parseUtc(std::string_view text) {
  if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto dayOfMonth = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  const auto rest = fraction(text.substr(19, text.size() - 20));
  if (!year || !month || !dayOfMonth || !hour || !minute || !second || !rest) {
    return std::nullopt;
  }
  const year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                            day{static_cast<unsigned>(*dayOfMonth)}};
  if (!date.ok() || *year < 1970 || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  return Time{sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second} + *rest};
}

} // namespace waybill
