// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "soap/xml.hpp"

#include <functional>

namespace waybill::soap {

/// What an Envelope is inside; included by the .cpp files of soap/ alone.
struct Envelope::State {
  xml::Document document;
  Limits limits;
  Version version = Version::Soap11;
  xmlNode *header = nullptr;  ///< soap:Header, null when absent
  xmlNode *content = nullptr; ///< the element in the body

  /// The header block of that name that is for us; null when there is none. Throws Fault InvalidMessage for two.
  [[nodiscard]] const xmlNode *onlyHeader(std::string_view space, std::string_view local) const;
  [[nodiscard]] const char *space() const noexcept {
    return version == Version::Soap11 ? soap11Namespace : soap12Namespace;
  }
};

/// Reads a header block of type wsa:EndpointReferenceType (Core, section 2.2). Throws WS-Addressing's faults, naming
/// the block.
[[nodiscard]] EndpointReference endpointReference(const xmlNode *block, const Limits &limits);

/// True for elements of SOAP's and WS-Addressing's own namespaces: as reference parameters they would become headers
/// that speak for the sender (SOAP Binding, section 7: to be considered an attack).
[[nodiscard]] bool imitatesHeaders(const xmlNode *parameter);

namespace xml {

/// True when the header block is for the ultimate receiver (SOAP 1.1 section 4.2.2, SOAP 1.2 part 1 section 2.2).
[[nodiscard]] bool isForUs(const xmlNode *block, Version version);
/// The first header block at or after `element` that is for us; null at the end. Begin with firstElement(header).
[[nodiscard]] const xmlNode *forUs(const xmlNode *element, Version version);

} // namespace xml

} // namespace waybill::soap
