// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/random.hpp"

#include "domain/bytes.hpp"

#include <array>

namespace waybill {

std::string randomId(Random &random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  return toHex(bytes);
}

std::string randomUuid(Random &random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0F}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
  auto text = toHex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) {
    text.insert(at, 1, '-');
  }
  return text;
}

} // namespace waybill
