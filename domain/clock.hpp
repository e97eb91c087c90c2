// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace waybill {

/// An instant, UTC, to the microsecond (what the catalog keeps).
using Time = std::chrono::sys_time<std::chrono::microseconds>;

/// Where the time comes from; handed in through constructors so that tests can choose it. Thread-safe.
class Clock {
public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
public:
  [[nodiscard]] Time now() const override;
};

/// xs:dateTime in UTC with a final Z (XML Schema 1.0 part 2, 3.2.7); microseconds are written only when not zero.
[[nodiscard]] std::string formatUtc(Time time);

/// Reads xs:dateTime that ends in Z, with at most nine fraction digits (those past the sixth are dropped) and a year
/// from 1970 to 9999; nothing for any other text.
[[nodiscard]] std::optional<Time> parseUtc(std::string_view text);

} // namespace waybill
