// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/progress.hpp"
#include "domain/bytes.hpp"
#include "domain/data.hpp"
#include "soap/incoming_message.hpp"

#include <string>

namespace waybill::cli {

/// Writes the bytes that came for `data` in a reply to `sink`, and compares them with the size and digest that `data`
/// promises. `name` is what messages call it. Throws Fault InvalidMessage when the reply has no bytes for it, and
/// DigestMismatch, after which `sink` has what is not to be used.
void copyChecked(const Data &data, const std::string &name, soap::Attachments &attachments, Sink &sink,
                 Progress &progress);

} // namespace waybill::cli
