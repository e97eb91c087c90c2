// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace waybill {

/// WS-Addressing 1.0 Core, section 2: an address and what has to be sent along to it.
struct EndpointReference {
  static constexpr const char *anonymous = "http://www.w3.org/2005/08/addressing/anonymous";
  static constexpr const char *none = "http://www.w3.org/2005/08/addressing/none";

  std::string address;
  /// Each child of wsa:ReferenceParameters as an XML element that stands alone: every prefix in use is declared on it.
  std::vector<std::string> referenceParameters;

  [[nodiscard]] bool isAnonymous() const noexcept { return address == anonymous; }
  [[nodiscard]] bool isNone() const noexcept { return address == none; }
  friend bool operator==(const EndpointReference &, const EndpointReference &) = default;
};

} // namespace waybill
