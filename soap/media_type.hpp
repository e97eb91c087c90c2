// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::soap {

/// A Content-Type value (RFC 2045 section 5.1): "type/subtype" in lower case, and parameters by lower-case name, quotes
/// and escapes taken off.
struct MediaType {
  std::string type;
  std::map<std::string, std::string> parameters;

  /// Nothing when `text` is no media type, or names one parameter twice. Tabs and spaces around ";" and "=" are
  /// accepted (Axis 1.4 sends them).
  [[nodiscard]] static std::optional<MediaType> parse(std::string_view text);
  /// The parameter's value, or an empty text.
  [[nodiscard]] std::string parameter(std::string_view name) const;
};

} // namespace waybill::soap
