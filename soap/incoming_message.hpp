// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/budget.hpp"
#include "soap/attachments.hpp"
#include "soap/limits.hpp"
#include "soap/version.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::soap {

/// How the sender packed the message; a reply is packed the same way unless asked otherwise.
enum class Packaging : std::uint8_t { Plain, SwA, Mtom };

/// A request or reply as it comes off the wire: its root part read into memory (within limits), its other parts still
/// to be pulled.
struct IncomingMessage {
  std::string root;                  ///< the bytes of the envelope
  std::optional<Version> version;    ///< what the media type says; the envelope has the last word
  std::optional<std::string> action; ///< the `action` parameter, wherever it was (SOAP 1.2, start-info)
  std::string charset;               ///< of the root part's media type; empty when not given
  Packaging packaging = Packaging::Plain;
  Budget::Share memory;                     ///< what the envelope takes of limits.memory, until this is gone
  std::unique_ptr<Attachments> attachments; ///< empty, but usable, for a plain message

  /// Reads up to the end of the root part (RFC 2387: `start`, else the first part). `body` must outlive the result;
  /// parts before the root go to `spool`. Throws Fault InvalidMessage (no or unknown Content-Type, no boundary, no root
  /// part, malformed multipart), TooLarge, and Busy when limits.memory or limits.unopened has no room.
  ///
  /// Media types taken: text/xml, application/soap+xml, application/xop+xml, application/xml, and multipart/related
  /// around them; labels that disagree with the envelope's version are no error (node soap, SOAP::Lite and others
  /// mislabel).
  [[nodiscard]] static IncomingMessage read(std::string_view contentType, Source &body, const Limits &limits,
                                            Spool spool);
};

} // namespace waybill::soap
