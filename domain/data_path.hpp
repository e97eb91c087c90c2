// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace waybill {

/// Where data is in an instance: a checked absolute path such as "/docs/a.pdf". It names a row of the catalog, never a
/// file.
///
/// Rules: begins with "/", valid UTF-8 (RFC 3629), no control characters (so no NUL), no empty, "." or ".." segment, no
/// "/" at the end (but the root, "/", is a prefix), at most 1,024 bytes, at most 255 bytes a segment.
class DataPath {
public:
  static constexpr std::size_t maxBytes = 1024;
  static constexpr std::size_t maxSegmentBytes = 255;

  /// The path of an object; a missing leading "/" is added. Throws Fault BadParameter saying which rule `text` breaks.
  [[nodiscard]] static DataPath parse(std::string_view text);

  [[nodiscard]] const std::string &text() const noexcept { return text_; }
  friend bool operator==(const DataPath &, const DataPath &) = default;
  friend auto operator<=>(const DataPath &, const DataPath &) = default;

private:
  explicit DataPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// A path prefix in grants, tokens and List: the same rules, but "/" and a final "/" are allowed; an empty text means
/// "/". The result begins with "/" and has no final "/" unless it is "/" itself. Throws Fault BadParameter.
[[nodiscard]] std::string parsePathPrefix(std::string_view text);

/// True when `path` is `prefix` or below it, by whole segments: "/a" covers "/a" and "/a/b", never "/ab".
[[nodiscard]] bool isUnder(std::string_view path, std::string_view prefix) noexcept;

} // namespace waybill
