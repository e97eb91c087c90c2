// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace waybill::cli {

/// An algorithm at an instance, as users write it: "ALIAS:/text/sort", "ALIAS:text/sort" or
/// "https://host:port/text/sort".
struct AlgorithmName {
  std::string instance; ///< alias, or "https://host:port"
  std::string id;       ///< "text/sort"; empty for all; "text/" for those below
  std::string prefix;   ///< what stands before paths of the instance: "ALIAS:" or "https://host:port"

  /// How a user names another algorithm of the same instance.
  [[nodiscard]] std::string with(const std::string &other) const { return prefix + "/" + other; }
  [[nodiscard]] bool namesOne() const { return !id.empty() && !id.ends_with('/'); }
};

/// Throws WrongUsage for what can be none. An instance alone ("lab", "lab:") is one without an id.
[[nodiscard]] AlgorithmName parseAlgorithmName(const std::string &text);

} // namespace waybill::cli
