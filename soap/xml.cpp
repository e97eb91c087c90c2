// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/xml.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <libxml/parser.h>

#include <mutex>

namespace waybill::soap::xml {

void initialise() {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
}

bool is(const xmlNode *node, std::string_view space, std::string_view local) noexcept {
  return node->type == XML_ELEMENT_NODE && view(node->name) == local &&
         (node->ns == nullptr ? space.empty() : view(node->ns->href) == space);
}

QName nameOf(const xmlNode *element) {
  return {element->ns == nullptr ? std::string() : std::string(view(element->ns->href)),
          std::string(view(element->name))};
}

std::string clarkName(const QName &name) {
  return name.space.empty() ? name.local : "{" + name.space + "}" + name.local;
}

long lineOf(const xmlNode *node) noexcept { return static_cast<long>(reinterpret_cast<std::intptr_t>(node->psvi)); }

namespace {

xmlNode *elementFrom(xmlNode *node) noexcept {
  while (node != nullptr && node->type != XML_ELEMENT_NODE) {
    node = node->next;
  }
  return node;
}

bool isText(const xmlNode *node) noexcept {
  return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

} // namespace

xmlNode *firstElement(const xmlNode *parent) noexcept { return elementFrom(parent->children); }

xmlNode *nextElement(const xmlNode *element) noexcept { return elementFrom(element->next); }

xmlNode *child(const xmlNode *parent, std::string_view space, std::string_view local) noexcept {
  auto *element = firstElement(parent);
  while (element != nullptr && !is(element, space, local)) {
    element = nextElement(element);
  }
  return element;
}

xmlNode *following(xmlNode *element, const xmlNode *root) noexcept {
  if (auto *inside = firstElement(element)) {
    return inside;
  }
  while (element != root) {
    if (auto *next = nextElement(element)) {
      return next;
    }
    element = element->parent;
  }
  return nullptr;
}

bool hasText(const xmlNode *element) noexcept {
  for (const auto *node = element->children; node != nullptr; node = node->next) {
    if (isText(node) && !trimmed(view(node->content)).empty()) {
      return true;
    }
  }
  return false;
}

std::optional<std::string> plainText(const xmlNode *element) {
  std::string text;
  for (const auto *node = element->children; node != nullptr; node = node->next) {
    if (node->type == XML_ELEMENT_NODE) {
      return std::nullopt;
    }
    if (isText(node)) {
      text += view(node->content);
    }
  }
  return std::string(trimmed(text));
}

std::optional<std::string> attribute(const xmlNode *element, const char *space, const char *local) {
  for (const auto *found = element->properties; found != nullptr; found = found->next) {
    const auto foundSpace = found->ns == nullptr ? std::string_view{} : view(found->ns->href);
    if (view(found->name) != local || foundSpace != space) {
      continue;
    }
    std::string value;
    for (const auto *node = found->children; node != nullptr; node = node->next) {
      value += view(node->content);
    }
    return value;
  }
  return std::nullopt;
}

std::optional<QName> resolve(const xmlNode *element, std::string_view qualified) {
  const auto colon = qualified.find(':');
  const bool prefixed = colon != std::string_view::npos;
  const std::string prefix(prefixed ? qualified.substr(0, colon) : std::string_view{});
  const std::string local(prefixed ? qualified.substr(colon + 1) : qualified);
  auto *place = const_cast<xmlNode *>(element); // libxml2 only looks, but does not say so
  const auto *found = xmlSearchNs(place->doc, place, prefixed ? chars(prefix) : nullptr);
  if (found == nullptr && prefixed) {
    return std::nullopt;
  }
  return QName{found == nullptr ? std::string() : std::string(view(found->href)), local};
}

} // namespace waybill::soap::xml
