// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"

#include <string>

namespace waybill::cli {

/// A command line that cannot mean anything: exit code 2.
class WrongUsage : public Fault {
public:
  explicit WrongUsage(std::string reason) : Fault(FaultCode::BadParameter, std::move(reason)) {}
};

} // namespace waybill::cli
