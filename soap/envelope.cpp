// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/envelope_state.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <array>

namespace waybill::soap {

namespace {

[[noreturn]] void refuse(const xmlNode *where, const std::string &what) {
  throw Fault(FaultCode::InvalidMessage, what + " (line " + std::to_string(xml::lineOf(where)) + " of the message)");
}

std::string shown(const xmlNode *element) { return printable(xml::clarkName(xml::nameOf(element)), 160); }

Version versionOf(const xmlNode *root) {
  if (xml::is(root, soap11Namespace, "Envelope")) {
    return Version::Soap11;
  }
  if (xml::is(root, soap12Namespace, "Envelope")) {
    return Version::Soap12;
  }
  throw Fault(FaultCode::VersionMismatch,
              "the message is no SOAP 1.1 or 1.2 envelope: its outermost element is " + shown(root));
}

void refuseText(const xmlNode *element) {
  if (xml::hasText(element)) {
    refuse(element,
           "there is text right inside soap:" + std::string(xml::view(element->name)) + ", where only elements may be");
  }
}

/// The Body, and in `header` the Header if there is one; nothing else may be in an envelope, and in this order.
xmlNode *bodyOf(const xmlNode *root, const char *space, xmlNode *&header) {
  auto *element = xml::firstElement(root);
  if (element != nullptr && xml::is(element, space, "Header")) {
    header = element;
    element = xml::nextElement(element);
  }
  if (element == nullptr) {
    refuse(root, "the envelope has no soap:Body");
  }
  if (!xml::is(element, space, "Body")) {
    refuse(element, "the envelope has " + shown(element) + " where its soap:Body is expected");
  }
  if (const auto *more = xml::nextElement(element)) {
    refuse(more, "the envelope has " + shown(more) + " after its soap:Body, which has to come last and once");
  }
  return element;
}

xmlNode *contentOf(const xmlNode *body) {
  auto *content = xml::firstElement(body);
  if (content == nullptr) {
    refuse(body, "the soap:Body is empty; it needs one element, the request");
  }
  if (const auto *more = xml::nextElement(content)) {
    refuse(more, "the soap:Body has a second element, " + shown(more) + "; it may have one");
  }
  return content;
}

bool isTrue(std::string_view text, const xmlNode *block) {
  text = trimmed(text);
  if (text == "1" || text == "true") {
    return true;
  }
  if (text == "0" || text == "false") {
    return false;
  }
  refuse(block,
         "mustUnderstand of the header " + shown(block) + " is '" + printable(text, 40) + "', which is no boolean");
}

bool isOurOwn(const QName &name) {
  static constexpr std::array<std::string_view, 7> addressing{"MessageID", "RelatesTo", "To",     "Action",
                                                              "From",      "ReplyTo",   "FaultTo"};
  static constexpr std::array<std::string_view, 3> ours{"Token", "Onward", "Overwrite"};
  return (name.space == waybillNamespace && std::find(ours.begin(), ours.end(), name.local) != ours.end()) ||
         (name.space == addressingNamespace &&
          std::find(addressing.begin(), addressing.end(), name.local) != addressing.end());
}

} // namespace

namespace xml {

bool isForUs(const xmlNode *block, Version version) {
  const bool old = version == Version::Soap11;
  const auto role = attribute(block, old ? soap11Namespace : soap12Namespace, old ? "actor" : "role").value_or("");
  const auto name = trimmed(role);
  if (old) {
    return name.empty() || name == "http://schemas.xmlsoap.org/soap/actor/next";
  }
  return name.empty() || name == "http://www.w3.org/2003/05/soap-envelope/role/next" ||
         name == "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver";
}

const xmlNode *forUs(const xmlNode *element, Version version) {
  while (element != nullptr && !isForUs(element, version)) {
    element = nextElement(element);
  }
  return element;
}

} // namespace xml

Envelope::Envelope(std::unique_ptr<State> state) : state_(std::move(state)) {}
Envelope::~Envelope() = default;
Envelope::Envelope(Envelope &&) noexcept = default;
Envelope &Envelope::operator=(Envelope &&) noexcept = default;

Envelope Envelope::parse(std::string_view text, const Limits &limits, std::string_view charset, Budget::Share *memory) {
  auto state = std::make_unique<State>();
  state->document = xml::read(text, limits, charset, memory);
  state->limits = limits;
  const auto *root = xmlDocGetRootElement(state->document.get());
  state->version = versionOf(root);
  const auto *body = bodyOf(root, state->space(), state->header);
  refuseText(root);
  refuseText(body);
  if (state->header != nullptr) {
    refuseText(state->header);
  }
  state->content = contentOf(body);
  return Envelope(std::move(state));
}

Version Envelope::version() const noexcept { return state_->version; }

QName Envelope::bodyElement() const { return xml::nameOf(state_->content); }

bool Envelope::isFault() const { return xml::is(state_->content, state_->space(), "Fault"); }

std::string Envelope::bodyXml() const {
  // It can outgrow the envelope by escapes alone: a '"' may come back as &quot;.
  return xml::standAlone(state_->content, state_->limits.envelopeBytes * 8);
}

void Envelope::requireUnderstood(const std::set<QName> &understood) const {
  if (state_->header == nullptr) {
    return;
  }
  const auto *block = xml::forUs(xml::firstElement(state_->header), state_->version);
  for (; block != nullptr; block = xml::forUs(xml::nextElement(block), state_->version)) {
    const auto must = xml::attribute(block, state_->space(), "mustUnderstand");
    const auto name = xml::nameOf(block);
    if (must && isTrue(*must, block) && !isOurOwn(name) && understood.count(name) == 0) {
      throw Fault(FaultCode::MustUnderstand,
                  "the message insists that its header " + shown(block) +
                      " be understood, and it is not; leave the header or its mustUnderstand out",
                  xml::clarkName(name));
    }
  }
}

const xmlNode *Envelope::State::onlyHeader(std::string_view space, std::string_view local) const {
  const xmlNode *found = nullptr;
  const auto *block = header == nullptr ? nullptr : xml::forUs(xml::firstElement(header), version);
  for (; block != nullptr; block = xml::forUs(xml::nextElement(block), version)) {
    if (!xml::is(block, space, local)) {
      continue;
    }
    if (found != nullptr) {
      refuse(block, "the header " + shown(block) + " is there twice; it may be there once");
    }
    found = block;
  }
  return found;
}

std::optional<std::string> Envelope::headerText(const QName &name) const {
  const auto *found = state_->onlyHeader(name.space, name.local);
  if (found == nullptr) {
    return std::nullopt;
  }
  auto text = xml::plainText(found);
  if (!text) {
    refuse(found, "the header " + shown(found) + " has elements inside; it needs to be text");
  }
  return text;
}

} // namespace waybill::soap
