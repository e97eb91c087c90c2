// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/message_parts.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/memory.hpp"

#include <algorithm>
#include <utility>

namespace waybill::soap {

namespace {

/// Header fields are remembered for as long as the message lasts; in honest messages they are some hundred bytes a
/// part.
constexpr std::size_t maxNameBytes = 8ULL << 20U;

std::string idKey(std::string_view contentId) { return "id " + std::string(contentId); }

/// Relative references are relative to "thismessage:/" when the message has no other base (RFC 2557 section 5).
std::string locationKey(std::string_view location) {
  static constexpr std::string_view base = "thismessage:/";
  if (equalIgnoringCase(location.substr(0, base.size()), base)) {
    location.remove_prefix(base.size());
  }
  if (location.starts_with("./")) {
    location.remove_prefix(2);
  } else if (location.starts_with("/") && !location.starts_with("//")) {
    location.remove_prefix(1);
  }
  return "location " + std::string(location);
}

/// RFC 3986 section 2.1; a "%" without two hex digits stands for itself.
std::string percentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = text[at] == '%' ? fromHex(text.substr(at + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      decoded += asText(*byte);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

/// The keys of parts that `reference` may name, the likeliest first.
std::vector<std::string> referenceKeys(std::string_view reference) {
  std::vector<std::string> keys;
  if (equalIgnoringCase(reference.substr(0, 4), "cid:")) {
    keys.push_back(idKey(percentDecoded(reference.substr(4))));
  }
  keys.push_back(idKey(reference));
  keys.push_back(locationKey(reference));
  return keys;
}

std::vector<std::string> partKeys(const PartInfo &info) {
  std::vector<std::string> keys;
  if (!info.contentId.empty()) {
    keys.push_back(idKey(info.contentId));
  }
  if (!info.contentLocation.empty()) {
    keys.push_back(locationKey(info.contentLocation));
  }
  return keys;
}

/// The current part of a reader.
class CurrentPart final : public Source {
public:
  explicit CurrentPart(MultipartReader &reader) noexcept : reader_(reader) {}
  std::size_t read(std::span<std::byte> into) override { return reader_.read(into); }

private:
  MultipartReader &reader_;
};

} // namespace

/// A part passed on as it comes off the wire.
class MessageParts::Arriving final : public Source {
public:
  explicit Arriving(MessageParts &parts) noexcept : parts_(parts), opened_(parts.opened_) {}

  std::size_t read(std::span<std::byte> into) override {
    if (opened_ != parts_.opened_ || !parts_.reader_) {
      throw Fault(FaultCode::Internal, "an attachment was read after the next one had been opened");
    }
    return parts_.reader_->read(into);
  }

private:
  MessageParts &parts_;
  std::uint64_t opened_;
};

MessageParts::MessageParts(std::unique_ptr<MultipartReader> reader, const Limits &limits, Spool spool)
    : reader_(std::move(reader)), limits_(limits), keeper_(limits, std::move(spool)) {}

std::optional<PartInfo> MessageParts::nextPart() {
  if (!reader_) {
    return std::nullopt;
  }
  auto info = reader_->next();
  if (!info) {
    reader_.reset();
  }
  return info;
}

MessageParts::Root MessageParts::readRoot(const std::string &start, Budget::Share &memory) {
  while (auto info = nextPart()) {
    if (start.empty() || info->contentId == start) {
      CurrentPart root(*reader_);
      auto bytes = readEnvelope(root, limits_, memory);
      return {std::move(*info), std::move(bytes)};
    }
    const auto keys = partKeys(*info);
    keepCurrent(*add(std::move(*info), keys));
  }
  throw Fault(
      FaultCode::InvalidMessage,
      start.empty()
          ? "the multipart message has no part, so no envelope either"
          : "no part of the multipart message has the Content-ID that the start parameter of its Content-Type names",
      printable(start));
}

std::shared_ptr<MessageParts::Part> MessageParts::find(const std::string &reference) const {
  for (const auto &key : referenceKeys(reference)) {
    if (const auto found = seen_.find(key); found != seen_.end()) {
      return found->second;
    }
  }
  return nullptr;
}

std::size_t MessageParts::uses(const Keys &keys) const {
  const std::string *first = nullptr;
  for (const auto &key : keys) {
    const auto found = wanted_.find(key);
    if (found == wanted_.end()) {
      continue;
    }
    const auto &reference = *found->second.begin();
    if (found->second.size() > 1 || (first != nullptr && *first != reference)) {
      return 2;
    }
    first = &reference;
  }
  return first == nullptr ? 0 : 1;
}

std::shared_ptr<MessageParts::Part> MessageParts::add(PartInfo info, const Keys &keys) {
  nameBytes_ += info.contentId.size() + info.contentLocation.size() + info.contentType.size();
  if (nameBytes_ > maxNameBytes) {
    throw Fault(FaultCode::TooLarge,
                "the Content-ID, Content-Location and Content-Type fields of the message's parts have more than " +
                    std::to_string(maxNameBytes) + " bytes together");
  }
  auto part = std::make_shared<Part>(Part{std::move(info), {}, false});
  for (const auto &key : keys) {
    seen_.emplace(key, part);
  }
  return part;
}

bool MessageParts::isKnown(const Keys &keys) const {
  return std::all_of(keys.begin(), keys.end(), [&](const std::string &key) { return seen_.count(key) != 0; });
}

void MessageParts::keepCurrent(Part &part) {
  CurrentPart current(*reader_);
  part.kept = keeper_.keep(current);
}

void MessageParts::countUnreferenced(std::uint64_t bytes) {
  unreferenced_ += bytes;
  if (unreferenced_ > limits_.unreferencedBytes) {
    throw Fault(FaultCode::TooLarge, "the parts that nothing in the message refers to have more than " +
                                         std::to_string(limits_.unreferencedBytes) +
                                         " bytes (limits.unreferenced_bytes); leave them out, or refer to them");
  }
}

void MessageParts::skipUnreferenced() {
  Bytes block(64ULL << 10U);
  while (const auto count = reader_->read(block)) {
    countUnreferenced(count);
  }
}

void MessageParts::want(std::multiset<std::string> references) {
  for (const auto &reference : references) {
    for (const auto &key : referenceKeys(reference)) {
      wanted_[key].insert(reference);
    }
  }
  // What came before the root part was kept unseen; from now on only what is wanted is worth its memory.
  std::set<const Part *> counted;
  for (auto entry = seen_.begin(); entry != seen_.end();) {
    const auto &part = *entry->second;
    if (part.inlined || uses(partKeys(part.info)) != 0) {
      ++entry;
      continue;
    }
    if (counted.insert(&part).second) {
      countUnreferenced(part.kept ? part.kept->size() : 0);
    }
    entry = seen_.erase(entry);
  }
}

std::unique_ptr<Source> MessageParts::openSeen(const Part &part, const std::string &reference) const {
  if (!part.kept) {
    throw Fault(FaultCode::InvalidMessage,
                "this part of the message was read already, and a part that one element refers to is not kept for a "
                "second use",
                printable(reference));
  }
  return part.kept->open();
}

std::unique_ptr<Source> MessageParts::open(const std::string &reference) {
  keeper_.tokenIsOpen();
  ++opened_;
  if (const auto part = find(reference)) {
    return openSeen(*part, reference);
  }
  for (const auto &key : referenceKeys(reference)) {
    if (auto &wanted = wanted_[key]; wanted.count(reference) == 0) {
      wanted.insert(reference);
    }
  }
  while (auto info = nextPart()) {
    const auto keys = partKeys(*info);
    const auto count = uses(keys);
    if (count == 0 || isKnown(keys)) {
      skipUnreferenced();
      continue;
    }
    const auto part = add(std::move(*info), keys);
    const bool asked = find(reference) == part;
    if (asked && count == 1) {
      return std::make_unique<Arriving>(*this);
    }
    keepCurrent(*part);
    if (asked) {
      return part->kept->open();
    }
  }
  return nullptr;
}

std::optional<PartInfo> MessageParts::info(const std::string &reference) const {
  const auto part = find(reference);
  return part ? std::optional(part->info) : std::nullopt;
}

void MessageParts::addInline(std::string contentId, std::string bytes) {
  auto key = idKey(contentId);
  Part part{{std::move(contentId), {}, {}}, KeptBytes(std::move(bytes)), true};
  seen_.insert_or_assign(std::move(key), std::make_shared<Part>(std::move(part)));
}

void MessageParts::finish() {
  keeper_.tokenIsOpen();
  ++opened_;
  while (const auto info = nextPart()) {
    if (uses(partKeys(*info)) == 0) {
      skipUnreferenced();
    }
  }
}

} // namespace waybill::soap
