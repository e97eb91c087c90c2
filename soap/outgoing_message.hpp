// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "soap/incoming_message.hpp"
#include "soap/version.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::soap {

/// Bytes that travel beside an envelope.
struct OutgoingPart {
  std::string contentId;                         ///< without < and >
  std::string contentType;                       ///< application/octet-stream when empty
  std::optional<std::uint64_t> size;             ///< bytes, where known: then the whole message has a known length
  std::function<std::unique_ptr<Source>()> open; ///< called once, when its turn comes and the part before is done with
};

/// A message ready to be sent: the envelope as text and its parts in order, root first, without
/// Content-Transfer-Encoding (zeep would strip line ends from binary parts), each part with its Content-ID.
///
/// Content-IDs, content types, action and boundary go into header fields. contentType(), write() and source() check
/// them before anything else and throw Fault Internal for characters that could end a field, for two parts of one
/// Content-ID, and for parts in a plain message.
struct OutgoingMessage {
  Version version = Version::Soap11;
  std::string action; ///< for the `action` parameter (SOAP 1.2); the caller sets SOAPAction
  std::string envelope;
  std::vector<OutgoingPart> parts;
  Packaging packaging = Packaging::Plain; ///< Plain only without parts
  std::string boundary; ///< random; chosen by the caller, unlike anything in the parts with overwhelming likelihood

  /// The Content-Type header for it.
  [[nodiscard]] std::string contentType() const;
  /// The length of what write() sends, when every part's size is known.
  [[nodiscard]] std::optional<std::uint64_t> contentLength() const;
  /// Streams it all into `sink`. Throws what the parts and the sink throw, and Fault Internal when a part's length is
  /// not the size that was promised. `beforeLast`, if given, runs when all parts but the closing boundary have been
  /// written: what it throws keeps the message from ever being complete. (A plain message has no closing boundary:
  /// there it runs first.)
  void write(Sink &sink, const std::function<void()> &beforeLast = {}) const;
  /// The same as a stream to pull from (for uploads by the client). Must not outlive this message.
  [[nodiscard]] std::unique_ptr<Source> source() const;
};

} // namespace waybill::soap
