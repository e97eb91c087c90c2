// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/request_body.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <array>

namespace waybill::transport {

RequestBody::RequestBody(Connection &connection, HeadReader &reader, const Head &head, Patience patience)
    : connection_(connection), reader_(reader), framing_(head.framing), length_(head.length), left_(head.length),
      heldBack_(head.expectsContinue), done_(head.framing == Framing::None), patience_(patience) {}

std::optional<std::uint64_t> RequestBody::size() const {
  return framing_ == Framing::Length || framing_ == Framing::None ? std::optional(length_) : std::nullopt;
}

std::size_t RequestBody::read(std::span<std::byte> into) {
  if (done_ || into.empty()) {
    return 0;
  }
  if (!pace_) {
    pace_.emplace(patience_);
  }
  if (heldBack_) {
    heldBack_ = false;
    writeAll(connection_, *pace_, asBytes("HTTP/1.1 100 Continue\r\n\r\n"));
  }
  switch (framing_) {
  case Framing::None: return 0;
  case Framing::Length: return readLength(into);
  case Framing::Chunked: return readChunked(into);
  case Framing::UntilClose: {
    const auto count = readSome(connection_, *pace_, into);
    done_ = count == 0;
    return count;
  }
  }
  return 0;
}

std::size_t RequestBody::readLength(std::span<std::byte> into) {
  const auto count =
      readSome(connection_, *pace_, into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_))));
  if (count == 0) {
    throw Fault(FaultCode::InvalidMessage, "the connection was cut after " + std::to_string(length_ - left_) + " of " +
                                               std::to_string(length_) + " bytes of the request; send it again");
  }
  left_ -= count;
  done_ = left_ == 0;
  return count;
}

std::size_t RequestBody::readChunked(std::span<std::byte> into) {
  auto &received = connection_.received;
  while (true) {
    if (!received.empty()) {
      const auto step = reader_.unframe(asBytes(received), into);
      received.erase(0, step.used);
      done_ = reader_.bodyIsDone();
      if (step.written != 0 || done_) {
        return step.written;
      }
      if (step.used != 0) {
        continue;
      }
    }
    // Chunk by chunk through the parser: a block at a time keeps what is moved to the front of `received` small.
    std::string held;
    held.swap(received);
    std::array<std::byte, 16 * 1024> block{};
    const auto count = readSome(connection_, *pace_, block);
    received.swap(held);
    if (count == 0) {
      throw Fault(FaultCode::InvalidMessage,
                  "the connection was cut before the last chunk of the request; send it again");
    }
    received.append(asText(ByteView(block).first(count)));
  }
}

bool RequestBody::drain(std::uint64_t limit) {
  Bytes block(16 * 1024);
  std::uint64_t swallowed = 0;
  while (!done_ && swallowed < limit) {
    swallowed += read(block);
  }
  return done_;
}

} // namespace waybill::transport
