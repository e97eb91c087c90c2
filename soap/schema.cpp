// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/envelope_state.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/contract.hpp"

#include <libxml/xmlIO.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>

namespace waybill::soap {

namespace {

/// libxml2 2.9 loads what a schema includes through process-wide input callbacks. This scheme is ours alone, so
/// registering it changes nothing for anybody else; it leads to the files built into the program.
constexpr std::string_view scheme = "waybill-contract:///";
constexpr std::string_view driverName = "driver.xsd";
constexpr std::string_view driver =
    R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:waybill:1">
  <xs:include schemaLocation="data.xsd"/>
  <xs:include schemaLocation="access.xsd"/>
  <xs:include schemaLocation="algorithms.xsd"/>
</xs:schema>)";

int matches(const char *location) noexcept { return std::string_view(location).starts_with(scheme) ? 1 : 0; }

void *open(const char *location) noexcept {
  const auto file = std::string_view(location).substr(scheme.size());
  const auto text = file == driverName ? std::optional(driver) : contractFile(file);
  return text ? new (std::nothrow) std::string_view(*text)
              : nullptr; // NOLINT(cppcoreguidelines-owning-memory): close() has it
}

int readSome(void *context, char *into, int length) noexcept {
  auto &rest = *static_cast<std::string_view *>(context);
  const auto count = std::min(static_cast<std::size_t>(std::max(length, 0)), rest.size());
  std::memcpy(into, rest.data(), count);
  rest.remove_prefix(count);
  return static_cast<int>(count);
}

int close(void *context) noexcept {
  delete static_cast<std::string_view *>(context); // NOLINT(cppcoreguidelines-owning-memory): made by open()
  return 0;
}

void registerScheme() {
  static std::once_flag once;
  std::call_once(once, [] {
    xml::initialise();
    xmlSchemaInitTypes();
    if (xmlRegisterInputCallbacks(matches, open, readSome, close) < 0) {
      throw std::runtime_error("the contract's schemas cannot be compiled: libxml2 takes no more input callbacks");
    }
  });
}

/// The first error that libxml2 tells, kept for the message. Called from C: it must not throw.
struct FirstError {
  bool found = false;
  std::string text;
  std::string element;
  long line = 0;
};

void keepFirst(void *context, xmlError *error) noexcept {
  auto &first = *static_cast<FirstError *>(context);
  if (first.found || error->level < XML_ERR_ERROR) {
    return;
  }
  first.found = true;
  first.line = error->line;
  try {
    first.text = error->message == nullptr ? "unknown error" : error->message;
    const auto *node = static_cast<const xmlNode *>(error->node);
    if (node != nullptr && node->type == XML_ATTRIBUTE_NODE) {
      node = node->parent;
    }
    if (node != nullptr && node->type == XML_ELEMENT_NODE) {
      first.element = xml::clarkName(xml::nameOf(node));
      first.line = xml::lineOf(node);
    }
  } catch (const std::bad_alloc &) {
    first.text.clear(); // the message will be less exact
  }
}

struct FreeSchema {
  void operator()(xmlSchema *schema) const noexcept { xmlSchemaFree(schema); }
};
struct FreeSchemaParser {
  void operator()(xmlSchemaParserCtxt *parser) const noexcept { xmlSchemaFreeParserCtxt(parser); }
};
struct FreeValidator {
  void operator()(xmlSchemaValidCtxt *validator) const noexcept { xmlSchemaFreeValidCtxt(validator); }
};

void replaceAll(std::string &text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

/// libxml2's sentence without its "Element '...': " and with our namespace as its prefix.
std::string inPlainWords(std::string text) {
  const auto space = std::string("{") + waybillNamespace + "}";
  if (text.starts_with("Element '")) {
    const auto end = text.find("': ");
    text.erase(0, end == std::string::npos ? 0 : end + 3);
  }
  text = printable(trimmed(text), 400);
  replaceAll(text, space, "wb:");
  return text;
}

std::string prefixed(std::string name) {
  const auto space = std::string("{") + waybillNamespace + "}";
  return name.starts_with(space) ? "wb:" + name.substr(space.size()) : std::move(name);
}

} // namespace

struct Schema::State {
  std::unique_ptr<xmlSchema, FreeSchema> compiled;
};

Schema::Schema() : state_(std::make_unique<State>()) {
  registerScheme();
  const std::unique_ptr<xmlSchemaParserCtxt, FreeSchemaParser> parser(
      xmlSchemaNewParserCtxt((std::string(scheme) + std::string(driverName)).c_str()));
  if (!parser) {
    throw std::runtime_error("the contract's schemas cannot be compiled: no memory");
  }
  FirstError error;
  xmlSchemaSetParserStructuredErrors(parser.get(), keepFirst, &error);
  state_->compiled.reset(xmlSchemaParse(parser.get()));
  if (!state_->compiled || error.found) {
    throw std::runtime_error("the contract's schemas do not compile: line " + std::to_string(error.line) + ": " +
                             error.text);
  }
}

Schema::~Schema() = default;

void Envelope::validate(const Schema &schema) const {
  const std::unique_ptr<xmlSchemaValidCtxt, FreeValidator> validator(
      xmlSchemaNewValidCtxt(schema.state_->compiled.get()));
  if (!validator) {
    throw Fault(FaultCode::Internal, "the message could not be validated: no memory");
  }
  FirstError error;
  xmlSchemaSetValidStructuredErrors(validator.get(), keepFirst, &error);
  const auto verdict = xmlSchemaValidateOneElement(validator.get(), state_->content);
  if (verdict == 0 && !error.found) {
    return;
  }
  if (verdict < 0) {
    throw Fault(FaultCode::Internal, "the message could not be validated: libxml2 reports an error of its own", {}, {},
                LogText(error.text));
  }
  const auto element = printable(prefixed(error.element.empty() ? xml::clarkName(bodyElement()) : error.element), 160);
  throw Fault(FaultCode::InvalidMessage,
              "the message does not fit the published schema: element " + element + " at line " +
                  std::to_string(error.line) + ": " + inPlainWords(error.text) + "; see ?wsdl for what is expected",
              element);
}

} // namespace waybill::soap
