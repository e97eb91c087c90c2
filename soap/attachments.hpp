// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "soap/limits.hpp"
#include "soap/multipart_reader.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace waybill::soap {

/// A place for bytes that came before they were asked for; gone when it is destroyed.
///
/// Several parts of a message share one: after a source has been read, more may be written (behind what is there), and
/// then another source be opened. No source is in use while something is written.
class SpoolFile : public Sink {
public:
  /// The bytes written so far, from the start. The source must not outlive the file.
  [[nodiscard]] virtual std::unique_ptr<Source> reopen() = 0;
  /// The same from `offset` on. Unless overridden by what can seek, it reads up to there.
  [[nodiscard]] virtual std::unique_ptr<Source> reopenAt(std::uint64_t offset);
};
/// Makes spool files (storage/ has the real one, in its staging folder).
using Spool = std::function<std::unique_ptr<SpoolFile>()>;

/// The parts of one incoming message other than the root, found by reference and pulled as streams.
///
/// Only forward reading happens: a part that is wanted later than it comes is spooled (small ones stay in memory while
/// there are few), one that nobody wants is skipped. At most one source that open() returned may be in use at a time.
/// One thread at a time. All but addInline() throw as MultipartReader does, and Fault TooLarge past limits.early_bytes
/// and limits.unreferenced_bytes.
class Attachments {
public:
  virtual ~Attachments() = default;

  /// Tells which references ("cid:..." or any URI that may be a Content-ID or Content-Location) the message uses,
  /// each as often as it will be opened; call it once, before the first open(). Parts that match none are skipped
  /// without being kept, and those that match several are kept.
  virtual void want(std::multiset<std::string> references) = 0;

  /// The decoded bytes of the part that `reference` names: "cid:" + Content-ID, percent-decoded (RFC 2392), or else a
  /// Content-ID or Content-Location equal to it. Null when no part of the whole message has that name (then all of it
  /// has been read). Locations are compared as given, relative ones as relative to "thismessage:/" (RFC 2557 section
  /// 5), so "/a", "./a" and "a" are one. The source stays valid until the next call of open() or finish(); reading it
  /// later throws Fault Internal. A part that was passed on as it arrived, because it was wanted once, cannot be had
  /// again: Fault InvalidMessage. (Kept ones, and inline ones, can.)
  [[nodiscard]] virtual std::unique_ptr<Source> open(const std::string &reference) = 0;

  /// What the part's header lines said; nothing when it has not been seen yet.
  [[nodiscard]] virtual std::optional<PartInfo> info(const std::string &reference) const = 0;

  /// Adds bytes that the envelope itself carried (inline base64) under `contentId`.
  virtual void addInline(std::string contentId, std::string bytes) = 0;

  /// Reads to the closing boundary, so that nothing is committed for a message that was cut. Throws as MultipartReader
  /// does.
  virtual void finish() = 0;
};

} // namespace waybill::soap
