// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/representation.hpp"

#include "domain/text.hpp"

#include <curl/curl.h>

#include <charconv>

namespace waybill::transport {

namespace {

/// Takes digits off the front of `text`.
std::optional<std::uint64_t> takeNumber(std::string_view &text) {
  std::uint64_t number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
  return number;
}

bool takeCharacter(std::string_view &text, char wanted) {
  if (!text.starts_with(wanted)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::string strongEtag(const Headers &headers) {
  const auto etag = headers.get("ETag").value_or("");
  return etag.size() >= 2 && etag.front() == '"' ? etag : "";
}

/// A date says which version it is only when a second change within that second can be ruled out (RFC 9110 section
/// 8.8.2.2).
bool isStrongDate(const Headers &headers) {
  const auto modified = curl_getdate(headers.get("Last-Modified").value_or("").c_str(), nullptr);
  const auto sent = curl_getdate(headers.get("Date").value_or("").c_str(), nullptr);
  return modified > 0 && sent > modified;
}

} // namespace

std::optional<ContentRange> parseContentRange(std::string_view text) {
  static constexpr std::string_view unit = "bytes ";
  if (text.size() < unit.size() || !equalIgnoringCase(text.substr(0, unit.size()), unit)) {
    return std::nullopt;
  }
  text.remove_prefix(unit.size());
  const auto first = takeNumber(text);
  const bool dash = takeCharacter(text, '-');
  const auto last = takeNumber(text);
  const bool slash = takeCharacter(text, '/');
  if (!first || !dash || !last || !slash || *last < *first || *last == UINT64_MAX) {
    return std::nullopt;
  }
  ContentRange range{*first, *last + 1, std::nullopt};
  if (text == "*") {
    return range;
  }
  range.total = takeNumber(text);
  const bool good = range.total && text.empty() && range.end <= *range.total;
  return good ? std::optional(range) : std::nullopt;
}

Representation::Representation(const Exchange &reply) : ftp_(reply.isFtp()) {
  if (ftp_) {
    size_ = reply.length();
    const auto time = reply.fileTime();
    lastModified_ = time ? std::to_string(*time) : "";
    return;
  }
  const auto &headers = reply.headers();
  etag_ = strongEtag(headers);
  lastModified_ = headers.get("Last-Modified").value_or("");
  dateIsStrong_ = isStrongDate(headers);
  hasRanges_ = !equalIgnoringCase(headers.get("Accept-Ranges").value_or(""), "none");
  if (reply.status() == 206) {
    const auto range = parseContentRange(headers.get("Content-Range").value_or(""));
    size_ = range ? range->total : std::nullopt;
  } else {
    size_ = reply.length();
  }
}

bool Representation::canContinue() const noexcept {
  if (ftp_) {
    return size_ && !lastModified_.empty();
  }
  return hasRanges_ && (!etag_.empty() || dateIsStrong_);
}

Headers Representation::asking(std::uint64_t begin, std::optional<std::uint64_t> end) const {
  if (ftp_) {
    return {};
  }
  Headers headers;
  headers.add("Range", "bytes=" + std::to_string(begin) + "-" + (end ? std::to_string(*end - 1) : ""));
  headers.add("If-Range", etag_.empty() ? lastModified_ : etag_);
  return headers;
}

std::optional<std::string> Representation::versionMismatch(const Exchange &reply) const {
  const Representation other(reply);
  if (!etag_.empty() && !other.etag_.empty() && etag_ != other.etag_) {
    return "it has changed meanwhile (ETag " + printable(etag_, 80) + " before, " + printable(other.etag_, 80) +
           " now)";
  }
  if (!lastModified_.empty() && !other.lastModified_.empty() && lastModified_ != other.lastModified_) {
    return "it has changed meanwhile (modified " + printable(lastModified_, 80) + " before, " +
           printable(other.lastModified_, 80) + " now)";
  }
  return std::nullopt;
}

std::optional<std::string> Representation::mismatch(const Exchange &reply, std::uint64_t begin,
                                                    std::optional<std::uint64_t> end) const {
  if (auto changed = versionMismatch(reply)) {
    return changed;
  }
  if (ftp_) {
    const auto rest = reply.length();
    const bool same = rest && size_ && begin + *rest == *size_ && reply.fileTime();
    return same ? std::nullopt : std::optional<std::string>("its size or time is another, or not told, now");
  }
  if (reply.status() != 206) {
    return "the server was asked for the bytes from " + std::to_string(begin) +
           " on and sends the whole: it does no ranges, or the content has changed meanwhile";
  }
  const auto text = reply.headers().get("Content-Range").value_or("");
  const auto range = parseContentRange(text);
  if (!range || range->begin != begin || (end && range->end > *end)) {
    return "the server was asked for the bytes from " + std::to_string(begin) + " on and answers with Content-Range '" +
           printable(text, 80) + "'";
  }
  if (size_ && range->total != size_) {
    return "it was " + std::to_string(*size_) + " bytes long, and now Content-Range is '" + printable(text, 80) + "'";
  }
  if (reply.length() && *reply.length() != range->end - range->begin) {
    return "Content-Range '" + printable(text, 80) + "' and Content-Length " + std::to_string(*reply.length()) +
           " do not agree";
  }
  return std::nullopt;
}

} // namespace waybill::transport
