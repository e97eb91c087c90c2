// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/bytes.hpp"
#include "domain/fault.hpp"
#include "soap/attachments.hpp"
#include "soap/incoming_message.hpp"
#include "soap/multipart_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

/// Input: a Content-Type, a line feed, the body. Whatever it is, reading it must end in parts or in a Fault, and in the
/// same ones however the body is cut into pieces.
namespace {

using namespace waybill;
using namespace waybill::soap;

class PieceSource final : public Source {
public:
  PieceSource(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}
  std::size_t read(std::span<std::byte> into) override {
    const auto count = std::min({into.size(), text_.size(), piece_});
    if (count != 0) {
      std::memcpy(into.data(), text_.data(), count);
    }
    text_.remove_prefix(count);
    return count;
  }

private:
  std::string_view text_;
  std::size_t piece_;
};

class MemorySpool final : public SpoolFile {
public:
  void write(ByteView bytes) override { text_.append(asText(bytes)); }
  std::unique_ptr<Source> reopen() override { return std::make_unique<ViewSource>(asBytes(text_)); }

private:
  std::string text_;
};

Limits smallLimits() {
  Limits limits;
  limits.envelopeBytes = 10'000;
  limits.parts = 20;
  limits.partHeaderBytes = 500;
  limits.preambleBytes = 200;
  limits.earlyBytes = 100'000;
  limits.unreferencedBytes = 2000;
  return limits;
}

std::string describe(const PartInfo &info) {
  return info.contentId + '|' + info.contentLocation + '|' + info.contentType + '|';
}

void readPart(Source &source, std::size_t block, std::string &seen) {
  Bytes bytes(block);
  while (const auto count = source.read(bytes)) {
    seen.append(asText(ByteView(bytes).first(count)));
  }
}

/// All that is to be seen of the message, the last part first, then the others.
void readMessage(std::string_view contentType, Source &body, std::size_t block, std::string &seen) {
  const auto message =
      IncomingMessage::read(contentType, body, smallLimits(), [] { return std::make_unique<MemorySpool>(); });
  seen += message.root + '|' + message.charset + '|' + message.action.value_or("") + '|';
  auto &attachments = *message.attachments;
  attachments.addInline("inline", "bytes");
  attachments.want({"cid:a", "cid:b@x", "http://x/y", "cid:inline", "d"});
  for (const auto *reference : {"d", "cid:a", "cid:b@x", "http://x/y", "cid:inline", "cid:none"}) {
    if (const auto source = attachments.open(reference)) {
      seen += describe(attachments.info(reference).value());
      readPart(*source, block, seen);
    }
  }
  attachments.finish();
}

std::string outcome(std::string_view contentType, std::string_view text, std::size_t piece, std::size_t block) {
  PieceSource body(text, piece);
  std::string seen;
  try {
    readMessage(contentType, body, block, seen);
  } catch (const Fault &fault) {
    // Where a part breaks off depends on the pieces; that it does, and why, must not.
    return std::string(name(fault.code())) + fault.reason();
  }
  return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char *>(data), size);
  const auto line = std::min(input.find('\n'), input.size());
  const auto contentType = input.substr(0, line);
  const auto body = input.substr(std::min(line + 1, input.size()));
  const auto whole = outcome(contentType, body, std::max<std::size_t>(body.size(), 1), 64U * 1024);
  if (whole != outcome(contentType, body, 1, 100) || whole != outcome(contentType, body, 7, 40'000)) {
    std::abort();
  }
  return 0;
}
