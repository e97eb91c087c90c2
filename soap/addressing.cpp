// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/addressing.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/envelope_state.hpp"

#include <algorithm>

namespace waybill::soap {

namespace {

constexpr std::string_view replyRelationship = "http://www.w3.org/2005/08/addressing/reply";

std::string headerName(const xmlNode *block) { return "wsa:" + std::string(xml::view(block->name)); }

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

/// Reads a header of type wsa:EndpointReferenceType (Core, section 2.2).
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
    // A long declaration far outside would otherwise be copied into each of them.
    reference.referenceParameters.push_back(xml::standAlone(each, left));
    left -= reference.referenceParameters.back().size();
  }
  return reference;
}

/// Collects the properties of one message, header by header.
class Collector {
public:
  explicit Collector(const Limits &limits) : limits_(limits) {}

  void take(const xmlNode *block) {
    const auto name = xml::view(block->name);
    if (name == "MessageID") {
      set(addressing_.messageId, block, iri(block, block, FaultCode::InvalidAddressingHeader));
    } else if (name == "RelatesTo") {
      relate(block);
    } else if (name == "To") {
      set(addressing_.to, block, iri(block, block, FaultCode::InvalidAddress));
    } else if (name == "Action") {
      set(addressing_.action, block, iri(block, block, FaultCode::InvalidAddressingHeader));
    } else if (name == "From") {
      set(addressing_.from, block, endpointReference(block, limits_));
    } else if (name == "ReplyTo") {
      set(addressing_.replyTo, block, endpointReference(block, limits_));
    } else if (name == "FaultTo") {
      set(addressing_.faultTo, block, endpointReference(block, limits_));
    } else {
      return; // such as wsa:FaultDetail: of the namespace, but no message addressing property
    }
    addressing_.used = true;
  }

  [[nodiscard]] Addressing result() && {
    if (addressing_.used && !addressing_.action) {
      throw Fault(FaultCode::MessageAddressingHeaderRequired,
                  "the message has WS-Addressing headers but no wsa:Action, which that specification requires with "
                  "them; add it, or leave "
                  "all of them out",
                  "wsa:Action");
    }
    return std::move(addressing_);
  }

private:
  template <class T> static void set(std::optional<T> &property, const xmlNode *block, T value) {
    if (property) {
      refuse(FaultCode::InvalidCardinality, block, "is there twice; it may be there once");
    }
    property = std::move(value);
  }

  /// Any number of relationships may be given; ours is the reply (Core, section 3.1).
  void relate(const xmlNode *block) {
    auto value = iri(block, block, FaultCode::InvalidAddressingHeader);
    const auto type = xml::attribute(block, "", "RelationshipType");
    if ((!type || trimmed(*type) == replyRelationship) && !addressing_.relatesTo) {
      addressing_.relatesTo = std::move(value);
    }
  }

  const Limits &limits_;
  Addressing addressing_;
};

} // namespace

EndpointReference Addressing::replyEndpoint() const {
  return replyTo.value_or(EndpointReference{EndpointReference::anonymous, {}});
}

EndpointReference Addressing::faultEndpoint() const { return faultTo ? *faultTo : replyEndpoint(); }

Addressing Envelope::addressing() const {
  Collector collector(state_->limits);
  if (state_->header != nullptr) {
    const auto *block = xml::forUs(xml::firstElement(state_->header), state_->version);
    for (; block != nullptr; block = xml::forUs(xml::nextElement(block), state_->version)) {
      if (block->ns != nullptr && xml::view(block->ns->href) == addressingNamespace) {
        collector.take(block);
      }
    }
  }
  return std::move(collector).result();
}

} // namespace waybill::soap
