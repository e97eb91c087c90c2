// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "soap/codec.hpp"

#include "generated/wireH.h"

#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the files soap/codec_*.cpp share: gSOAP's context under RAII, reading and writing one element in memory, and
/// the scalar types. Included by nothing else.
namespace waybill::soap::wire {

/// A gSOAP context that reads from a text or writes into one, and never opens a socket or a file. A new one for each
/// message, so that nothing is left behind for the next: 4 of the 8 (encode) to 12 (decode) microseconds that a small
/// message costs.
class Context {
public:
  Context();
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  [[nodiscard]] struct ::soap *get() const noexcept { return soap_; }
  /// From now on reads `xml`, or writes at the end of `text`; they must outlive the context.
  void readFrom(std::string_view xml);
  void writeTo(std::string &text);
  /// Throw the Fault for gSOAP's error: InvalidMessage for what is in the element `name`, Internal for want of memory
  /// and for a message that cannot be written.
  [[noreturn]] void failReading(const char *name);
  [[noreturn]] void failWriting(const char *name);

private:
  [[nodiscard]] std::string complaint();

  struct ::soap *soap_;
  std::unique_ptr<std::streambuf> buffer_;
  std::istream in_{nullptr};
  std::ostream out_{nullptr};
};

/// What the wire form of one outgoing message points to, kept until it is written. Texts are not copied: the message
/// must outlive the arena.
class Arena {
public:
  explicit Arena(const InlineContents &inlined) noexcept : inlined_(inlined) {}

  template <class T> T *make(T value = T{}) {
    auto owned = std::make_shared<T>(std::move(value));
    auto *raw = owned.get();
    owned_.push_back(std::move(owned));
    return raw;
  }
  template <class T> T *makeOptional(const auto &value) { return value ? make<T>(static_cast<T>(*value)) : nullptr; }
  /// `value`, found fit for XML. Throws Fault BadParameter, naming `field`, when it is no UTF-8 or has a character that
  /// XML 1.0 cannot carry in any form (section 2.2: most control characters). To replace such a character would be to
  /// name other data without a word.
  [[nodiscard]] static const std::string &checked(const std::string &value, const char *field);
  /// For an optional field; null when there is none.
  [[nodiscard]] static std::string *text(const std::optional<std::string> &value, const char *field);
  [[nodiscard]] std::string *time(const std::optional<Time> &value);
  /// "cid:..." made fit for a URL (escapedCid); other texts as they are.
  [[nodiscard]] std::string *reference(const std::optional<std::string> &value, const char *field);
  /// What stands in wb:Content for the part that `reference` ("cid:...") names: base64 if it is to be inline, else
  /// xop:Include. Throws Fault Internal when `reference` is something else.
  [[nodiscard]] char *content(const std::string &reference);

private:
  const InlineContents &inlined_;
  std::vector<std::shared_ptr<void>> owned_;
};

/// The value of an optional field, moved out; an empty element counts as a value.
[[nodiscard]] std::optional<std::string> text(std::string *value);
/// The same for fields that mean nothing when empty, and whose blanks at the ends mean nothing (URLs, media types).
[[nodiscard]] std::optional<std::string> trimmedText(const std::string *value);
/// The value of an optional xs:int.
[[nodiscard]] inline std::optional<std::int32_t> number(const int *value) {
  return value != nullptr ? std::optional<std::int32_t>(*value) : std::nullopt;
}
/// xs:dateTime with its zone: "Z", "+hh:mm" or "-hh:mm". Throws Fault BadParameter for one without, or out of range.
[[nodiscard]] Time time(std::string_view value, const char *field);
[[nodiscard]] std::optional<Time> time(const std::string *value, const char *field);
/// The text "cid:..." whose base64 form is in wb:Content (Envelope::liftContent put it there). Throws Fault
/// InvalidMessage.
[[nodiscard]] std::optional<std::string> liftedContent(const char *base64);

/// "cid:..." with every character that may not stand in a URL percent-encoded (RFC 2392, RFC 3986); escapes that are
/// there already stay. Any other text comes back as it is.
[[nodiscard]] std::string escapedCid(std::string_view reference);

// What is in the messages of several services.
[[nodiscard]] Attach fromWire(wb__Attach attach);
[[nodiscard]] wb__Attach toWire(Attach attach);
[[nodiscard]] Overwrite fromWire(wb__Overwrite overwrite);
[[nodiscard]] wb__Overwrite toWire(Overwrite overwrite);
[[nodiscard]] TransferState fromWire(wb__TransferState state);
[[nodiscard]] wb__TransferState toWire(TransferState state);
[[nodiscard]] Data fromWire(wb__Data &wire);
void toWire(wb__Data &wire, const Data &data, Arena &arena);

/// Every wb:Data of a message, in its order.
[[nodiscard]] std::vector<Data> allFromWire(std::vector<wb__Data *> &wire);
void allToWire(std::vector<wb__Data *> &wire, const std::vector<Data> &all, Arena &arena);

/// What is known of one message: the generated class, the element's name, and how the fields of `T` become those of the
/// class and back. Specialised for each struct of domain/messages.hpp:
///   using Element = <generated class>;
///   static constexpr const char *name = "wb:<element>";
///   static T decode(Element &);
///   static void encode(Element &, const T &, Arena &);
template <class T> struct Message;

} // namespace waybill::soap::wire

namespace waybill::soap {

template <class T> T decode(std::string_view bodyXml) {
  using Wire = wire::Message<T>;
  wire::Context context;
  auto *soap = context.get();
  context.readFrom(bodyXml);
  typename Wire::Element element;
  element.soap_default(soap);
  if (soap_begin_recv(soap) != SOAP_OK || element.soap_get(soap, Wire::name, nullptr) == nullptr ||
      soap_end_recv(soap) != SOAP_OK) {
    context.failReading(Wire::name);
  }
  return Wire::decode(element);
}

template <class T> std::string encode(const T &message, const InlineContents &inlined) {
  using Wire = wire::Message<T>;
  wire::Context context;
  auto *soap = context.get();
  wire::Arena arena(inlined);
  typename Wire::Element element;
  element.soap_default(soap);
  Wire::encode(element, message, arena);
  std::string text;
  context.writeTo(text);
  if (soap_begin_send(soap) != SOAP_OK || element.soap_put(soap, Wire::name, "") != SOAP_OK ||
      soap_end_send(soap) != SOAP_OK) {
    context.failWriting(Wire::name);
  }
  return text;
}

} // namespace waybill::soap

/// Puts the two functions for one message into this object file.
#define WAYBILL_CODEC(Type)                                                                                            \
  template Type decode<Type>(std::string_view);                                                                        \
  template std::string encode<Type>(const Type &, const InlineContents &)
