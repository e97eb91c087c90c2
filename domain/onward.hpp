// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/endpoint_reference.hpp"

#include <cstdint>

namespace waybill {

/// The header `wb:Onward`: where the receiver of a delivery sends its own response, and which one (wsdl/common.xsd).
struct Onward {
  enum class Send : std::uint8_t {
    Receipt, ///< the ReceiveResponse
    Data,    ///< a CopyResponse with what was received
  };

  EndpointReference to; ///< its reference parameters may hold the next wb:Onward
  Send send = Send::Receipt;
  friend bool operator==(const Onward &, const Onward &) = default;
};

} // namespace waybill
