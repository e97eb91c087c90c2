// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace waybill {

/// Where unpredictable bytes come from; handed in through constructors. Thread-safe. security/ has the real one.
class Random {
public:
  virtual ~Random() = default;
  /// Fills `into` with bytes fit for keys and identifiers. Throws Fault Internal when the system has none.
  virtual void fill(std::span<std::byte> into) = 0;
};

/// 128 random bits as 32 lower-case hex digits: the form of token ids and object ids.
[[nodiscard]] std::string randomId(Random &random);

/// A random UUID (RFC 4122 version 4), for "urn:uuid:" message ids.
[[nodiscard]] std::string randomUuid(Random &random);

} // namespace waybill
