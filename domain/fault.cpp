// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"

#include <array>
#include <utility>

namespace waybill {

namespace {

using enum FaultCode;

constexpr std::array allCodes{InvalidMessage,
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
                              AlgorithmFailed,
                              DeliveryFailed,
                              NoSpace,
                              Busy,
                              Internal,
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
                              VersionMismatch,
                              MustUnderstand};

} // namespace

std::string_view name(FaultCode code) noexcept {
  switch (code) {
  case InvalidMessage: return "InvalidMessage";
  case NoToken: return "NoToken";
  case UntrustedKey: return "UntrustedKey";
  case BadToken: return "BadToken";
  case TokenExpired: return "TokenExpired";
  case TokenReplayed: return "TokenReplayed";
  case NotAllowed: return "NotAllowed";
  case NoSuchData: return "NoSuchData";
  case AlreadyExists: return "AlreadyExists";
  case DigestMismatch: return "DigestMismatch";
  case UnresolvableData: return "UnresolvableData";
  case TooLarge: return "TooLarge";
  case NoSuchAlgorithm: return "NoSuchAlgorithm";
  case BadParameter: return "BadParameter";
  case NoSuchTransfer: return "NoSuchTransfer";
  case AddressNotAllowed: return "AddressNotAllowed";
  case AlgorithmFailed: return "AlgorithmFailed";
  case DeliveryFailed: return "DeliveryFailed";
  case NoSpace: return "NoSpace";
  case Busy: return "Busy";
  case Internal: return "Internal";
  case InvalidAddressingHeader: return "InvalidAddressingHeader";
  case InvalidAddress: return "InvalidAddress";
  case InvalidEndpointReference: return "InvalidEPR";
  case InvalidCardinality: return "InvalidCardinality";
  case MissingAddressInEndpointReference: return "MissingAddressInEPR";
  case DuplicateMessageId: return "DuplicateMessageID";
  case ActionMismatch: return "ActionMismatch";
  case OnlyAnonymousAddressSupported: return "OnlyAnonymousAddressSupported";
  case OnlyNonAnonymousAddressSupported: return "OnlyNonAnonymousAddressSupported";
  case MessageAddressingHeaderRequired: return "MessageAddressingHeaderRequired";
  case DestinationUnreachable: return "DestinationUnreachable";
  case ActionNotSupported: return "ActionNotSupported";
  case EndpointUnavailable: return "EndpointUnavailable";
  case VersionMismatch: return "VersionMismatch";
  case MustUnderstand: return "MustUnderstand";
  }
  return "Internal";
}

FaultCode faultCodeNamed(std::string_view wanted) noexcept {
  for (const auto code : allCodes) {
    if (name(code) == wanted) {
      return code;
    }
  }
  return Internal;
}

bool isSenders(FaultCode code) noexcept {
  switch (code) {
  case AlgorithmFailed:
  case DeliveryFailed:
  case NoSpace:
  case Busy:
  case Internal:
  case EndpointUnavailable: return false;
  case InvalidMessage:
  case NoToken:
  case UntrustedKey:
  case BadToken:
  case TokenExpired:
  case TokenReplayed:
  case NotAllowed:
  case NoSuchData:
  case AlreadyExists:
  case DigestMismatch:
  case UnresolvableData:
  case TooLarge:
  case NoSuchAlgorithm:
  case BadParameter:
  case NoSuchTransfer:
  case AddressNotAllowed:
  case InvalidAddressingHeader:
  case InvalidAddress:
  case InvalidEndpointReference:
  case InvalidCardinality:
  case MissingAddressInEndpointReference:
  case DuplicateMessageId:
  case ActionMismatch:
  case OnlyAnonymousAddressSupported:
  case OnlyNonAnonymousAddressSupported:
  case MessageAddressingHeaderRequired:
  case DestinationUnreachable:
  case ActionNotSupported:
  case VersionMismatch:
  case MustUnderstand: return true;
  }
  return false;
}

Fault::Fault(FaultCode code, std::string reason, std::string subject, std::vector<std::string> tried, LogText log)
    : code_(code), reason_(std::move(reason)), subject_(std::move(subject)), tried_(std::move(tried)),
      log_(std::move(log)), what_(std::string(name(code)) + ": " + reason_) {
  if (!subject_.empty()) {
    what_ += " (" + subject_ + ")";
  }
}

} // namespace waybill
