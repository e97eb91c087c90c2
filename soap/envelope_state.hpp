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

  [[nodiscard]] const char *space() const noexcept {
    return version == Version::Soap11 ? soap11Namespace : soap12Namespace;
  }
};

namespace xml {

/// True when the header block is for the ultimate receiver (SOAP 1.1 section 4.2.2, SOAP 1.2 part 1 section 2.2).
[[nodiscard]] bool isForUs(const xmlNode *block, Version version);
/// The first header block at or after `element` that is for us; null at the end. Begin with firstElement(header).
[[nodiscard]] const xmlNode *forUs(const xmlNode *element, Version version);

} // namespace xml

} // namespace waybill::soap
