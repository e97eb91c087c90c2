// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/data.hpp"

#include <string>
#include <string_view>

namespace waybill::cli {

/// Something at another instance: "ALIAS:/path" or "https://host:port/path"; without a path it is all of it.
struct RemoteName {
  std::string instance; ///< alias, or "https://host:port"
  std::string path;     ///< as written, beginning with "/"; "/" when it was left out
  std::string prefix;   ///< what stood before the path: "ALIAS:" or "https://host:port"

  [[nodiscard]] bool namesFolder() const { return path.ends_with('/'); }
  /// True for the URL of a data object, as `Id` has it: https://host:port/data/<32 hex digits>.
  [[nodiscard]] bool isId() const;
  /// How a message speaks of it: by Id or by Path. Throws Fault BadParameter for what can be no path.
  [[nodiscard]] Data toData() const;
  /// The name of another path at the same instance, as a user would write it.
  [[nodiscard]] std::string withPath(std::string_view other) const { return prefix + std::string(other); }
};

/// Throws WrongUsage when `text` is neither form.
[[nodiscard]] RemoteName parseRemoteName(const std::string &text);
/// Whether it looks like a remote name rather than a file's.
[[nodiscard]] bool looksRemote(std::string_view text);

/// "https://host:port" of a URL, without user, path or slash; throws WrongUsage for anything but https and for
/// a missing host.
[[nodiscard]] std::string originOf(const std::string &url);
/// Whether `url` is `origin` or begins with it and a slash.
[[nodiscard]] bool isBelow(std::string_view url, std::string_view origin);

} // namespace waybill::cli
