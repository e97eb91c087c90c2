// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/fault_checks.hpp"
#include "transport/fetch.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace waybill::transport {

constexpr std::uint64_t mebibyte = 1024 * 1024;

/// Options with which a test of what is tried again does not take long.
inline FetchOptions quick() {
  FetchOptions options;
  options.firstPause = std::chrono::milliseconds(1);
  options.longestPause = std::chrono::milliseconds(20);
  options.client.stallDeadline = std::chrono::seconds(1);
  return options;
}

inline std::string allOf(const Fetched &fetched) { return readAll(*fetched.body, 64 * mebibyte, "what was fetched"); }

} // namespace waybill::transport
