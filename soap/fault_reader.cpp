// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/envelope_state.hpp"
#include "soap/fault.hpp"

#include <vector>

namespace waybill::soap {

namespace {

std::string textOf(const xmlNode *element) {
  return element == nullptr ? std::string() : xml::plainText(element).value_or("");
}

/// A child by local name: SOAP 1.1 leaves them unqualified, and not every server does.
xmlNode *part(const xmlNode *parent, const char *space, std::string_view local) {
  auto *found = xml::child(parent, "", local);
  return found != nullptr ? found : xml::child(parent, space, local);
}

/// The fault's codes, the most general first.
std::vector<QName> codesOf(const xmlNode *fault, Version version) {
  std::vector<QName> codes;
  const auto add = [&codes](const xmlNode *value) {
    if (value != nullptr) {
      const auto text = textOf(value);
      codes.push_back(xml::resolve(value, text).value_or(QName{{}, text}));
    }
  };
  if (version == Version::Soap11) {
    add(part(fault, soap11Namespace, "faultcode"));
    return codes;
  }
  const auto *code = xml::child(fault, soap12Namespace, "Code");
  while (code != nullptr) {
    add(xml::child(code, soap12Namespace, "Value"));
    code = xml::child(code, soap12Namespace, "Subcode");
  }
  return codes;
}

/// The reason in English if there is one, else the first.
std::string reasonOf(const xmlNode *fault, Version version) {
  if (version == Version::Soap11) {
    return textOf(part(fault, soap11Namespace, "faultstring"));
  }
  const auto *reason = xml::child(fault, soap12Namespace, "Reason");
  const auto *first = reason == nullptr ? nullptr : xml::firstElement(reason);
  for (const auto *text = first; text != nullptr; text = xml::nextElement(text)) {
    if (xml::attribute(text, "http://www.w3.org/XML/1998/namespace", "lang").value_or("").starts_with("en")) {
      return textOf(text);
    }
  }
  return textOf(first);
}

std::string orSilence(std::string reason) {
  return reason.empty() ? "the other side sent a fault that gives no reason" : std::move(reason);
}

Fault ours(const xmlNode *told, std::string otherwise) {
  std::vector<std::string> tried;
  for (const auto *each = xml::firstElement(told); each != nullptr; each = xml::nextElement(each)) {
    if (xml::is(each, waybillNamespace, "Tried")) {
      tried.push_back(textOf(each));
    }
  }
  auto reason = textOf(xml::child(told, waybillNamespace, "Reason"));
  return Fault(faultCodeNamed(textOf(xml::child(told, waybillNamespace, "Code"))),
               orSilence(reason.empty() ? std::move(otherwise) : std::move(reason)),
               textOf(xml::child(told, waybillNamespace, "Subject")), std::move(tried));
}

/// Our code for one on the wire; nothing for what only its sender knows.
std::optional<FaultCode> known(const QName &code, const char *soapSpace) {
  const bool standard = code.space == soapSpace && (code.local == "MustUnderstand" || code.local == "VersionMismatch");
  if (!standard && code.space != addressingNamespace && code.space != waybillNamespace) {
    return std::nullopt;
  }
  const auto found = faultCodeNamed(code.local);
  return name(found) == code.local ? std::optional(found) : std::nullopt;
}

/// True when the message is at fault, so that the same one is never taken (SOAP 1.2 part 1, section 5.4.6; SOAP 1.1,
/// section 4.4.1, where a dot may go on to something finer).
bool isOfSender(const std::vector<QName> &codes, const char *soapSpace) {
  if (codes.empty() || codes.front().space != soapSpace) {
    return false;
  }
  const auto &outer = codes.front().local;
  return outer == "Sender" || outer == "Client" || outer.starts_with("Client.") || outer == "DataEncodingUnknown";
}

/// What WS-Addressing's detail, or SOAP 1.2's NotUnderstood, says that the fault is about.
std::string subjectIn(const xmlNode *holder) {
  for (const auto *each = holder == nullptr ? nullptr : xml::firstElement(holder); each != nullptr;
       each = xml::nextElement(each)) {
    if (xml::is(each, addressingNamespace, "ProblemHeaderQName")) {
      const auto name = xml::resolve(each, textOf(each));
      return name && name->space == addressingNamespace ? "wsa:" + name->local : textOf(each);
    }
    if (xml::is(each, addressingNamespace, "ProblemIRI")) {
      return textOf(each);
    }
    if (xml::is(each, addressingNamespace, "ProblemAction")) {
      return textOf(xml::child(each, addressingNamespace, "Action"));
    }
    if (xml::is(each, soap12Namespace, "NotUnderstood")) {
      const auto qname = xml::attribute(each, "", "qname").value_or("");
      const auto name = xml::resolve(each, qname);
      return name ? xml::clarkName(*name) : qname;
    }
  }
  return {};
}

} // namespace

Fault decodeFault(const Envelope &envelope) {
  const auto &state = *envelope.state_;
  const auto *fault = state.content;
  const auto *detail = part(fault, state.space(), state.version == Version::Soap11 ? "detail" : "Detail");
  auto reason = reasonOf(fault, state.version);
  if (const auto *told = detail == nullptr ? nullptr : xml::child(detail, waybillNamespace, "Fault")) {
    return ours(told, std::move(reason));
  }
  const auto codes = codesOf(fault, state.version);
  for (auto code = codes.rbegin(); code != codes.rend(); ++code) {
    if (const auto meant = known(*code, state.space())) {
      auto subject = subjectIn(detail);
      if (subject.empty() && state.header != nullptr) {
        const auto *inHeader = xml::child(state.header, addressingNamespace, "FaultDetail");
        subject = subjectIn(inHeader != nullptr ? inHeader : state.header);
      }
      return Fault(*meant, orSilence(std::move(reason)), std::move(subject));
    }
  }
  return Fault(isOfSender(codes, state.space()) ? FaultCode::InvalidMessage : FaultCode::Internal,
               orSilence(std::move(reason)), codes.empty() ? std::string() : xml::clarkName(codes.back()));
}

} // namespace waybill::soap
