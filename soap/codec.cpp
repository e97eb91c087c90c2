// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/bytes.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/base64.hpp"
#include "soap/codec_wire.hpp"
#include "soap/version.hpp"

#include <charconv>
#include <chrono>
#include <new>

namespace waybill::soap::wire {

namespace {

/// Reads a text in place.
class ViewBuffer final : public std::streambuf {
public:
  explicit ViewBuffer(std::string_view text) {
    auto *begin = const_cast<char *>(text.data()); // a get area; nothing puts back another character
    setg(begin, begin, begin + text.size());
  }
};

/// Writes at the end of a string.
class StringBuffer final : public std::streambuf {
public:
  explicit StringBuffer(std::string &text) : text_(text) {}

private:
  std::streamsize xsputn(const char *from, std::streamsize size) override {
    text_.append(from, static_cast<std::size_t>(size));
    return size;
  }
  int_type overflow(int_type character) override {
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      text_.push_back(traits_type::to_char_type(character));
    }
    return traits_type::not_eof(character);
  }

  std::string &text_;
};

} // namespace

Context::Context() : soap_(soap_new1(SOAP_C_UTFSTRING | SOAP_XML_TREE)) {
  if (soap_ == nullptr) {
    throw std::bad_alloc();
  }
  soap_set_namespaces(soap_, namespaces);
  soap_->prolog = ""; // what is written goes into an envelope
}

Context::~Context() {
  soap_destroy(soap_);
  soap_end(soap_);
  soap_free(soap_);
}

void Context::readFrom(std::string_view xml) {
  // gSOAP takes a text that does not begin as XML for the head of an HTTP or MIME message.
  if (const auto body = trimmed(xml); body.empty() || body.front() != '<') {
    throw Fault(FaultCode::InvalidMessage, "the body is not an XML element");
  }
  buffer_ = std::make_unique<ViewBuffer>(xml);
  in_.rdbuf(buffer_.get());
  soap_->is = &in_;
}

void Context::writeTo(std::string &text) {
  buffer_ = std::make_unique<StringBuffer>(text);
  out_.rdbuf(buffer_.get());
  soap_->os = &out_;
}

std::string Context::complaint() {
  soap_set_fault(soap_);
  const char *const *reason = soap_faultstring(soap_);
  return reason != nullptr && *reason != nullptr ? printable(*reason, 300) : "error " + std::to_string(soap_->error);
}

void Context::failReading(const char *name) {
  if (soap_->error == SOAP_EOM) {
    throw std::bad_alloc();
  }
  throw Fault(FaultCode::InvalidMessage,
              "the element " + std::string(name) + " cannot be read: " + complaint() +
                  "; compare it with the schema at ?wsdl",
              name);
}

void Context::failWriting(const char *name) {
  if (soap_->error == SOAP_EOM) {
    throw std::bad_alloc();
  }
  throw Fault(FaultCode::Internal, "the message could not be written", name, {}, LogText(complaint()));
}

const std::string &Arena::checked(const std::string &value, const char *field) {
  const auto refuse = [&](const char *what) {
    throw Fault(FaultCode::BadParameter,
                std::string(field) + " has " + what + ", which an XML message cannot carry; take it out",
                printable(value));
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') {
      refuse("a control character");
    }
    if (byte == 0xEF && (value.compare(i, 3, "\xEF\xBF\xBE") == 0 || value.compare(i, 3, "\xEF\xBF\xBF") == 0)) {
      refuse("U+FFFE or U+FFFF");
    }
  }
  if (!isUtf8(value)) {
    refuse("bytes that are not UTF-8");
  }
  return value;
}

std::string *Arena::text(const std::optional<std::string> &value, const char *field) {
  // gSOAP only reads what it writes out, though its types do not say so.
  return value ? const_cast<std::string *>(&checked(*value, field)) : nullptr;
}

std::string *Arena::time(const std::optional<Time> &value) { return value ? make(formatUtc(*value)) : nullptr; }

std::string *Arena::reference(const std::optional<std::string> &value, const char *field) {
  return value ? make(escapedCid(checked(*value, field))) : nullptr;
}

char *Arena::content(const std::string &reference) {
  if (!reference.starts_with("cid:")) {
    throw Fault(FaultCode::Internal, "Content can only be written for bytes that travel with the message",
                printable(reference));
  }
  const auto found = inlined_.find(std::string_view(reference).substr(4));
  if (found == inlined_.end()) {
    return make("<xop:Include xmlns:xop=\"" + std::string(xopNamespace) + "\" href=\"" + escapedCid(reference) + "\"/>")
        ->data();
  }
  return make(toBase64(found->second))->data();
}

std::optional<std::string> text(std::string *value) {
  return value != nullptr ? std::optional(std::move(*value)) : std::nullopt;
}

std::optional<std::string> trimmedText(const std::string *value) {
  const auto inner = value != nullptr ? trimmed(*value) : std::string_view{};
  return inner.empty() ? std::nullopt : std::optional(std::string(inner));
}

namespace {

/// Minutes east of UTC of "+hh:mm" or "-hh:mm"; nothing for another text.
std::optional<std::chrono::minutes> parseOffset(std::string_view text) {
  int hours = 0;
  int minutes = 0;
  const auto *begin = text.data();
  if (text.size() != 6 || text[3] != ':' || std::from_chars(begin + 1, begin + 3, hours).ptr != begin + 3 ||
      std::from_chars(begin + 4, begin + 6, minutes).ptr != begin + 6 || hours < 0 || minutes < 0 || hours > 14 ||
      minutes > 59) {
    return std::nullopt;
  }
  const std::chrono::minutes offset(hours * 60 + minutes);
  return text[0] == '+' ? offset : -offset;
}

} // namespace

Time time(std::string_view value, const char *field) {
  constexpr std::size_t offsetSize = 6;
  value = trimmed(value);
  auto parsed = parseUtc(value);
  if (const auto sign = value.size() > offsetSize ? value.size() - offsetSize : 0;
      sign != 0 && (value[sign] == '+' || value[sign] == '-')) {
    const auto local = parseUtc(std::string(value.substr(0, sign)) + "Z");
    const auto offset = parseOffset(value.substr(sign));
    parsed = local && offset ? std::optional(*local - *offset) : std::nullopt;
  }
  if (!parsed) {
    throw Fault(FaultCode::BadParameter,
                std::string(field) +
                    " is not a time of the years 1970 to 9999 with its zone, such as 2030-12-31T23:59:59Z",
                printable(value));
  }
  return *parsed;
}

std::optional<Time> time(const std::string *value, const char *field) {
  return value != nullptr ? std::optional(time(std::string_view(*value), field)) : std::nullopt;
}

std::optional<std::string> liftedContent(const char *base64) {
  if (base64 == nullptr || *base64 == '\0') {
    return std::nullopt;
  }
  Base64Decoder decoder;
  const bool decoded = decoder.add(base64) && decoder.complete();
  auto reference = decoded ? decoder.take() : std::string();
  if (!equalIgnoringCase(std::string_view(reference).substr(0, 4), "cid:")) {
    throw Fault(FaultCode::InvalidMessage, "Content holds neither base64 nor an xop:Include of a part of the message",
                "wb:Content");
  }
  return reference;
}

std::string escapedCid(std::string_view reference) {
  constexpr std::string_view scheme = "cid:";
  // RFC 3986: unreserved, and what a path segment may have besides. "&" and "'" are allowed there, but would need
  // escaping in XML.
  constexpr std::string_view marks = "-._~!$()*+,;=:@/";
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  if (!reference.starts_with(scheme)) {
    return std::string(reference);
  }
  std::string escaped(scheme);
  for (auto i = scheme.size(); i < reference.size(); ++i) {
    const auto character = reference[i];
    const bool alphanumeric = (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
                              (character >= 'A' && character <= 'Z');
    const bool escape = character == '%' && i + 2 < reference.size() &&
                        digits.find(reference[i + 1]) != std::string_view::npos &&
                        digits.find(reference[i + 2]) != std::string_view::npos;
    if (alphanumeric || escape || marks.find(character) != std::string_view::npos) {
      escaped += character;
    } else {
      escaped += "%" + toHex(asBytes(reference.substr(i, 1)));
    }
  }
  return escaped;
}

} // namespace waybill::soap::wire
