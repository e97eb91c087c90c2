// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/addressing.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/envelope_state.hpp"

#include <algorithm>

namespace waybill::soap {

namespace {

std::string headerName(const xmlNode *block) {
  return (xml::nameOf(block).space == waybillNamespace ? "wb:" : "wsa:") + std::string(xml::view(block->name));
}

[[noreturn]] void refuse(FaultCode code, const xmlNode *block, const std::string &what) {
  throw Fault(code,
              "the header " + headerName(block) + " " + what + " (line " + std::to_string(xml::lineOf(block)) +
                  " of the message)",
              headerName(block));
}

/// An absolute IRI (RFC 3987), as far as a peer can tell without knowing the scheme: a scheme, a colon, and something
/// after it, without characters that no IRI has.
bool isAbsoluteIri(std::string_view text) noexcept {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return false;
  }
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto scheme = text.substr(0, colon);
  return letter(scheme[0]) &&
         std::all_of(scheme.begin(), scheme.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; }) &&
         !hasControlCharacters(text) && text.find_first_of(" <>\"{}|\\^`") == std::string_view::npos;
}

std::string iri(const xmlNode *element, const xmlNode *block, FaultCode otherwise) {
  const auto text = xml::plainText(element);
  if (!text) {
    refuse(otherwise, block, "has elements where an IRI is expected");
  }
  if (!isAbsoluteIri(*text)) {
    refuse(otherwise, block, "needs an absolute IRI; it has '" + printable(*text, 120) + "'");
  }
  return *text;
}

const xmlNode *onlyChild(const xmlNode *block, std::string_view local) {
  const auto *found = xml::child(block, addressingNamespace, local);
  for (const auto *more = found == nullptr ? nullptr : xml::nextElement(found); more != nullptr;
       more = xml::nextElement(more)) {
    if (xml::is(more, addressingNamespace, local)) {
      refuse(FaultCode::InvalidEndpointReference, block, "has wsa:" + std::string(local) + " twice");
    }
  }
  return found;
}

} // namespace

bool imitatesHeaders(const xmlNode *parameter) {
  const auto space = xml::nameOf(parameter).space;
  return space == addressingNamespace || space == soap11Namespace || space == soap12Namespace;
}

EndpointReference endpointReference(const xmlNode *block, const Limits &limits) {
  const auto *address = onlyChild(block, "Address");
  if (address == nullptr) {
    refuse(FaultCode::MissingAddressInEndpointReference, block, "has no wsa:Address");
  }
  EndpointReference reference;
  reference.address = iri(address, block, FaultCode::InvalidAddress);
  const auto *parameters = onlyChild(block, "ReferenceParameters");
  if (parameters == nullptr) {
    return reference;
  }
  auto left = limits.envelopeBytes;
  for (const auto *each = xml::firstElement(parameters); each != nullptr; each = xml::nextElement(each)) {
    if (reference.referenceParameters.size() == limits.headers) {
      refuse(FaultCode::TooLarge, block, "has more than " + std::to_string(limits.headers) + " reference parameters");
    }
    if (imitatesHeaders(each)) {
      refuse(FaultCode::InvalidEndpointReference, block,
             "has the reference parameter " + printable(xml::clarkName(xml::nameOf(each)), 120) +
                 ", which would become a header of SOAP or WS-Addressing in what is sent there; take it out");
    }
    // A long declaration far outside would otherwise be copied into each of them.
    reference.referenceParameters.push_back(xml::standAlone(each, left));
    left -= reference.referenceParameters.back().size();
  }
  return reference;
}

namespace {

/// Collects the properties of one message, header by header. What is wrong is told at the end, when all that is right
/// has been collected: the fault goes where the other headers say.
class Collector {
public:
  Collector(const Limits &limits, Addressing &into) : limits_(limits), addressing_(into) {}

  void take(const xmlNode *block) {
    try {
      collect(block);
    } catch (const Fault &fault) {
      if (fault.code() == FaultCode::TooLarge) {
        throw;
      }
      if (!first_) {
        first_ = fault;
      }
    }
  }

  /// Throws the first of the faults.
  void finish() const {
    if (first_) {
      throw Fault(*first_);
    }
    if (addressing_.used && !addressing_.action) {
      throw Fault(FaultCode::MessageAddressingHeaderRequired,
                  "the message has WS-Addressing headers but no wsa:Action, which that specification requires with "
                  "them; add it, or leave all of them out",
                  "wsa:Action");
    }
  }

private:
  void collect(const xmlNode *block) {
    const auto name = xml::view(block->name);
    const auto marked = xml::attribute(block, addressingNamespace, "IsReferenceParameter").value_or("false");
    if (trimmed(marked) == "true" || trimmed(marked) == "1") {
      begin(false, block);
      refuse(FaultCode::InvalidAddressingHeader, block,
             "is marked as a reference parameter, which no header of WS-Addressing may be: whoever wrote the endpoint "
             "reference tried to speak for the sender");
    }
    if (name == "MessageID") {
      setIri(addressing_.messageId, block, FaultCode::InvalidAddressingHeader);
    } else if (name == "RelatesTo") {
      relate(block);
    } else if (name == "To") {
      setIri(addressing_.to, block, FaultCode::InvalidAddress);
    } else if (name == "Action") {
      setIri(addressing_.action, block, FaultCode::InvalidAddressingHeader);
    } else if (name == "From") {
      setReference(addressing_.from, block);
    } else if (name == "ReplyTo") {
      setReference(addressing_.replyTo, block);
    } else if (name == "FaultTo") {
      setReference(addressing_.faultTo, block);
    }
    // Others, such as wsa:FaultDetail, are of the namespace but no message addressing property.
  }

  void begin(bool isThere, const xmlNode *block) {
    addressing_.used = true;
    if (isThere) {
      refuse(FaultCode::InvalidCardinality, block, "is there twice; it may be there once");
    }
  }

  void setIri(std::optional<std::string> &property, const xmlNode *block, FaultCode otherwise) {
    begin(property.has_value(), block);
    property = iri(block, block, otherwise);
  }

  void setReference(std::optional<EndpointReference> &property, const xmlNode *block) {
    begin(property.has_value(), block);
    property = endpointReference(block, limits_);
  }

  /// Any number of relationships may be given; ours are two (Core, section 3.1).
  void relate(const xmlNode *block) {
    begin(false, block);
    auto value = iri(block, block, FaultCode::InvalidAddressingHeader);
    const auto type = xml::attribute(block, "", "RelationshipType");
    const auto is = [&](std::string_view wanted) { return trimmed(*type) == wanted; };
    if ((!type || is(replyRelationship)) && !addressing_.relatesTo) {
      addressing_.relatesTo = std::move(value);
    } else if (type && is(transferRelationship) && !addressing_.transfer) {
      addressing_.transfer = std::move(value);
    }
  }

  const Limits &limits_;
  Addressing &addressing_;
  std::optional<Fault> first_;
};

} // namespace

EndpointReference Addressing::replyEndpoint() const {
  return replyTo.value_or(EndpointReference{EndpointReference::anonymous, {}});
}

EndpointReference Addressing::faultEndpoint() const { return faultTo ? *faultTo : replyEndpoint(); }

void Envelope::addressing(Addressing &into) const {
  Collector collector(state_->limits, into);
  if (state_->header != nullptr) {
    const auto *block = xml::forUs(xml::firstElement(state_->header), state_->version);
    for (; block != nullptr; block = xml::forUs(xml::nextElement(block), state_->version)) {
      if (block->ns != nullptr && xml::view(block->ns->href) == addressingNamespace) {
        collector.take(block);
      }
    }
  }
  collector.finish();
}

Addressing Envelope::addressing() const {
  Addressing read;
  addressing(read);
  return read;
}

} // namespace waybill::soap
