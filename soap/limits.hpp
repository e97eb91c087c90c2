// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/budget.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace waybill::soap {

/// How much of a message is believed before it is refused (configuration section [limits], docs/operations.md).
struct Limits {
  std::uint64_t envelopeBytes = 16ULL << 20U; ///< the root part, inline base64 included
  std::size_t depth = 64;                     ///< nested elements in the envelope
  std::size_t attributes = 128; ///< attributes and namespace declarations on one element; declarations in scope at once
  std::size_t headers = 64;     ///< children of soap:Header
  std::size_t elements = 200'000; ///< elements in the envelope; also attributes, comments and CDATA sections in it
  std::size_t parts = 10'000;     ///< parts of one multipart message
  std::size_t partHeaderBytes = 16ULL * 1024; ///< header lines of one part
  std::uint64_t preambleBytes = 64ULL * 1024; ///< before the first boundary
  std::uint64_t earlyBytes = 1ULL << 30U;     ///< parts that come before the root part, or before they are asked for
  std::uint64_t unopenedBytes = 64ULL << 20U; ///< those that come before the root part, so before any token
  std::uint64_t unreferencedBytes = 64ULL << 20U; ///< parts that nothing in the message refers to

  // What all messages together may take, those under a copy of these limits too; null: what they like.
  std::shared_ptr<Budget> memory;   ///< envelopes (soap/memory.hpp)
  std::shared_ptr<Budget> unopened; ///< bytes of parts that came before the root part, while they wait for their token
};

} // namespace waybill::soap
