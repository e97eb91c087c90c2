// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/xml.hpp"

#include "domain/fault.hpp"

#include <libxml/xmlsave.h>

#include <map>
#include <set>

namespace waybill::soap::xml {

namespace {

using Declarations = std::map<std::string_view, std::string_view>;

struct Output {
  std::string text;
  std::uint64_t limit;
  bool passed = false;
};

/// Called from C: nothing may be thrown through it.
int append(void *context, const char *bytes, int length) noexcept {
  auto &output = *static_cast<Output *>(context);
  const auto count = static_cast<std::size_t>(length);
  if (output.text.size() + count > output.limit) {
    output.passed = true;
    return -1;
  }
  try {
    output.text.append(bytes, count);
  } catch (...) {
    output.passed = true;
    return -1;
  }
  return length;
}

void refuseSize(std::uint64_t limit) {
  throw Fault(FaultCode::TooLarge, "an element of the message, standing alone, has more than the " +
                                       std::to_string(limit) + " bytes that are allowed for it");
}

std::string serialize(const xmlNode *element, std::uint64_t limit) {
  Output output{{}, limit, false};
  auto *save = xmlSaveToIO(append, nullptr, &output, "UTF-8", XML_SAVE_NO_DECL | XML_SAVE_AS_XML);
  if (save == nullptr) {
    throw Fault(FaultCode::Internal, "an element of the message could not be written: no memory");
  }
  xmlSaveTree(save, const_cast<xmlNode *>(element)); // libxml2 only looks, but does not say so
  xmlSaveClose(save);
  if (output.passed) {
    refuseSize(limit);
  }
  return std::move(output.text);
}

/// What the ancestors declare and the element does not declare anew; the nearest declaration of a prefix is the one
/// that holds.
Declarations inherited(const xmlNode *element) {
  std::set<std::string_view> seen{"xml"};
  Declarations result;
  for (const auto *node = element; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent) {
    for (const auto *declared = node->nsDef; declared != nullptr; declared = declared->next) {
      if (seen.insert(view(declared->prefix)).second && node != element && !view(declared->href).empty()) {
        result.emplace(view(declared->prefix), view(declared->href));
      }
    }
  }
  return result;
}

bool endsName(char c) noexcept {
  static constexpr std::string_view other = "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~";
  return static_cast<unsigned char>(c) <= ' ' || other.find(c) != std::string_view::npos;
}

/// Those of `candidates` whose prefix stands before a colon anywhere in `text`. A default namespace is always kept: an
/// unprefixed name cannot be told from other words.
Declarations usedIn(std::string_view text, const Declarations &candidates) {
  Declarations result;
  if (const auto fallback = candidates.find(""); fallback != candidates.end()) {
    result.insert(*fallback);
  }
  for (auto colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    auto begin = colon;
    while (begin > 0 && !endsName(text[begin - 1])) {
      --begin;
    }
    if (const auto found = candidates.find(text.substr(begin, colon - begin)); found != candidates.end()) {
      result.insert(*found);
    }
  }
  return result;
}

std::string asAttributes(const Declarations &declarations) {
  std::string text;
  for (const auto &[prefix, space] : declarations) {
    text += prefix.empty() ? " xmlns" : " xmlns:";
    text += prefix;
    text +=
        "=\""; // libxml2 keeps an ampersand in a namespace name escaped, and read() lets nothing else in that needs it
    text += space;
    text += '"';
  }
  return text;
}

} // namespace

std::string standAlone(const xmlNode *element, std::uint64_t limit) {
  auto text = serialize(element, limit);
  const auto candidates = inherited(element);
  if (candidates.empty()) {
    return text;
  }
  const auto added = asAttributes(usedIn(text, candidates));
  if (text.size() + added.size() > limit) {
    refuseSize(limit);
  }
  const auto nameEnd = text.find_first_of(" />\t\r\n", 1);
  text.insert(nameEnd, added);
  return text;
}

} // namespace waybill::soap::xml
