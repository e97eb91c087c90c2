// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "soap/envelope.hpp"
#include "soap/limits.hpp"

#include <libxml/tree.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// libxml2 for the .cpp files of soap/ that deal with envelopes; included by no public header.
namespace waybill::soap::xml {

struct FreeDocument {
  void operator()(xmlDoc *document) const noexcept { xmlFreeDoc(document); }
};
using Document = std::unique_ptr<xmlDoc, FreeDocument>;

inline std::string_view view(const xmlChar *text) noexcept {
  return text == nullptr ? std::string_view{} : std::string_view(reinterpret_cast<const char *>(text));
}
inline const xmlChar *chars(const char *text) noexcept { return reinterpret_cast<const xmlChar *>(text); }
inline const xmlChar *chars(const std::string &text) noexcept { return chars(text.c_str()); }

/// Makes libxml2 ready, once in the process (xmlInitParser is not safe when two threads begin with it).
void initialise();

/// Reads a document that a stranger wrote, under `limits` and out of `memory`: see Envelope::parse, whose faults it
/// throws.
[[nodiscard]] Document read(std::string_view text, const Limits &limits, std::string_view charset,
                            Budget::Share *memory = nullptr);

/// `text` in UTF-8 without byte order mark, by `charset` when that is not empty, else by its own first bytes and XML
/// declaration. The result points into `text` or into `store`. Throws Fault InvalidMessage for a character set that is
/// not taken.
[[nodiscard]] std::string_view toUtf8(std::string_view text, std::string_view charset, std::string &store);

[[nodiscard]] bool is(const xmlNode *node, std::string_view space, std::string_view local) noexcept;
[[nodiscard]] QName nameOf(const xmlNode *element);
/// "{space}local", the form that Fault::subject has for names whose prefix means nothing to the peer.
[[nodiscard]] std::string clarkName(const QName &name);
/// The line in the message where the tag of the element ends; for elements of documents from read().
[[nodiscard]] long lineOf(const xmlNode *node) noexcept;

/// The first child element, the next sibling element; null when there is none.
[[nodiscard]] xmlNode *firstElement(const xmlNode *parent) noexcept;
[[nodiscard]] xmlNode *nextElement(const xmlNode *element) noexcept;
/// The first child element of that name; null when there is none.
[[nodiscard]] xmlNode *child(const xmlNode *parent, std::string_view space, std::string_view local) noexcept;
/// The element after `element` in document order within `root`; null at the end.
[[nodiscard]] xmlNode *following(xmlNode *element, const xmlNode *root) noexcept;

/// True when a child is text other than blanks.
[[nodiscard]] bool hasText(const xmlNode *element) noexcept;
/// The text and CDATA right in the element, blanks at the ends taken off; nothing when it has element children.
[[nodiscard]] std::optional<std::string> plainText(const xmlNode *element);
/// The attribute's value; an empty `space` means an attribute without namespace.
[[nodiscard]] std::optional<std::string> attribute(const xmlNode *element, const char *space, const char *local);
/// The namespace and name that the text "prefix:local" means in the place of `element`; nothing for an unknown prefix.
[[nodiscard]] std::optional<QName> resolve(const xmlNode *element, std::string_view qualified);

/// The element as text that stands alone: what its ancestors declare and it may use, also in values and text, is
/// declared on it. Throws Fault TooLarge past `limit` bytes.
[[nodiscard]] std::string standAlone(const xmlNode *element, std::uint64_t limit);

} // namespace waybill::soap::xml
