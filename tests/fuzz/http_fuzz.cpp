// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"
#include "transport/head_reader.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

namespace {

using namespace waybill;
using namespace waybill::transport;

constexpr std::size_t headBytes = 4096;

/// All that a request came to.
struct Outcome {
  std::string head;    ///< as it was understood; empty when it was refused or is not complete
  std::string body;    ///< without its framing
  std::string verdict; ///< how it ended
  friend bool operator==(const Outcome &, const Outcome &) = default;
};

void need(bool truth) {
  if (!truth) {
    std::abort();
  }
}

std::string describe(const Head &head) {
  auto text = head.request.method + ' ' + head.request.path + '?' + head.request.query + '\n' +
              std::to_string(static_cast<int>(head.framing)) + ' ' + std::to_string(head.length) + ' ' +
              std::to_string(head.keepAlive) + std::to_string(head.expectsContinue) +
              std::to_string(head.request.http10) + '\n';
  for (const auto &[name, value] : head.request.headers.all()) {
    text += name + ": " + value + '\n';
  }
  return text;
}

/// What every head that is let through promises.
void check(const Head &head) {
  const auto &fields = head.request.headers;
  need(!head.request.method.empty());
  need(head.request.path.starts_with('/') || head.request.path == "*");
  need(head.request.path.find('\0') == std::string::npos);
  need(!(fields.get("Content-Length") && fields.get("Transfer-Encoding")));
  need((head.framing == Framing::Chunked) == fields.get("Transfer-Encoding").has_value());
  need(head.framing != Framing::Length || std::to_string(head.length).size() <= fields.get("Content-Length")->size());
  for (const auto &[name, value] : fields.all()) {
    need(!name.empty() && value.find_first_of("\r\n") == std::string::npos);
  }
}

/// As the reactor and the body do it, with at most `piece` bytes received at once.
class Conversation {
public:
  Conversation(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}

  Outcome run() {
    try {
      readHead();
    } catch (const Refusal &refusal) {
      need(refusal.status >= 400 && refusal.status < 600 && !refusal.text.empty());
      // Beast waits for the end of a head that it could refuse, when it comes in pieces: both are "no request".
      outcome_.verdict = "no request";
    } catch (const Fault &fault) {
      need(fault.code() == FaultCode::InvalidMessage);
      notWhole();
    }
    return outcome_;
  }

private:
  /// How much came out before depends on the pieces.
  void notWhole() {
    outcome_.verdict = "no whole body";
    outcome_.body.clear();
  }

  bool receive() {
    const auto more = bytes_.substr(0, piece_);
    bytes_.remove_prefix(more.size());
    received_ += more;
    return !more.empty();
  }

  void readHead() {
    while (!reader_.isComplete()) {
      if (!receive()) {
        outcome_.verdict = "no request";
        return;
      }
      const auto used = reader_.put(asBytes(received_));
      need(used <= received_.size());
      received_.erase(0, used);
      need(reader_.isComplete() || received_.size() <= headBytes);
    }
    const auto head = reader_.head();
    check(head);
    outcome_.head = describe(head);
    outcome_.verdict = "other body";
    if (head.framing == Framing::Chunked) {
      readChunks();
    }
  }

  void readChunks() {
    std::array<std::byte, 37> block{};
    while (!reader_.bodyIsDone()) {
      auto step = HeadReader::Unframed{};
      if (!received_.empty()) {
        step = reader_.unframe(asBytes(received_), block);
        need(step.used <= received_.size() && step.written <= block.size());
        received_.erase(0, step.used);
        outcome_.body += asText(ByteView(block).first(step.written));
      }
      if (step.used == 0 && step.written == 0 && !receive()) {
        notWhole();
        return;
      }
    }
    outcome_.verdict = "whole body, then " + std::string(received_) + std::string(bytes_);
  }

  std::string_view bytes_;
  std::size_t piece_;
  std::string received_;
  HeadReader reader_{headBytes};
  Outcome outcome_;
};

} // namespace

/// A request, received at once and in small pieces, means the same, and whatever is let through keeps its promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char *>(data), size);
  const auto whole = Conversation(bytes, size + 1).run();
  const auto large = Conversation(bytes, 16).run();
  const auto small = Conversation(bytes, 1).run();
  // The limit counts what was received with a head, so only heads within it mean the same.
  if (size <= headBytes) {
    need(whole == large && whole == small);
  }
  return 0;
}
