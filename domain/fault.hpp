// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// Every way a call can fail. The names of the first group are `wb:Fault/Code` on the wire; the other groups are
/// the faults that WS-Addressing 1.0 - SOAP Binding (section 6.4) and SOAP (1.1 section 4.4.1, 1.2 section 5.4.6)
/// define.
enum class FaultCode : std::uint8_t {
  // the sender's doing
  InvalidMessage,
  NoToken,
  UntrustedKey,
  BadToken,
  TokenExpired,
  TokenReplayed,
  NotAllowed,
  NoSuchData,
  AlreadyExists,
  DigestMismatch,
  UnresolvableData,
  TooLarge,
  NoSuchAlgorithm,
  BadParameter,
  NoSuchTransfer,
  AddressNotAllowed,
  // the receiver's doing
  AlgorithmFailed,
  DeliveryFailed,
  NoSpace,
  Busy,
  Internal,
  // WS-Addressing 1.0 SOAP Binding, section 6.4
  InvalidAddressingHeader,
  InvalidAddress,
  InvalidEndpointReference,
  InvalidCardinality,
  MissingAddressInEndpointReference,
  DuplicateMessageId,
  ActionMismatch,
  OnlyAnonymousAddressSupported,
  OnlyNonAnonymousAddressSupported,
  MessageAddressingHeaderRequired,
  DestinationUnreachable,
  ActionNotSupported,
  EndpointUnavailable,
  // SOAP itself
  VersionMismatch,
  MustUnderstand,
};

/// The name of `code` as it appears on the wire, for instance "NoSuchData".
[[nodiscard]] std::string_view name(FaultCode code) noexcept;

/// The code with that name; `Internal` when there is none (a peer newer than we are).
[[nodiscard]] FaultCode faultCodeNamed(std::string_view name) noexcept;

/// Whose doing it is: true for what the sender can mend.
[[nodiscard]] bool isSenders(FaultCode code) noexcept;

/// Text for the log alone. It is a type of its own so that it cannot be put into a reply by mistake.
class LogText {
public:
  LogText() = default;
  explicit LogText(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string &forLog() const noexcept { return text_; }

private:
  std::string text_;
};

/// The one exception that says why a call failed. Thrown anywhere, mapped in one place to a SOAP fault
/// (soap/fault.hpp).
///
/// `reason` is what the peer reads: which side failed, what was asked, what was found, what to do. `subject` is the
/// path, id, element or header concerned. `tried` lists the ways that were tried when there was more than one. `log`
/// never leaves this machine.
class Fault : public std::exception {
public:
  Fault(FaultCode code, std::string reason, std::string subject = {}, std::vector<std::string> tried = {},
        LogText log = LogText{});

  [[nodiscard]] FaultCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string &reason() const noexcept { return reason_; }
  [[nodiscard]] const std::string &subject() const noexcept { return subject_; }
  [[nodiscard]] const std::vector<std::string> &tried() const noexcept { return tried_; }
  [[nodiscard]] const LogText &log() const noexcept { return log_; }
  /// "Code: reason (subject)", for logs and terminals.
  [[nodiscard]] const char *what() const noexcept override { return what_.c_str(); }

private:
  FaultCode code_;
  std::string reason_;
  std::string subject_;
  std::vector<std::string> tried_;
  LogText log_;
  std::string what_;
};

} // namespace waybill
