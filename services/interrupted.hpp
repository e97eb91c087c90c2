// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <exception>

namespace waybill::services {

/// Ends an attempt from within: the transfer was cancelled, or the instance stops.
class Interrupted : public std::exception {
public:
  [[nodiscard]] const char *what() const noexcept override { return "the attempt was interrupted"; }
};

} // namespace waybill::services
