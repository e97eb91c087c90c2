// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/fault.hpp"

#include "domain/text.hpp"

#include <vector>

namespace waybill::soap {

namespace {

enum class Side : std::uint8_t { Sender, Receiver, MustUnderstand, VersionMismatch };
enum class Family : std::uint8_t {
  Waybill,          ///< told in wb:Fault
  AddressingHeader, ///< wsa:InvalidAddressingHeader, and what is wrong with it below that
  Addressing,       ///< a subcode of WS-Addressing of its own
  Soap              ///< SOAP's own, without a subcode
};
struct WireCode {
  Side side;
  Family family;
};

/// The one place where codes become what goes over the wire. No default: the compiler names a code that is missing.
WireCode wireCode(FaultCode code) noexcept {
  switch (code) {
  case FaultCode::InvalidMessage:
  case FaultCode::NoToken:
  case FaultCode::UntrustedKey:
  case FaultCode::BadToken:
  case FaultCode::TokenExpired:
  case FaultCode::TokenReplayed:
  case FaultCode::NotAllowed:
  case FaultCode::NoSuchData:
  case FaultCode::AlreadyExists:
  case FaultCode::DigestMismatch:
  case FaultCode::UnresolvableData:
  case FaultCode::TooLarge:
  case FaultCode::NoSuchAlgorithm:
  case FaultCode::BadParameter:
  case FaultCode::NoSuchTransfer:
  case FaultCode::AddressNotAllowed: return {Side::Sender, Family::Waybill};
  case FaultCode::AlgorithmFailed:
  case FaultCode::DeliveryFailed:
  case FaultCode::NoSpace:
  case FaultCode::Busy:
  case FaultCode::Internal: return {Side::Receiver, Family::Waybill};
  case FaultCode::InvalidAddress:
  case FaultCode::InvalidEndpointReference:
  case FaultCode::InvalidCardinality:
  case FaultCode::MissingAddressInEndpointReference:
  case FaultCode::DuplicateMessageId:
  case FaultCode::ActionMismatch:
  case FaultCode::OnlyAnonymousAddressSupported:
  case FaultCode::OnlyNonAnonymousAddressSupported: return {Side::Sender, Family::AddressingHeader};
  case FaultCode::InvalidAddressingHeader:
  case FaultCode::MessageAddressingHeaderRequired:
  case FaultCode::DestinationUnreachable:
  case FaultCode::ActionNotSupported: return {Side::Sender, Family::Addressing};
  case FaultCode::EndpointUnavailable: return {Side::Receiver, Family::Addressing};
  case FaultCode::VersionMismatch: return {Side::VersionMismatch, Family::Soap};
  case FaultCode::MustUnderstand: return {Side::MustUnderstand, Family::Soap};
  }
  return {Side::Receiver, Family::Waybill};
}

std::string_view soapCode(Side side, Version version) noexcept {
  const bool old = version == Version::Soap11;
  switch (side) {
  case Side::Sender: return old ? "soap:Client" : "soap:Sender";
  case Side::Receiver: return old ? "soap:Server" : "soap:Receiver";
  case Side::MustUnderstand: return "soap:MustUnderstand";
  case Side::VersionMismatch: return "soap:VersionMismatch";
  }
  return "soap:Server";
}

bool isAddressings(Family family) noexcept {
  return family == Family::AddressingHeader || family == Family::Addressing;
}

std::string_view actionOf(Family family) noexcept {
  switch (family) {
  case Family::Waybill: return "urn:waybill:1/Fault";
  case Family::AddressingHeader:
  case Family::Addressing: return "http://www.w3.org/2005/08/addressing/fault";
  case Family::Soap: return "http://www.w3.org/2005/08/addressing/soap/fault";
  }
  return "urn:waybill:1/Fault";
}

std::string element(std::string_view name, std::string_view content) {
  std::string text = "<";
  text += name;
  text += '>';
  text += content;
  text += "</";
  text += name;
  text += '>';
  return text;
}

std::string waybillDetail(const Fault &fault) {
  auto text = std::string("<wb:Fault xmlns:wb=\"") + waybillNamespace + "\">";
  text += element("wb:Code", name(fault.code())) + element("wb:Reason", escapeXml(fault.reason()));
  if (!fault.subject().empty()) {
    text += element("wb:Subject", escapeXml(fault.subject()));
  }
  for (const auto &tried : fault.tried()) {
    text += element("wb:Tried", escapeXml(tried));
  }
  return text + "</wb:Fault>";
}

/// What SOAP Binding section 6.4 puts into the detail; empty when the fault does not say what it is about.
std::string addressingDetail(const Fault &fault) {
  if (fault.subject().empty()) {
    return {};
  }
  const auto subject = escapeXml(fault.subject());
  const auto open = [](std::string_view local) {
    return "<wsa:" + std::string(local) + " xmlns:wsa=\"" + addressingNamespace + "\">";
  };
  if (fault.code() == FaultCode::ActionNotSupported) {
    return open("ProblemAction") + element("wsa:Action", subject) + "</wsa:ProblemAction>";
  }
  if (fault.code() == FaultCode::DestinationUnreachable || fault.code() == FaultCode::EndpointUnavailable) {
    return open("ProblemIRI") + subject + "</wsa:ProblemIRI>";
  }
  return subject.starts_with("wsa:") ? open("ProblemHeaderQName") + subject + "</wsa:ProblemHeaderQName>"
                                     : std::string();
}

/// The subcodes after the first one of SOAP 1.2, outermost first; the last one is also the faultcode of SOAP 1.1 for
/// WS-Addressing's faults.
std::vector<std::string> subcodes(const Fault &fault, Family family) {
  const std::string own(name(fault.code()));
  switch (family) {
  case Family::Waybill: return {"wb:" + own};
  case Family::AddressingHeader: return {"wsa:InvalidAddressingHeader", "wsa:" + own};
  case Family::Addressing: return {"wsa:" + own};
  case Family::Soap: return {};
  }
  return {};
}

/// SOAP 1.1, section 4.4. WS-Addressing's faults are about headers, so what they say in detail goes into a header (SOAP
/// Binding, section 6.2).
std::string body11(const Fault &fault, WireCode wire) {
  auto text =
      std::string("<soap:Fault xmlns:soap=\"") + soap11Namespace + "\" xmlns:wsa=\"" + addressingNamespace + "\">";
  text += element("faultcode", isAddressings(wire.family) ? subcodes(fault, wire.family).back()
                                                          : soapCode(wire.side, Version::Soap11));
  text += "<faultstring xml:lang=\"en\">" + escapeXml(fault.reason()) + "</faultstring>";
  if (wire.family == Family::Waybill) {
    text += element("detail", waybillDetail(fault));
  }
  return text + "</soap:Fault>";
}

/// SOAP 1.2 part 1, section 5.4.
std::string body12(const Fault &fault, WireCode wire) {
  std::string nested;
  const auto codes = subcodes(fault, wire.family);
  for (auto code = codes.rbegin(); code != codes.rend(); ++code) {
    auto inside = element("soap:Value", *code);
    inside += nested;
    nested = element("soap:Subcode", inside);
  }
  auto text = std::string("<soap:Fault xmlns:soap=\"") + soap12Namespace + "\" xmlns:wsa=\"" + addressingNamespace +
              "\" xmlns:wb=\"" + waybillNamespace + "\">";
  text += element("soap:Code", element("soap:Value", soapCode(wire.side, Version::Soap12)) + nested);
  text += "<soap:Reason><soap:Text xml:lang=\"en\">" + escapeXml(fault.reason()) + "</soap:Text></soap:Reason>";
  const auto detail = wire.family == Family::Waybill ? waybillDetail(fault) : addressingDetail(fault);
  if (!detail.empty() && wire.family != Family::Soap) {
    text += element("soap:Detail", detail);
  }
  return text + "</soap:Fault>";
}

/// Tells a sender of an unknown version which ones are taken (SOAP 1.2 part 1, section 5.4.7; appendix A for 1.1).
std::string upgradeBlock() {
  return std::string("<env:Upgrade xmlns:env=\"") + soap12Namespace +
         "\"><env:SupportedEnvelope qname=\"env:Envelope\"/>" +
         "<env:SupportedEnvelope qname=\"old:Envelope\" xmlns:old=\"" + soap11Namespace + "\"/></env:Upgrade>";
}

/// True for what can be the name of a header that was in a message.
bool isName(std::string_view subject) noexcept {
  return !subject.empty() && !hasControlCharacters(subject) && subject.find('<') == std::string_view::npos;
}

/// SOAP 1.2 part 1, section 5.4.8; the subject is the header's name as "{namespace}local".
std::string notUnderstoodBlock(std::string_view subject) {
  const auto end = subject.starts_with('{') ? subject.find('}') : std::string_view::npos;
  const bool qualified = end != std::string_view::npos;
  auto text = std::string("<env:NotUnderstood xmlns:env=\"") + soap12Namespace + "\" qname=\"";
  if (!qualified) {
    return text + escapeXml(subject) + "\"/>";
  }
  text += "not:";
  text += escapeXml(subject.substr(end + 1));
  text += "\" xmlns:not=\"";
  text += escapeXml(subject.substr(1, end - 1));
  text += "\"/>";
  return text;
}

std::vector<std::string> headerBlocks(const Fault &fault, WireCode wire, Version version) {
  if (wire.side == Side::VersionMismatch) {
    return {upgradeBlock()};
  }
  if (wire.side == Side::MustUnderstand && version == Version::Soap12 && isName(fault.subject())) {
    return {notUnderstoodBlock(fault.subject())};
  }
  if (isAddressings(wire.family) && version == Version::Soap11) {
    if (const auto detail = addressingDetail(fault); !detail.empty()) {
      return {std::string("<wsa:FaultDetail xmlns:wsa=\"") + addressingNamespace + "\">" + detail +
              "</wsa:FaultDetail>"};
    }
  }
  return {};
}

} // namespace

FaultReply encodeFault(const Fault &fault, Version version, Addressing reply, const std::vector<std::string> &echoed) {
  const auto wire = wireCode(fault.code());
  FaultReply result;
  result.action = actionOf(wire.family);
  result.httpStatus = version == Version::Soap12 && wire.side == Side::Sender ? 400 : 500;
  if (reply.used) {
    reply.action = result.action;
  }
  auto blocks = headerBlocks(fault, wire, version);
  blocks.insert(blocks.end(), echoed.begin(), echoed.end());
  result.envelope =
      writeEnvelope(version, reply, blocks, version == Version::Soap11 ? body11(fault, wire) : body12(fault, wire));
  return result;
}

} // namespace waybill::soap
