// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/budget.hpp"
#include "domain/bytes.hpp"
#include "soap/limits.hpp"

#include <cstdint>
#include <string>

/// What messages cost in memory, in estimated bytes of Limits::memory.
namespace waybill::soap {

/// Each byte of an envelope: as it came, in the document, and decoded.
inline constexpr std::uint64_t memoryOfByte = 3;
/// Each element, attribute, comment and CDATA section in it, beside its text.
inline constexpr std::uint64_t memoryOfNode = 256;
/// Each byte of content that a reply has as inline base64: read, encoded, and in the body and the envelope around it.
inline constexpr std::uint64_t memoryOfInline = 7;

/// What to say when Limits::memory has no room.
inline constexpr const char *noMemoryText =
    "this instance has as many large envelopes in memory as it takes at once (limits.memory_bytes); try again in a "
    "moment, or send and ask for content as attachments";

/// Takes of the budget for memory. Throws Fault Busy when there is no room.
void takeMemory(Budget::Share &memory, std::uint64_t bytes);

/// The envelope that `source` is, its memory taken while it comes. Throws Fault TooLarge past limits.envelope_bytes,
/// and Busy.
[[nodiscard]] std::string readEnvelope(Source &source, const Limits &limits, Budget::Share &memory);

} // namespace waybill::soap
