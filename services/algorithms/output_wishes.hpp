// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/messages.hpp"

#include <string>

namespace waybill::services {

/// What the Outputs of an Invoke say of how its results are to be called and kept. Throws Fault BadParameter for bytes
/// that are wished, fields that are not the caller's to say, and what cannot be kept, as with an Expires before `now`.
void checkWishes(const InvokeRequest &request, Time now);
/// What the response says of an output; Path and Secure as the caller wants them.
[[nodiscard]] Data describeOutput(const InvokeRequest &request, const std::string &name,
                                  const std::string &contentType);

} // namespace waybill::services
