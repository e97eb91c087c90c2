// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/envelope.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/envelope_state.hpp"

#include <algorithm>

namespace waybill::soap {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::string_view escapeOf(char c) noexcept {
  switch (c) {
  case '&': return "&amp;";
  case '<': return "&lt;";
  case '>': return "&gt;";
  case '"': return "&quot;";
  case '\'': return "&apos;";
  case '\r': return "&#13;";
  case '\t':
  case '\n': return {};
  default: return static_cast<unsigned char>(c) < 0x20 ? replacement : std::string_view{};
  }
}

std::size_t claimedLength(char lead) noexcept {
  const auto octet = static_cast<unsigned char>(lead);
  if (octet >= 0xF0) {
    return 4;
  }
  return octet >= 0xE0 ? 3 : 2;
}

/// Takes one character that is not ASCII off `rest`, as it is or as U+FFFD (XML 1.0, production 2).
void appendOther(std::string &to, std::string_view &rest) {
  const auto sequence = rest.substr(0, claimedLength(rest[0]));
  if (!isUtf8(sequence)) {
    to += replacement;
    rest.remove_prefix(1);
    return;
  }
  to += sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF" ? replacement : sequence;
  rest.remove_prefix(sequence.size());
}

void writeText(std::string &to, const char *name, const std::optional<std::string> &value) {
  if (value) {
    to += std::string("<wsa:") + name + ">" + escapeXml(*value) + "</wsa:" + name + ">";
  }
}

void writeRelation(std::string &to, const char *type, const std::optional<std::string> &value) {
  if (value) {
    to += std::string("<wsa:RelatesTo RelationshipType=\"") + type + "\">" + escapeXml(*value) + "</wsa:RelatesTo>";
  }
}

/// What is inside an element of type wsa:EndpointReferenceType.
void writeInside(std::string &to, const EndpointReference &reference) {
  writeText(to, "Address", reference.address);
  if (!reference.referenceParameters.empty()) {
    to += "<wsa:ReferenceParameters>";
    for (const auto &parameter : reference.referenceParameters) {
      to += parameter;
    }
    to += "</wsa:ReferenceParameters>";
  }
}

void writeReference(std::string &to, const char *name, const std::optional<EndpointReference> &reference) {
  if (reference) {
    to += std::string("<wsa:") + name + ">";
    writeInside(to, *reference);
    to += std::string("</wsa:") + name + ">";
  }
}

std::string addressingHeaders(const Addressing &addressing) {
  std::string text;
  writeText(text, "To", addressing.to);
  writeText(text, "Action", addressing.action);
  writeText(text, "MessageID", addressing.messageId);
  if (addressing.transfer) {
    // Beside another relationship the usual one is written out, for who looks at the first RelationshipType there is.
    writeRelation(text, replyRelationship, addressing.relatesTo);
    writeRelation(text, transferRelationship, addressing.transfer);
  } else {
    writeText(text, "RelatesTo", addressing.relatesTo);
  }
  writeReference(text, "From", addressing.from);
  writeReference(text, "ReplyTo", addressing.replyTo);
  writeReference(text, "FaultTo", addressing.faultTo);
  return text;
}

/// WS-Addressing's namespace as the element declares it under a prefix, declared now if it does not yet. Declarations
/// further in stay as they are.
xmlNs *addressingPrefix(xmlNode *element) {
  std::string prefix = "wsa";
  for (int number = 0;; ++number) {
    xmlNs *taken = nullptr;
    for (auto *declared = element->nsDef; declared != nullptr; declared = declared->next) {
      if (declared->prefix != nullptr && xml::view(declared->href) == addressingNamespace) {
        return declared;
      }
      if (xml::view(declared->prefix) == prefix) {
        taken = declared;
      }
    }
    if (taken == nullptr) {
      return xmlNewNs(element, xml::chars(addressingNamespace), xml::chars(prefix));
    }
    prefix = "wsa" + std::to_string(number);
  }
}

} // namespace

std::string escapeXml(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    if (static_cast<unsigned char>(text[0]) >= 0x80) {
      appendOther(result, text);
      continue;
    }
    if (const auto escape = escapeOf(text[0]); !escape.empty()) {
      result += escape;
    } else {
      result += text[0];
    }
    text.remove_prefix(1);
  }
  return result;
}

std::string writeEnvelope(Version version, const Addressing &addressing, const std::vector<std::string> &headerBlocks,
                          std::string_view bodyXml) {
  auto header = addressingHeaders(addressing);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"";
  text += version == Version::Soap11 ? soap11Namespace : soap12Namespace;
  text += '"';
  if (!header.empty()) {
    text += std::string(" xmlns:wsa=\"") + addressingNamespace + "\"";
  }
  text += ">";
  for (const auto &block : headerBlocks) {
    header += block;
  }
  if (!header.empty()) {
    text += "<soap:Header>" + header + "</soap:Header>";
  }
  text += "<soap:Body>";
  text += bodyXml;
  text += "</soap:Body></soap:Envelope>\n";
  return text;
}

std::string writeEnvelopeTo(Version version, const EndpointReference &to, Addressing addressing,
                            const std::vector<std::string> &headerBlocks, std::string_view bodyXml) {
  addressing.to = to.isAnonymous() ? std::nullopt : std::optional(to.address);
  std::vector<std::string> blocks;
  blocks.reserve(to.referenceParameters.size() + headerBlocks.size());
  for (const auto &parameter : to.referenceParameters) {
    blocks.push_back(asReferenceParameterHeader(parameter));
  }
  blocks.insert(blocks.end(), headerBlocks.begin(), headerBlocks.end());
  return writeEnvelope(version, addressing, blocks, bodyXml);
}

std::string encodeOnward(const Onward &onward) {
  std::string text = std::string("<wb:Onward xmlns:wb=\"") + waybillNamespace + "\" xmlns:wsa=\"" +
                     addressingNamespace + "\" wb:send=\"";
  text += onward.send == Onward::Send::Data ? "Data\">" : "Receipt\">";
  writeInside(text, onward.to);
  text += "</wb:Onward>";
  return text;
}

std::string asReferenceParameterHeader(std::string_view xml) {
  // It has been under a reader's limits before, but for the declarations that it was given since.
  Limits limits;
  limits.envelopeBytes = xml.size();
  limits.attributes = xml.size();
  limits.elements = xml.size();
  limits.depth = std::min<std::size_t>(xml.size(), 10'000);
  const auto document = xml::read(xml, limits, "utf-8");
  auto *element = xmlDocGetRootElement(document.get());
  if (imitatesHeaders(element)) {
    throw Fault(FaultCode::InvalidEndpointReference,
                "an endpoint reference has the reference parameter " +
                    printable(xml::clarkName(xml::nameOf(element)), 120) +
                    ", which would become a header of SOAP or WS-Addressing in what is sent there; take it out",
                "wsa:ReferenceParameters");
  }
  xmlSetNsProp(element, addressingPrefix(element), xml::chars("IsReferenceParameter"), xml::chars("true"));
  return xml::standAlone(element, limits.envelopeBytes * 8 + 1024);
}

} // namespace waybill::soap
