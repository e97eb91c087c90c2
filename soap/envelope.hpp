// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"
#include "soap/addressing.hpp"
#include "soap/limits.hpp"
#include "soap/version.hpp"

#include <compare>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {
class Fault;
}

namespace waybill::soap {

class Attachments;

struct QName {
  std::string space;
  std::string local;
  friend auto operator<=>(const QName &,
                          const QName &) = default; // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads it
};

/// The published schemas, compiled once (libxml2) from the files that the instance serves. Immutable: any number of
/// threads may use it.
class Schema {
public:
  /// Throws std::runtime_error when the contract does not compile (a defect of the build).
  Schema();
  ~Schema();
  Schema(const Schema &) = delete;
  Schema &operator=(const Schema &) = delete;

private:
  friend class Envelope;
  struct State;
  std::unique_ptr<State> state_;
};

/// A SOAP envelope that has been read, checked and found harmless. Move-only; one thread at a time.
class Envelope {
public:
  /// Reads `xml` with libxml2. Throws Fault InvalidMessage for what is not well-formed (with line and column), has a
  /// DOCTYPE, an entity reference, a processing instruction, no soap:Envelope of a known version (VersionMismatch), a
  /// misplaced Header, not exactly one Body with exactly one element child; TooLarge for what passes `limits`, as soon
  /// as it does. `charset` is that of the media type, if any.
  /// What its elements and attributes take is taken from `memory`, if given; Fault Busy when there is no room.
  [[nodiscard]] static Envelope parse(std::string_view xml, const Limits &limits, std::string_view charset = {},
                                      Budget::Share *memory = nullptr);
  ~Envelope();
  Envelope(Envelope &&) noexcept;
  Envelope &operator=(Envelope &&) noexcept;

  [[nodiscard]] Version version() const noexcept;
  /// The element in the body.
  [[nodiscard]] QName bodyElement() const;
  /// True when that element is soap:Fault.
  [[nodiscard]] bool isFault() const;

  /// Throws Fault MustUnderstand naming the first header meant for us (no role/actor, "next", the ultimate receiver)
  /// that says mustUnderstand and is not in `understood`. WS-Addressing's own headers, wb:Token, wb:Onward and
  /// wb:Overwrite are always understood.
  void requireUnderstood(const std::set<QName> &understood = {}) const;

  /// The addressing headers, with WS-Addressing's faults for malformed, doubled (InvalidCardinality) or incomplete ones
  /// (MessageAddressingHeaderRequired when any is used without wsa:Action).
  [[nodiscard]] Addressing addressing() const;
  /// The same into an empty `into`, which has all that is valid (the first of a doubled header) also when it throws: so
  /// that the fault goes where the message says, and names it.
  void addressing(Addressing &into) const;

  /// The text of the header block `name`, blanks at the ends taken off; nothing when absent. Throws Fault
  /// InvalidMessage when it is there twice.
  [[nodiscard]] std::optional<std::string> headerText(const QName &name) const;

  /// The header wb:Onward: where the response to this message is to be sent, and which. Nothing when absent. Throws
  /// WS-Addressing's faults for an endpoint reference that is none, InvalidMessage for another wb:send than Receipt or
  /// Data and when the header is there twice. Any absolute IRI may be the address, also anonymous and none.
  [[nodiscard]] std::optional<Onward> onward() const;
  /// The header wb:Overwrite. Throws Fault InvalidMessage for another text than those of the schema, and when it is
  /// there twice.
  [[nodiscard]] std::optional<Overwrite> overwrite() const;

  /// Turns every wb:Content of the body into a reference: inline base64 is decoded and given to `addInline(contentId,
  /// bytes)`; xop:Include is checked (href must be "cid:"). Afterwards each wb:Content holds the base64 form of the
  /// text "cid:...", which is what codec.hpp reads. Returns all references the body uses: those, and the values of
  /// wb:Attachment and wb:Href; each once for every element (wb:Data) whose children have it. Throws Fault
  /// InvalidMessage for bad base64, for another href scheme, and for inline base64 beside a reference to a part.
  std::multiset<std::string>
  liftContent(const std::function<void(std::string contentId, std::string bytes)> &addInline);

  /// The same, with everything that was inline given to `attachments`, and these told what will be wanted of them.
  void liftContent(Attachments &attachments);

  /// Validates the body against the published schema. Throws Fault InvalidMessage naming the offending element and its
  /// line in the message.
  void validate(const Schema &schema) const;

  /// What the body asks for, once liftContent() has been called: its elements, attributes and texts, whichever
  /// prefixes, blanks and comments it is written with, but for the names of the message's parts and for tokens: who
  /// sends it again may make them anew.
  [[nodiscard]] std::string asked() const;

  /// The body's element as a document of its own: every prefix in use (also in attribute values and text of QName type)
  /// is declared on it.
  [[nodiscard]] std::string bodyXml() const;

private:
  friend Fault decodeFault(const Envelope &envelope);
  struct State;
  explicit Envelope(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The text of an envelope with these addressing headers (those that are set) and these ready header blocks (each an
/// XML element that stands alone) around `bodyXml` (likewise).
[[nodiscard]] std::string writeEnvelope(Version version, const Addressing &addressing,
                                        const std::vector<std::string> &headerBlocks, std::string_view bodyXml);

/// The same, to the endpoint `to`: wsa:To is its address (none when that is anonymous), and its reference parameters
/// become header blocks, before `headerBlocks` (SOAP Binding, section 3.2). Throws as asReferenceParameterHeader does.
[[nodiscard]] std::string writeEnvelopeTo(Version version, const EndpointReference &to, Addressing addressing,
                                          const std::vector<std::string> &headerBlocks, std::string_view bodyXml);

/// The element wb:Onward, standing alone: a header block, or a reference parameter of the endpoint before it.
[[nodiscard]] std::string encodeOnward(const Onward &onward);

/// The reference parameter `xml` (one of EndpointReference::referenceParameters) as the header block that goes to that
/// endpoint: marked with wsa:IsReferenceParameter="true" (SOAP Binding, section 3.2). Throws Fault InvalidMessage when
/// `xml` is not one element that stands alone, InvalidEndpointReference when it is of SOAP's or WS-Addressing's own
/// namespace: those would speak for the sender.
[[nodiscard]] std::string asReferenceParameterHeader(std::string_view xml);

/// `text` with & < > " ' and CR escaped, for element content and attribute values. What XML cannot have at all (bytes
/// that are not UTF-8, control characters) becomes U+FFFD, so that the result is always well-formed.
[[nodiscard]] std::string escapeXml(std::string_view text);

} // namespace waybill::soap
