// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"

#include <string>

/// Faults of calls that two instances take part in: which of them a fault is about, and what is to be done there.
namespace waybill::cli {

/// Whether a side may not call the other; in what is pulled it is one of the ways that were tried.
[[nodiscard]] bool isRefusedAddress(const Fault &fault);

/// The same, its reason beginning with the side that it is about.
[[nodiscard]] Fault about(const std::string &side, const Fault &fault);
/// The same, and what its operator or the caller has to do about it, where the fault does not say it all. `other` is
/// the URL of the other side.
[[nodiscard]] Fault explained(const std::string &side, const Fault &fault, const std::string &other);

} // namespace waybill::cli
