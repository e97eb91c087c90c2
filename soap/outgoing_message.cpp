// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/outgoing_message.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/boundary_scan.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

namespace waybill::soap {

namespace {

[[noreturn]] void refuse(const std::string &what, std::string_view value) {
  throw Fault(FaultCode::Internal, "a message cannot be sent: " + what, printable(value));
}

bool isPrintableAscii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

/// Content-IDs go into header fields and, within quotes, into parameters: nothing that could end either is let through.
bool isContentId(std::string_view id) noexcept {
  return !id.empty() && id.size() <= 900 && isPrintableAscii(id) &&
         id.find_first_of(" <>\"\\") == std::string_view::npos;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + "\"";
}

const char *envelopeType(Version version) noexcept {
  return version == Version::Soap12 ? "application/soap+xml" : "text/xml";
}

/// "; action=..." where SOAP 1.2 has it (RFC 3902); SOAP 1.1 has the SOAPAction header instead.
std::string actionParameter(const OutgoingMessage &message) {
  return message.version == Version::Soap12 && !message.action.empty() ? "; action=" + quoted(message.action) : "";
}

/// What application/xop+xml calls `type` and multipart/related `start-info` (XOP 1.0, sections 4.1 and 5).
std::string infoset(const OutgoingMessage &message) { return envelopeType(message.version) + actionParameter(message); }

std::string plainType(const OutgoingMessage &message) {
  return envelopeType(message.version) + std::string("; charset=utf-8") + actionParameter(message);
}

std::string rootId(const OutgoingMessage &message) { return "root@" + message.boundary; }

void checkPart(const OutgoingPart &part, std::set<std::string> &ids) {
  if (!isContentId(part.contentId)) {
    refuse("a part's Content-ID is empty, too long, or has characters that may not be in one", part.contentId);
  }
  if (!ids.insert(part.contentId).second) {
    refuse("two of its parts have the same Content-ID", part.contentId);
  }
  if (!isPrintableAscii(part.contentType)) {
    refuse("the content type of part '" + part.contentId + "' has characters that may not be in a header",
           part.contentType);
  }
}

void check(const OutgoingMessage &message) {
  if (!isPrintableAscii(message.action)) {
    refuse("its action has characters that may not be in a header", message.action);
  }
  if (message.packaging == Packaging::Plain) {
    if (!message.parts.empty()) {
      refuse("it has parts, but is to go out as a plain envelope", std::to_string(message.parts.size()));
    }
    return;
  }
  if (!isBoundary(message.boundary) || !isContentId(message.boundary)) {
    refuse("its boundary is empty, too long, or has characters that may not be in one", message.boundary);
  }
  std::set<std::string> ids{rootId(message)};
  for (const auto &part : message.parts) {
    checkPart(part, ids);
  }
}

std::string partHead(const OutgoingMessage &message, const std::string &contentType, const std::string &contentId) {
  return "--" + message.boundary + "\r\nContent-Type: " + contentType + "\r\nContent-ID: <" + contentId + ">\r\n\r\n";
}

std::string rootHead(const OutgoingMessage &message) {
  if (message.packaging == Packaging::Plain) {
    return {};
  }
  const auto type = message.packaging == Packaging::Mtom
                        ? "application/xop+xml; charset=utf-8; type=" + quoted(infoset(message))
                        : plainType(message);
  return partHead(message, type, rootId(message));
}

std::string partHead(const OutgoingMessage &message, const OutgoingPart &part) {
  return "\r\n" +
         partHead(message, part.contentType.empty() ? "application/octet-stream" : part.contentType, part.contentId);
}

std::string closing(const OutgoingMessage &message) {
  return message.packaging == Packaging::Plain ? std::string() : "\r\n--" + message.boundary + "--\r\n";
}

/// One part's bytes, held to the size that was promised.
class PartBytes {
public:
  explicit PartBytes(const OutgoingPart &part) : part_(part), source_(part.open ? part.open() : nullptr) {
    if (!source_) {
      refuse("a part has no bytes to open", part.contentId);
    }
  }

  /// True for what comes as somebody else writes it, slowly perhaps.
  [[nodiscard]] bool isUnmeasured() const noexcept { return !part_.size; }

  std::size_t read(std::span<std::byte> into) {
    if (isUnmeasured()) {
      return source_->read(into);
    }
    const auto rest = *part_.size - done_;
    if (rest == 0) {
      requireEnd();
      return 0;
    }
    const auto count = source_->read(into.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest, into.size()))));
    if (count == 0 && !into.empty()) {
      refuse("a part ended after " + std::to_string(done_) + " of the " + std::to_string(*part_.size) +
                 " bytes that were announced",
             part_.contentId);
    }
    done_ += count;
    return count;
  }

private:
  void requireEnd() {
    std::byte extra{};
    if (source_->read({&extra, 1}) != 0) {
      refuse("a part has more than the " + std::to_string(*part_.size) + " bytes that were announced", part_.contentId);
    }
  }

  const OutgoingPart &part_;
  std::unique_ptr<Source> source_;
  std::uint64_t done_ = 0;
};

/// The message as a stream: texts and parts in turn, as much in one read as there is room for, so that many small parts
/// make few blocks. What is there is not kept back for a part without a size, which may be waited for.
class MessageSource final : public Source {
public:
  enum class End { WithClosing, BeforeClosing };

  MessageSource(const OutgoingMessage &message, End end)
      : message_(message), end_(end), text_(rootHead(message)), envelope_(asBytes(message.envelope)) {}

  std::size_t read(std::span<std::byte> into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      if (filled != 0 && waitsForOthers()) {
        break;
      }
      const auto count = readSome(into.subspan(filled));
      if (count == 0 && !advance()) {
        break;
      }
      filled += count;
    }
    return filled;
  }

  [[nodiscard]] std::optional<std::uint64_t> size() const override { return message_.contentLength(); }

private:
  [[nodiscard]] bool waitsForOthers() const { return part_ && part_->isUnmeasured() && used_ == text_.size(); }

  std::size_t readSome(std::span<std::byte> into) {
    if (const auto count = take(std::string_view(text_).substr(used_), into)) {
      used_ += count;
      return count;
    }
    return part_ ? part_->read(into) : envelope_.read(into);
  }

  static std::size_t take(std::string_view text, std::span<std::byte> into) noexcept {
    const auto count = std::min(text.size(), into.size());
    std::memcpy(into.data(), text.data(), count);
    return count;
  }

  /// Goes on to the next part or to the closing boundary; false at the end.
  bool advance() {
    part_.reset();
    used_ = 0;
    text_.clear();
    if (next_ < message_.parts.size()) {
      const auto &part = message_.parts[next_++];
      text_ = partHead(message_, part);
      part_.emplace(part);
      return true;
    }
    if (end_ == End::WithClosing) {
      text_ = closing(message_);
      end_ = End::BeforeClosing;
      return !text_.empty();
    }
    return false;
  }

  const OutgoingMessage &message_;
  End end_;
  std::string text_;
  std::size_t used_ = 0;
  ViewSource envelope_;
  std::optional<PartBytes> part_;
  std::size_t next_ = 0;
};

void pump(Source &source, Sink &sink) {
  Bytes block(copyBlock);
  while (const auto count = source.read(block)) {
    sink.write(ByteView(block).first(count));
  }
}

} // namespace

std::string OutgoingMessage::contentType() const {
  check(*this);
  switch (packaging) {
  case Packaging::Plain: return plainType(*this);
  case Packaging::SwA:
    return "multipart/related; type=\"" + std::string(envelopeType(version)) + "\"; start=\"<" + rootId(*this) +
           ">\"; boundary=" + quoted(boundary);
  case Packaging::Mtom: break;
  }
  return "multipart/related; type=\"application/xop+xml\"; start=\"<" + rootId(*this) +
         ">\"; boundary=" + quoted(boundary) + "; start-info=" + quoted(infoset(*this));
}

std::optional<std::uint64_t> OutgoingMessage::contentLength() const {
  std::uint64_t length = rootHead(*this).size() + envelope.size() + closing(*this).size();
  for (const auto &part : parts) {
    if (!part.size) {
      return std::nullopt;
    }
    length += partHead(*this, part).size() + *part.size;
  }
  return length;
}

void OutgoingMessage::write(Sink &sink, const std::function<void()> &beforeLast) const {
  check(*this);
  if (!beforeLast) {
    MessageSource all(*this, MessageSource::End::WithClosing);
    pump(all, sink);
    return;
  }
  if (packaging == Packaging::Plain) {
    beforeLast();
    sink.write(asBytes(envelope));
    return;
  }
  MessageSource allButLast(*this, MessageSource::End::BeforeClosing);
  pump(allButLast, sink);
  beforeLast();
  sink.write(asBytes(closing(*this)));
}

std::unique_ptr<Source> OutgoingMessage::source() const {
  check(*this);
  return std::make_unique<MessageSource>(*this, MessageSource::End::WithClosing);
}

} // namespace waybill::soap
