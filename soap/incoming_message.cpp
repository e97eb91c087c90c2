// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/incoming_message.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/media_type.hpp"
#include "soap/memory.hpp"
#include "soap/message_parts.hpp"

#include <utility>

namespace waybill::soap {

namespace {

constexpr const char *xopType = "application/xop+xml";

bool isEnvelopeType(std::string_view type) noexcept {
  return type == "text/xml" || type == "application/soap+xml" || type == xopType || type == "application/xml";
}

[[noreturn]] void refuseType(const std::string &where, std::string_view found) {
  throw Fault(FaultCode::InvalidMessage,
              where + (found.empty() ? " is missing" : " is none that this service reads") +
                  "; send text/xml (SOAP 1.1), application/soap+xml (SOAP 1.2), or multipart/related with a root part "
                  "of these or of "
                  "application/xop+xml (MTOM)",
              printable(found));
}

/// The media type that a parameter of another one holds (start-info, or type of application/xop+xml); empty when there
/// is none.
MediaType typeWithin(const MediaType &outer, std::string_view parameter) {
  return MediaType::parse(outer.parameter(parameter)).value_or(MediaType{});
}

std::optional<Version> versionOf(std::string_view type) noexcept {
  if (type == "text/xml") {
    return Version::Soap11;
  }
  return type == "application/soap+xml" ? std::optional(Version::Soap12) : std::nullopt;
}

/// The action parameters are four places for one fact: they must not contradict each other.
std::optional<std::string> commonAction(std::initializer_list<std::string> candidates) {
  std::optional<std::string> action;
  for (const auto &candidate : candidates) {
    if (candidate.empty()) {
      continue;
    }
    if (action && *action != candidate) {
      throw Fault(FaultCode::InvalidMessage,
                  "the Content-Type headers of the message name two actions, '" + printable(*action) + "' and '" +
                      printable(candidate) + "'; make them agree, or leave them out",
                  "action");
    }
    action = candidate;
  }
  return action;
}

/// What the media type of the root part, and of the whole message around it, say about the envelope.
void describe(IncomingMessage &message, const MediaType &root, const MediaType &whole) {
  const auto within = typeWithin(root, "type");
  const auto startInfo = typeWithin(whole, "start-info");
  message.version = versionOf(root.type);
  if (root.type == xopType) {
    message.version = versionOf(within.type.empty() ? startInfo.type : within.type);
  }
  message.action = commonAction(
      {root.parameter("action"), within.parameter("action"), startInfo.parameter("action"), whole.parameter("action")});
  message.charset = root.parameter("charset");
}

MediaType rootType(const PartInfo &info, const MediaType &whole) {
  const auto text = info.contentType.empty() ? whole.parameter("type") : info.contentType;
  const auto type = MediaType::parse(text);
  if (!type || !isEnvelopeType(type->type)) {
    refuseType("the Content-Type of the root part", text);
  }
  return *type;
}

/// A Content-ID as the start parameter names it, with its angle brackets or, from some senders, without.
std::string startId(const MediaType &type) {
  auto start = type.parameter("start");
  if (start.size() >= 2 && start.front() == '<' && start.back() == '>') {
    start = start.substr(1, start.size() - 2);
  }
  return start;
}

IncomingMessage readMultipart(const MediaType &type, Source &body, const Limits &limits, Spool spool) {
  const auto boundary = type.parameter("boundary");
  if (boundary.empty()) {
    throw Fault(FaultCode::InvalidMessage, "the Content-Type multipart/related has no boundary parameter", "boundary");
  }
  auto parts = std::make_unique<MessageParts>(std::make_unique<MultipartReader>(body, boundary, limits), limits,
                                              std::move(spool));
  IncomingMessage message;
  message.memory = Budget::Share(limits.memory);
  auto root = parts->readRoot(startId(type), message.memory);
  const auto envelopeType = rootType(root.info, type);
  describe(message, envelopeType, type);
  message.packaging = envelopeType.type == xopType ? Packaging::Mtom : Packaging::SwA;
  message.root = std::move(root.bytes);
  message.attachments = std::move(parts);
  return message;
}

} // namespace

IncomingMessage IncomingMessage::read(std::string_view contentType, Source &body, const Limits &limits, Spool spool) {
  const auto type = MediaType::parse(contentType);
  if (type && type->type == "multipart/related") {
    return readMultipart(*type, body, limits, std::move(spool));
  }
  if (!type || !isEnvelopeType(type->type)) {
    refuseType("the Content-Type of the message", contentType);
  }
  IncomingMessage message;
  describe(message, *type, *type);
  message.memory = Budget::Share(limits.memory);
  message.root = readEnvelope(body, limits, message.memory);
  message.attachments = std::make_unique<MessageParts>(nullptr, limits, std::move(spool));
  return message;
}

} // namespace waybill::soap
