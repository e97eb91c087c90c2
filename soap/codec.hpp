// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"

#include <map>
#include <string>
#include <string_view>

/// Between messages as domain values and the XML of the body. gSOAP does the work, in memory, on one bounded body; its
/// types stay in here.
namespace waybill::soap {

/// Contents to be written as inline base64, by content id; all other wb:Content become xop:Include. The views must stay
/// valid during the call.
using InlineContents = std::map<std::string, std::string_view, std::less<>>;

/// Reads the body's element (Envelope::bodyXml after liftContent and validate). `T` is a struct of domain/messages.hpp
/// and the element bears its name without "Request" ("Copy", "CopyResponse"). Throws Fault InvalidMessage when gSOAP
/// cannot read it, BadParameter for a value that the schema lets through and that means nothing here (a right, a time).
template <class T> [[nodiscard]] T decode(std::string_view bodyXml);

/// The XML element of `message`, in namespace urn:waybill:1, standing alone. Only Data.content "cid:..." refers to
/// bytes.
template <class T> [[nodiscard]] std::string encode(const T &message, const InlineContents &inlined = {});

} // namespace waybill::soap
