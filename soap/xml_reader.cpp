// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/xml.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/memory.hpp"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

namespace waybill::soap::xml {

namespace {

struct FreeParser {
  void operator()(xmlParserCtxt *parser) const noexcept { xmlFreeParserCtxt(parser); }
};
using Parser = std::unique_ptr<xmlParserCtxt, FreeParser>;

/// What a message is refused for, as found by code that C calls and that must not throw or allocate.
struct Refusal {
  FaultCode code = FaultCode::InvalidMessage;
  std::array<char, 320> reason{};
  long line = 0;
  long column = 0;
};

[[noreturn]] void refuse(FaultCode code, const std::string &reason, long line, long column) {
  throw Fault(code,
              reason + " (line " + std::to_string(line) + ", column " + std::to_string(column) + " of the message)");
}

/// The position after the ">" of the tag that begins at `begin`, and in `attributes` how many the tag has.
std::size_t tagEnd(std::string_view text, std::size_t begin, std::size_t &attributes) noexcept {
  attributes = 0;
  for (auto at = text.find_first_of("\"'=>", begin); at != std::string_view::npos;
       at = text.find_first_of("\"'=>", at + 1)) {
    if (text[at] == '>') {
      return at + 1;
    }
    if (text[at] == '=') {
      ++attributes;
    } else if (at = text.find(text[at], at + 1); at == std::string_view::npos) {
      break;
    }
  }
  return text.size();
}

std::size_t after(std::string_view text, std::string_view mark, std::size_t from) noexcept {
  const auto found = text.find(mark, from);
  return found == std::string_view::npos ? text.size() : found + mark.size();
}

/// libxml2 compares each attribute and namespace declaration of a tag with all before it, and calls startElementNs only
/// then: a tag of a megabyte would cost it minutes. So the tags are measured before it sees them. Up to the first thing
/// that libxml2 refuses both see the same tags, and it is fed nothing after that; so this needs no opinion on what is
/// well-formed.
void checkTags(std::string_view text, std::size_t limit) {
  for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    const auto rest = text.substr(at, 9);
    std::size_t attributes = 0;
    const auto begin = at;
    if (rest.starts_with("<!--")) {
      at = after(text, "-->", at + 4);
    } else if (rest.starts_with("<![CDATA[")) {
      at = after(text, "]]>", at + 9);
    } else if (rest.starts_with("<?")) {
      at = after(text, "?>", at + 2);
    } else if (rest.starts_with("<!")) {
      return; // a DOCTYPE: refused where libxml2 meets it
    } else {
      at = tagEnd(text, at, attributes);
    }
    if (attributes > limit) {
      const auto before = text.substr(0, begin);
      const auto lineBegin = before.rfind('\n');
      refuse(FaultCode::TooLarge,
             "an element has " + std::to_string(attributes) + " attributes and namespace declarations; at most " +
                 std::to_string(limit) + " are taken",
             1 + std::count(before.begin(), before.end(), '\n'),
             static_cast<long>(begin - (lineBegin == std::string_view::npos ? 0 : lineBegin + 1)) + 1);
    }
  }
}

/// One run of libxml2 over one text. It is fed in small pieces, and nothing more once something has been refused, so
/// that what comes after an error costs nothing.
class Run {
public:
  Run(std::string_view text, const Limits &limits, Budget::Share *memory)
      : text_(text), limits_(limits), memory_(memory), namespaceLimit_(limits.attributes),
        otherLimit_(limits.elements) {}

  Document document() {
    const Parser parser(xmlNewParserCtxt());
    if (!parser) {
      throw Fault(FaultCode::Internal, "the XML parser could not be started: no memory");
    }
    parser_ = parser.get();
    parser_->_private = this;
    installHooks(*parser_->sax);
    Document result(xmlCtxtReadIO(parser_, feed, nullptr, this, nullptr, "UTF-8",
                                  XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_IGNORE_ENC));
    if (refused_) {
      refuse(refusal_.code, refusal_.reason.data(), refusal_.line, refusal_.column);
    }
    if (!result) {
      throw Fault(FaultCode::InvalidMessage, "the message is not well-formed XML");
    }
    return result;
  }

private:
  static Run &of(void *context) noexcept {
    return *static_cast<Run *>(static_cast<xmlParserCtxt *>(context)->_private);
  }

  static void installHooks(xmlSAXHandler &sax) noexcept {
    sax.startElementNs = startElement;
    sax.endElementNs = endElement;
    sax.comment = comment;
    sax.cdataBlock = cdata;
    sax.processingInstruction = instruction;
    sax.internalSubset = doctype;
    sax.externalSubset = nullptr;
    sax.getEntity = entity;
    sax.getParameterEntity = nullptr;
    sax.entityDecl = nullptr;
    sax.reference = nullptr;
    sax.resolveEntity = nullptr;
    sax.serror = error;
  }

  static int feed(void *context, char *into, int length) noexcept {
    auto &run = *static_cast<Run *>(context);
    if (run.refused_ || length <= 0) {
      return 0;
    }
    const auto count = std::min(static_cast<std::size_t>(length), run.text_.size());
    std::memcpy(into, run.text_.data(), count);
    run.text_.remove_prefix(count);
    return static_cast<int>(count);
  }

  void stop(FaultCode code, const char *format, std::size_t number = 0) noexcept {
    if (refused_) {
      return;
    }
    refused_ = true;
    refusal_.code = code;
    std::snprintf(refusal_.reason.data(), refusal_.reason.size(), format, number);
    refusal_.line = xmlSAX2GetLineNumber(parser_);
    refusal_.column = xmlSAX2GetColumnNumber(parser_);
    xmlStopParser(parser_);
  }

  /// A node costs more than its bytes, which were counted as they came.
  void takeMemory(std::size_t nodes) noexcept {
    if (memory_ != nullptr && !memory_->take(memoryOfNode * nodes)) {
      stop(FaultCode::Busy, noMemoryText);
    }
  }

  /// Keeps the count of what is neither element nor text: each such thing costs far more memory than it has bytes.
  bool admitOthers(std::size_t count) noexcept {
    others_ += count;
    if (others_ > otherLimit_) {
      stop(FaultCode::TooLarge, "the message has more than %zu attributes, comments and CDATA sections", otherLimit_);
    }
    takeMemory(count);
    return !refused_;
  }

  /// libxml2 writes a namespace name as it keeps it, so what would not come back the same is not let in.
  bool admitNamespaces(const xmlChar **namespaces, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      const auto name = view(namespaces[2 * i + 1]);
      if (name.find_first_of("<\"") != std::string_view::npos || hasControlCharacters(name)) {
        stop(FaultCode::InvalidMessage, "a namespace name has '<', '\"' or a control character");
      }
    }
    return !refused_;
  }

  bool admitElement(const xmlChar *local, std::size_t namespaces, std::size_t attributes) noexcept {
    if (++depth_ > limits_.depth) {
      stop(FaultCode::TooLarge, "the elements of the message are nested deeper than %zu", limits_.depth);
    }
    if (++elements_ > limits_.elements) {
      stop(FaultCode::TooLarge, "the message has more than %zu elements", limits_.elements);
    }
    takeMemory(1);
    if (depth_ == 2) {
      inHeader_ = view(local) == "Header";
    } else if (depth_ == 3 && inHeader_ && ++headers_ > limits_.headers) {
      stop(FaultCode::TooLarge, "the message has more than %zu header blocks", limits_.headers);
    }
    // Each prefix is looked for among all declarations in scope.
    inScope_ += namespaces;
    if (inScope_ > namespaceLimit_) {
      stop(FaultCode::TooLarge, "more than %zu namespace declarations are in scope at once", namespaceLimit_);
    }
    return admitOthers(namespaces + attributes);
  }

  /// Keeps the line where lineOf() finds it: libxml2 itself counts no further than 65,535.
  void noteLine() noexcept {
    if (parser_->node != nullptr) {
      const auto line = static_cast<std::intptr_t>(xmlSAX2GetLineNumber(parser_));
      parser_->node->psvi = reinterpret_cast<void *>(line); // NOLINT(performance-no-int-to-ptr): never followed
    }
  }

  static void startElement(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *space,
                           int namespaceCount, const xmlChar **namespaces, int attributeCount, int defaulted,
                           const xmlChar **attributes) {
    auto &run = of(context);
    const auto declared = static_cast<std::size_t>(namespaceCount);
    if (!run.refused_ && run.admitElement(local, declared, static_cast<std::size_t>(attributeCount)) &&
        run.admitNamespaces(namespaces, declared)) {
      run.scopes_[(run.depth_ - 1) % run.scopes_.size()] = declared;
      xmlSAX2StartElementNs(context, local, prefix, space, namespaceCount, namespaces, attributeCount, defaulted,
                            attributes);
      run.noteLine();
    }
  }

  static void endElement(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *space) {
    auto &run = of(context);
    if (run.refused_) {
      return;
    }
    --run.depth_;
    run.inScope_ -= run.scopes_[run.depth_ % run.scopes_.size()];
    xmlSAX2EndElementNs(context, local, prefix, space);
  }

  static void comment(void *context, const xmlChar *text) {
    if (of(context).admitOthers(1)) {
      xmlSAX2Comment(context, text);
    }
  }

  static void cdata(void *context, const xmlChar *text, int length) {
    if (of(context).admitOthers(1)) {
      xmlSAX2CDataBlock(context, text, length);
    }
  }

  static void instruction(void *context, const xmlChar * /*target*/, const xmlChar * /*data*/) {
    of(context).stop(FaultCode::InvalidMessage, "the message has a processing instruction, which SOAP does not allow");
  }

  static void doctype(void *context, const xmlChar * /*name*/, const xmlChar * /*publicId*/,
                      const xmlChar * /*systemId*/) {
    of(context).stop(FaultCode::InvalidMessage, "the message has a DOCTYPE, which SOAP does not allow");
  }

  /// Asked for every reference other than the five that XML itself defines. The parser goes on to call it undefined, an
  /// error of its own.
  static xmlEntity *entity(void *context, const xmlChar * /*name*/) {
    auto &run = of(context);
    if (!run.refused_) {
      run.refused_ = true;
      std::snprintf(
          run.refusal_.reason.data(), run.refusal_.reason.size(), "%s",
          "the message refers to an entity; only &amp; &lt; &gt; &quot; &apos; and character references are taken");
      run.refusal_.line = xmlSAX2GetLineNumber(run.parser_);
      run.refusal_.column = xmlSAX2GetColumnNumber(run.parser_);
    }
    return nullptr;
  }

  /// Only notes the first error: stopping the parser from here could pull the input away under it.
  static void error(void *context, xmlError *error) {
    auto &run = of(context);
    // A namespace name that is no URI is still a name.
    if (run.refused_ || error->level < XML_ERR_ERROR || error->domain == XML_FROM_VALID ||
        error->code == XML_WAR_NS_URI) {
      return;
    }
    run.refused_ = true;
    auto message = error->message == nullptr ? std::string_view("unknown error") : std::string_view(error->message);
    message = trimmed(message);
    std::snprintf(run.refusal_.reason.data(), run.refusal_.reason.size(), "the message is not well-formed XML: %.*s",
                  static_cast<int>(std::min<std::size_t>(message.size(), 240)), message.data());
    run.refusal_.line = error->line;
    run.refusal_.column = error->int2;
  }

  std::string_view text_;
  const Limits &limits_;
  Budget::Share *memory_;
  std::size_t namespaceLimit_;
  std::size_t otherLimit_;
  xmlParserCtxt *parser_ = nullptr;
  bool refused_ = false;
  Refusal refusal_;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
  std::size_t headers_ = 0;
  std::size_t others_ = 0;
  std::size_t inScope_ = 0;
  bool inHeader_ = false;
  std::vector<std::size_t> scopes_ = std::vector<std::size_t>(limits_.depth + 1);
};

} // namespace

Document read(std::string_view text, const Limits &limits, std::string_view charset, Budget::Share *memory) {
  initialise();
  if (text.size() > limits.envelopeBytes) {
    throw Fault(FaultCode::TooLarge, "the envelope has " + std::to_string(text.size()) + " bytes; at most " +
                                         std::to_string(limits.envelopeBytes) + " are taken");
  }
  std::string store;
  const auto utf8 = toUtf8(text, charset, store);
  const auto begin = utf8.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    throw Fault(FaultCode::InvalidMessage, "the message has no envelope: it is empty");
  }
  // A NUL here would let libxml2 take the text for UTF-16 where this file took it for UTF-8.
  if (utf8[begin] != '<' || utf8.substr(0, 4).find('\0') != std::string_view::npos) {
    throw Fault(FaultCode::InvalidMessage,
                "the message is not XML: it begins with '" + printable(utf8.substr(begin, 24), 60) + "'");
  }
  checkTags(utf8, limits.attributes);
  return Run(utf8, limits, memory).document();
}

} // namespace waybill::soap::xml
