// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/envelope_state.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/attachments.hpp"
#include "soap/base64.hpp"

namespace waybill::soap {

namespace {

[[noreturn]] void refuse(const xmlNode *content, const std::string &what) {
  throw Fault(FaultCode::InvalidMessage, what + " (line " + std::to_string(xml::lineOf(content)) + " of the message)",
              "wb:Content");
}

bool isWord(std::string_view text, std::string_view word) noexcept {
  return equalIgnoringCase(text.substr(0, word.size()), word);
}

/// The href of the xop:Include that is all there is in `content` (XOP, section 2.1).
std::string included(const xmlNode *content, const xmlNode *include) {
  if (!xml::is(include, xopNamespace, "Include")) {
    refuse(content, "wb:Content has the element " + printable(xml::clarkName(xml::nameOf(include)), 120) +
                        "; it may have base64 text or one xop:Include");
  }
  if (xml::nextElement(include) != nullptr || xml::hasText(content)) {
    refuse(content, "wb:Content has something beside its xop:Include, which has to be alone in it");
  }
  const auto href = xml::attribute(include, "", "href");
  const auto reference = href ? trimmed(*href) : std::string_view{};
  if (!isWord(reference, "cid:") || reference.size() == 4) {
    refuse(content, "the xop:Include in wb:Content needs an href of the form 'cid:...'; it has " +
                        (href ? "'" + printable(*href, 120) + "'" : std::string("none")));
  }
  return std::string(reference);
}

std::string decoded(const xmlNode *content) {
  Base64Decoder decoder;
  for (const auto *node = content->children; node != nullptr; node = node->next) {
    if (node->type != XML_TEXT_NODE && node->type != XML_CDATA_SECTION_NODE) {
      continue; // a comment
    }
    const auto text = xml::view(node->content);
    decoder.reserve(text.size());
    if (!decoder.add(text)) {
      refuse(content, "wb:Content is no base64: it has a character or padding that does not belong there");
    }
  }
  if (!decoder.complete()) {
    refuse(content, "wb:Content is no base64: it ends in the middle of a group of four characters");
  }
  return decoder.take();
}

/// Bytes in the message always work: a part that is named beside them would be dropped without a word.
void refuseSecondSource(const xmlNode *content) {
  for (const auto *sibling = xml::firstElement(content->parent); sibling != nullptr;
       sibling = xml::nextElement(sibling)) {
    const auto isAttachment = xml::is(sibling, waybillNamespace, "Attachment");
    if (!isAttachment && !xml::is(sibling, waybillNamespace, "Href")) {
      continue;
    }
    const auto text = xml::plainText(sibling);
    if (text && !text->empty() && (isAttachment || isWord(*text, "cid:"))) {
      refuse(content, "wb:Content has its bytes in the message" +
                          std::string(content->children == nullptr ? " (none)" : "") + ", and the " +
                          (isAttachment ? "wb:Attachment" : "wb:Href") + " '" + printable(*text, 120) +
                          "' beside it refers to a part with others; give one of the two, and leave the other "
                          "element out");
    }
  }
}

/// Puts `text` in the place of all that is in `element`, and lets go of the memory that it took.
void replaceContent(xmlNode *element, const std::string &text) {
  while (auto *node = element->children) {
    xmlUnlinkNode(node);
    xmlFreeNode(node);
  }
  xmlNodeAddContentLen(element, xml::chars(text), static_cast<int>(text.size()));
}

} // namespace

std::multiset<std::string> Envelope::liftContent(const std::function<void(std::string, std::string)> &addInline) {
  std::set<std::pair<const xmlNode *, std::string>> references;
  std::size_t inlined = 0;
  for (auto *element = state_->content; element != nullptr; element = xml::following(element, state_->content)) {
    if (xml::is(element, waybillNamespace, "Content")) {
      std::string reference;
      if (const auto *include = xml::firstElement(element)) {
        reference = included(element, include);
      } else {
        refuseSecondSource(element);
        const auto contentId = "inline-" + std::to_string(++inlined) + "@waybill.invalid";
        addInline(contentId, decoded(element));
        reference = "cid:" + contentId;
      }
      replaceContent(element, toBase64(reference));
      references.emplace(element->parent, std::move(reference));
    } else if (xml::is(element, waybillNamespace, "Attachment") || xml::is(element, waybillNamespace, "Href")) {
      if (auto text = xml::plainText(element); text && !text->empty()) {
        references.emplace(element->parent, std::move(*text));
      }
    }
  }
  std::multiset<std::string> used;
  for (const auto &[parent, reference] : references) {
    used.insert(reference);
  }
  return used;
}

std::string Envelope::asked() const {
  std::string text;
  const auto add = [&](std::string_view word) { text += std::to_string(word.size()) + ":" + std::string(word); };
  for (auto *element = state_->content; element != nullptr; element = xml::following(element, state_->content)) {
    add(xml::clarkName(xml::nameOf(element)));
    for (auto *one = element->properties; one != nullptr; one = one->next) {
      add(xml::view(one->name));
      add(xml::attribute(element, one->ns == nullptr ? "" : reinterpret_cast<const char *>(one->ns->href),
                         reinterpret_cast<const char *>(one->name))
              .value_or(""));
    }
    const auto value = xml::plainText(element).value_or("");
    const auto isMadeAnew = xml::is(element, waybillNamespace, "Content") ||
                            xml::is(element, waybillNamespace, "Attachment") ||
                            xml::is(element, waybillNamespace, "Token") ||
                            (xml::is(element, waybillNamespace, "Href") && isWord(value, "cid:"));
    add(isMadeAnew ? "" : value);
  }
  return text;
}

void Envelope::liftContent(Attachments &attachments) {
  attachments.want(liftContent([&](std::string contentId, std::string bytes) {
    attachments.addInline(std::move(contentId), std::move(bytes));
  }));
}

} // namespace waybill::soap
