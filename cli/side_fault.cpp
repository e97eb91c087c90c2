// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/side_fault.hpp"

#include <algorithm>

namespace waybill::cli {

namespace {

/// What its operator, or the caller, has to do about it; empty when the fault says it all.
std::string advice(const std::string &side, const Fault &fault, const std::string &other) {
  if (isRefusedAddress(fault)) {
    return "its operator lets it call the other side with: waybill --home HOME trust " + other +
           " (or egress.allow in its waybill.toml)";
  }
  if (fault.code() == FaultCode::UntrustedKey || fault.code() == FaultCode::BadToken) {
    return "at the " + side +
           ", your key has to be trusted: waybill --home HOME trust YOUR.pem --as NAME, and then: "
           "waybill --home HOME grant NAME RIGHTS PATH";
  }
  if (fault.code() == FaultCode::TokenExpired) {
    return "it did not get there in the time that the token was good for; run the command again";
  }
  return {};
}

} // namespace

bool isRefusedAddress(const Fault &fault) {
  return fault.code() == FaultCode::AddressNotAllowed ||
         std::any_of(fault.tried().begin(), fault.tried().end(), [](const std::string &way) {
           return way.find(name(FaultCode::AddressNotAllowed)) != std::string::npos;
         });
}

Fault about(const std::string &side, const Fault &fault) {
  return {fault.code(), side + ": " + fault.reason(), fault.subject(), fault.tried()};
}

Fault explained(const std::string &side, const Fault &fault, const std::string &other) {
  auto told = about(side, fault);
  const auto hint = advice(side, fault, other);
  return hint.empty() ? told : Fault(told.code(), told.reason() + "; " + hint, told.subject(), told.tried());
}

} // namespace waybill::cli
