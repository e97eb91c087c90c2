// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "soap/addressing.hpp"
#include "soap/envelope.hpp"
#include "soap/version.hpp"

#include <string>
#include <vector>

namespace waybill::soap {

/// A fault on its way to a peer.
struct FaultReply {
  std::string envelope;
  std::string action; ///< wsa:Action that belongs to it
  int httpStatus = 500;
};

/// The envelope for `fault`: SOAP 1.1 (section 4.4; HTTP 500) or 1.2 (section 5.4; 400 for the sender's, else 500),
/// with `wb:Fault` in the detail, and for WS-Addressing's faults the codes, subcodes and problem headers of its SOAP
/// Binding, section 6. `reply` are the addressing headers to send with it (RelatesTo, To, MessageID); its action is set
/// here when it is `used`. `echoed` are further header blocks: the reference parameters of the endpoint that the fault
/// goes to (Core, section 3.4). The log text of the fault is never written.
[[nodiscard]] FaultReply encodeFault(const Fault &fault, Version version, Addressing reply,
                                     const std::vector<std::string> &echoed = {});

/// The Fault that a peer's soap:Fault says; also for faults of foreign servers (code Internal, their reason).
/// `envelope.isFault()` must hold.
[[nodiscard]] Fault decodeFault(const Envelope &envelope);

} // namespace waybill::soap
