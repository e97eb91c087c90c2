// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/contract.hpp"

#include "soap/xml.hpp"

#include "generated/contract_files.hpp"

#include <libxml/parser.h>

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

namespace waybill::soap {

namespace {

constexpr const char *schemaNamespace = "http://www.w3.org/2001/XMLSchema";
constexpr const char *wsdlNamespace = "http://schemas.xmlsoap.org/wsdl/";
constexpr const char *wsdlSoap11Namespace = "http://schemas.xmlsoap.org/wsdl/soap/";
constexpr const char *wsdlSoap12Namespace = "http://schemas.xmlsoap.org/wsdl/soap12/";

xml::Document parse(std::string_view text, std::string_view name) {
  xml::initialise();
  xml::Document document(
      xmlReadMemory(text.data(), static_cast<int>(text.size()), std::string(name).c_str(), nullptr, XML_PARSE_NONET));
  if (!document) {
    throw std::runtime_error("wsdl/" + std::string(name) + " as built into the program is not XML");
  }
  return document;
}

std::string print(const xml::Document &document) {
  xmlChar *text = nullptr;
  int size = 0;
  xmlDocDumpMemoryEnc(document.get(), &text, &size, "UTF-8");
  const std::unique_ptr<xmlChar, void (*)(void *)> owner(text, [](void *memory) { xmlFree(memory); });
  if (text == nullptr) {
    throw std::bad_alloc();
  }
  return {reinterpret_cast<const char *>(text), static_cast<std::size_t>(size)};
}

void set(xmlNode *element, const char *attribute, const std::string &value) {
  if (xmlSetProp(element, xml::chars(attribute), xml::chars(value)) == nullptr) {
    throw std::bad_alloc();
  }
}

/// Every element of the document, in its order.
std::vector<xmlNode *> elements(const xml::Document &document) {
  auto *root = xmlDocGetRootElement(document.get());
  std::vector<xmlNode *> all;
  for (auto *element = root; element != nullptr; element = xml::following(element, root)) {
    all.push_back(element);
  }
  return all;
}

/// Imports and ports as whoever asked at `endpoint` can reach them.
void setAddresses(const xml::Document &document, const std::string &endpoint) {
  for (auto *element : elements(document)) {
    if (xml::is(element, schemaNamespace, "import") || xml::is(element, schemaNamespace, "include")) {
      if (const auto file = xml::attribute(element, "", "schemaLocation")) {
        set(element, "schemaLocation", endpoint + "?xsd=" + *file);
      }
    } else if (xml::is(element, wsdlSoap11Namespace, "address") || xml::is(element, wsdlSoap12Namespace, "address")) {
      set(element, "location", endpoint);
    }
  }
}

void removeSoap12(const xml::Document &document) {
  std::vector<xmlNode *> doomed;
  for (auto *element : elements(document)) {
    if ((xml::is(element, wsdlNamespace, "binding") &&
         xml::child(element, wsdlSoap12Namespace, "binding") != nullptr) ||
        (xml::is(element, wsdlNamespace, "port") && xml::child(element, wsdlSoap12Namespace, "address") != nullptr)) {
      doomed.push_back(element);
    }
  }
  for (auto *element : doomed) {
    xmlUnlinkNode(element);
    xmlFreeNode(element);
  }
}

} // namespace

std::optional<std::string_view> contractFile(std::string_view name) {
  const auto files = generated::contractFiles();
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto &file) { return file.name == name; });
  return found == files.end() ? std::nullopt : std::optional(found->text);
}

std::optional<std::string> servedWsdl(std::string_view service, std::string_view endpoint, bool soap11Only) {
  const auto name = std::string(service) + ".wsdl";
  const auto text = contractFile(name);
  if (!text) {
    return std::nullopt;
  }
  const auto document = parse(*text, name);
  setAddresses(document, std::string(endpoint));
  if (soap11Only) {
    removeSoap12(document);
  }
  return print(document);
}

std::optional<std::string> servedSchema(std::string_view name, std::string_view endpoint) {
  const auto text = name.ends_with(".xsd") ? contractFile(name) : std::nullopt;
  if (!text) {
    return std::nullopt;
  }
  const auto document = parse(*text, name);
  setAddresses(document, std::string(endpoint));
  return print(document);
}

} // namespace waybill::soap
