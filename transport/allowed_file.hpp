// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "transport/egress.hpp"

#include <memory>
#include <string>

namespace waybill::transport {

/// The regular file that a `file` URL names, open for reading, of the size it has now. Where it really is, all links
/// followed, must be under a folder of `policy`; that is asked of the opened file itself, so nothing can be put in its
/// place in between. Devices and pipes are never opened. Throws Fault AddressNotAllowed, NoSuchData, DeliveryFailed.
[[nodiscard]] std::unique_ptr<Source> openAllowedFile(const EgressPolicy &policy, const std::string &url);

} // namespace waybill::transport
