// SPDX-License-Identifier: GPL-3.0-or-later
// The claims document of a token, as text and as a value.
#include "security/token.hpp"

#include "domain/access.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <memory>

namespace waybill::security {

namespace {

constexpr const char *claimsNamespace = "urn:waybill:token:1";
constexpr std::size_t mostBytes = 1024 * 1024; // far past what TokenPolicy lets in

/// Characters of XML 1.0, section 2.2, in UTF-8.
bool isXmlText(std::string_view text) {
  const auto isForbidden = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  };
  return isUtf8(text) && std::none_of(text.begin(), text.end(), isForbidden) &&
         text.find("\xEF\xBF\xBE") == std::string_view::npos && text.find("\xEF\xBF\xBF") == std::string_view::npos;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
    case '&': result += "&amp;"; break;
    case '<': result += "&lt;"; break;
    case '>': result += "&gt;"; break;
    case '\r': result += "&#13;"; break;
    default: result += c;
    }
  }
  return result;
}

void add(std::string &xml, const char *name, std::string_view value) {
  xml += "<" + std::string(name) + ">" + escaped(value) + "</" + name + ">";
}

[[noreturn]] void malformed(const std::string &why) {
  throw Fault(FaultCode::BadToken,
              "the claims inside the token are not a document of wsdl/token.xsd: " + why + "; make a new token");
}

struct FreeDocument {
  void operator()(xmlDoc *document) const noexcept { xmlFreeDoc(document); }
};
struct FreeParser {
  void operator()(xmlParserCtxt *parser) const noexcept { xmlFreeParserCtxt(parser); }
};

std::string_view textOf(const xmlChar *text) { return reinterpret_cast<const char *>(text); }

std::unique_ptr<xmlDoc, FreeDocument> parsed(std::string_view xml) {
  if (xml.size() > mostBytes || !isXmlText(xml)) {
    malformed("it is not UTF-8 text of at most 1 MiB");
  }
  // Before the parser reads it: what stands in there could make it work for long.
  if (xml.find("<!DOCTYPE") != std::string_view::npos) {
    malformed("it has a DOCTYPE");
  }
  const std::unique_ptr<xmlParserCtxt, FreeParser> parser(xmlNewParserCtxt());
  std::unique_ptr<xmlDoc, FreeDocument> document(
      parser ? xmlCtxtReadMemory(parser.get(), xml.data(), static_cast<int>(xml.size()), nullptr, nullptr,
                                 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA)
             : nullptr);
  if (!document) {
    malformed("it is not well-formed XML");
  }
  if (document->encoding != nullptr && !equalIgnoringCase(textOf(document->encoding), "UTF-8")) {
    malformed("it declares another encoding than UTF-8");
  }
  return document;
}

/// The elements of a claims document, taken one after the other in their order.
class Elements {
public:
  explicit Elements(const xmlNode *parent) : next_(firstElement(parent->children)) {}

  std::optional<std::string> take(const char *name) {
    if (next_ == nullptr || !isNamed(next_, name)) {
      return std::nullopt;
    }
    auto text = textOf(next_);
    next_ = firstElement(next_->next);
    return text;
  }
  std::string need(const char *name) {
    auto text = take(name);
    if (!text) {
      malformed(std::string(name) + " is missing, or not in its place");
    }
    return *std::move(text);
  }
  void end() const {
    if (next_ != nullptr) {
      malformed("it has an element too many, or out of order");
    }
  }
  static bool isNamed(const xmlNode *node, const char *name) {
    return node->ns != nullptr &&
           xmlStrEqual(node->ns->href, reinterpret_cast<const xmlChar *>(claimsNamespace)) != 0 &&
           xmlStrEqual(node->name, reinterpret_cast<const xmlChar *>(name)) != 0;
  }

private:
  static const xmlNode *firstElement(const xmlNode *node) {
    for (; node != nullptr && node->type != XML_ELEMENT_NODE; node = node->next) {
      const bool harmless =
          node->type == XML_COMMENT_NODE || (node->type == XML_TEXT_NODE && xmlIsBlankNode(node) == 1);
      if (!harmless) {
        malformed("there is text between its elements");
      }
    }
    return node;
  }
  static std::string textOf(const xmlNode *node) {
    if (node->properties != nullptr) {
      malformed("an element has attributes");
    }
    std::string text;
    for (const auto *child = node->children; child != nullptr; child = child->next) {
      if (child->type != XML_TEXT_NODE) {
        malformed("an element holds more than text");
      }
      text += reinterpret_cast<const char *>(child->content);
    }
    return text;
  }

  const xmlNode *next_;
};

Time time(const std::string &text, const char *name) {
  const auto value = parseUtc(text);
  if (!value) {
    malformed(std::string(name) + " is not a UTC time such as 2026-01-31T12:00:00Z");
  }
  return *value;
}

bool isTokenId(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool isOperation(const std::string &text) {
  return isXmlText(text) && xmlValidateNCName(reinterpret_cast<const xmlChar *>(text.c_str()), 0) == 0;
}

/// What wsdl/token.xsd says of the values; nothing when all is well.
std::optional<std::string> ruleBroken(const TokenClaims &claims) {
  if (!isTokenId(claims.id) || !isInstanceId(claims.issuer) || !isInstanceId(claims.audience)) {
    return "Id needs 32, Issuer and Audience need 64 lower-case hex digits";
  }
  if (claims.subject && !parsePrincipal(claims.issuer + "/" + *claims.subject)) {
    return "Subject is empty, longer than 255 bytes, or has control characters";
  }
  if (claims.operations.empty() || !std::all_of(claims.operations.begin(), claims.operations.end(), isOperation)) {
    return "Operation needs the name of a request's element, such as Copy, at least once";
  }
  if (!std::all_of(claims.resources.begin(), claims.resources.end(), isXmlText) ||
      !isXmlText(claims.replyTo.value_or(""))) {
    return "Resource and ReplyTo need to be UTF-8 text without control characters";
  }
  return std::nullopt;
}

} // namespace

std::string printClaims(const TokenClaims &claims) {
  if (const auto rule = ruleBroken(claims)) {
    throw Fault(FaultCode::BadParameter, "no token can say this: " + *rule, "Claims");
  }
  std::string xml = "<Claims xmlns=\"" + std::string(claimsNamespace) + "\">";
  add(xml, "Id", claims.id);
  add(xml, "Issuer", claims.issuer);
  add(xml, "Audience", claims.audience);
  if (claims.subject) {
    add(xml, "Subject", *claims.subject);
  }
  for (const auto &operation : claims.operations) {
    add(xml, "Operation", operation);
  }
  for (const auto &resource : claims.resources) {
    add(xml, "Resource", resource);
  }
  if (claims.replyTo) {
    add(xml, "ReplyTo", *claims.replyTo);
  }
  add(xml, "NotBefore", formatUtc(claims.notBefore));
  add(xml, "NotAfter", formatUtc(claims.notAfter));
  return xml + "</Claims>";
}

TokenClaims parseClaims(std::string_view xml) {
  const auto document = parsed(xml);
  const auto *root = xmlDocGetRootElement(document.get());
  if (root == nullptr || !Elements::isNamed(root, "Claims") || root->properties != nullptr) {
    malformed("its element is not {" + std::string(claimsNamespace) + "}Claims without attributes");
  }
  Elements elements(root);
  TokenClaims claims;
  claims.id = elements.need("Id");
  claims.issuer = elements.need("Issuer");
  claims.audience = elements.need("Audience");
  claims.subject = elements.take("Subject");
  claims.operations.push_back(elements.need("Operation"));
  while (auto operation = elements.take("Operation")) {
    claims.operations.push_back(*std::move(operation));
  }
  while (auto resource = elements.take("Resource")) {
    claims.resources.push_back(*std::move(resource));
  }
  claims.replyTo = elements.take("ReplyTo");
  claims.notBefore = time(elements.need("NotBefore"), "NotBefore");
  claims.notAfter = time(elements.need("NotAfter"), "NotAfter");
  elements.end();
  if (const auto rule = ruleBroken(claims)) {
    malformed(*rule);
  }
  return claims;
}

} // namespace waybill::security
