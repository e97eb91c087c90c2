// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace waybill::transport {

/// How the other side proves who it is.
struct PeerIdentity {
  /// Hex SHA-256 of the SubjectPublicKeyInfo of its TLS certificate (an instance id): pinned, no CA asked. Empty: the
  /// CAs of `caFile`, or of the system.
  std::string pinnedKey;
  std::string caFile;
};

} // namespace waybill::transport
