// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/request_body.hpp"

#include "domain/fault.hpp"

#include <algorithm>

namespace waybill::transport {

namespace {

constexpr std::size_t blockBytes = 64 * 1024;

} // namespace

RequestBody::RequestBody(Connection &connection, HeadReader &reader, const Head &head, Patience patience)
    : connection_(connection), reader_(reader), framing_(head.framing), length_(head.length), left_(head.length),
      heldBack_(head.expectsContinue), done_(head.framing == Framing::None), patience_(patience), pace_(patience) {
  pace_.endAt(Connection::Clock::now() + patience.unknown);
}

std::optional<std::uint64_t> RequestBody::size() const {
  return framing_ == Framing::Length || framing_ == Framing::None ? std::optional(length_) : std::nullopt;
}

std::size_t RequestBody::read(std::span<std::byte> into) {
  if (done_ || into.empty()) {
    return 0;
  }
  if (failed_) {
    throw Fault(FaultCode::InvalidMessage, "the request's body cannot be read on: reading it has failed before");
  }
  failed_ = true;
  const auto count = readFramed(into);
  failed_ = false;
  given_ += count;
  return count;
}

std::size_t RequestBody::readFramed(std::span<std::byte> into) {
  if (heldBack_) {
    if (replyBegan_) {
      throw Fault(FaultCode::Internal,
                  "a request's body was asked for after the reply had begun, while its sender waits "
                  "for 100 Continue; read first");
    }
    heldBack_ = false;
    // Who sends without waiting needs no telling (RFC 9110 section 10.1.1).
    if (connection_.received.empty()) {
      writeAll(connection_, pace_, asBytes("HTTP/1.1 100 Continue\r\n\r\n"), false);
    }
  }
  // Who sends fast enough is never waited for.
  pace_.requireTime(connection_);
  switch (framing_) {
  case Framing::None: return 0;
  case Framing::Length: return readLength(into);
  case Framing::Chunked: return readChunked(into);
  case Framing::UntilClose: return readUntilClose(into);
  }
  return 0;
}

std::size_t RequestBody::readLength(std::span<std::byte> into) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
  const auto count = readSome(connection_, pace_, into.first(wanted));
  if (count == 0) {
    throw Fault(FaultCode::InvalidMessage, "the message was cut after " + std::to_string(length_ - left_) + " of " +
                                               std::to_string(length_) + " bytes; send it again");
  }
  left_ -= count;
  done_ = left_ == 0;
  return count;
}

/// What the bytes at hand give, without waiting.
std::size_t RequestBody::unframe(std::span<std::byte> into) {
  auto &received = connection_.received;
  std::size_t count = 0;
  while (!done_ && !received.empty() && count < into.size()) {
    const auto step = reader_.unframe(received.view(), into.subspan(count));
    received.consume(step.used);
    count += step.written;
    done_ = reader_.bodyIsDone();
    if (step.used == 0 && step.written == 0) {
      break;
    }
  }
  return count;
}

std::size_t RequestBody::readChunked(std::span<std::byte> into) {
  while (true) {
    const auto count = unframe(into);
    if (count != 0 || done_) {
      return count;
    }
    if (!receive(connection_, pace_)) {
      throw Fault(FaultCode::InvalidMessage, "the message was cut after " + std::to_string(given_) +
                                                 " bytes, before its last chunk; send it again");
    }
  }
}

std::size_t RequestBody::readUntilClose(std::span<std::byte> into) {
  const auto count = readSome(connection_, pace_, into);
  if (count == 0 && connection_.tls.isBroken()) {
    throw Fault(FaultCode::InvalidMessage, "the message was cut after " + std::to_string(given_) +
                                               " bytes: the connection ended without TLS close_notify; send it again");
  }
  done_ = count == 0;
  return count;
}

bool RequestBody::mayBeFinished(std::uint64_t limit) {
  if (done_) {
    return true;
  }
  if (failed_ || heldBack_ || framing_ == Framing::UntilClose) {
    return false;
  }
  if (framing_ == Framing::Length) {
    return left_ <= limit;
  }
  // How much is left of a chunked body shows only by looking.
  while (connection_.received.size() <= limit && receiveNow(connection_) == Progress::Done) {
  }
  return connection_.received.size() <= limit;
}

bool RequestBody::finish(std::uint64_t limit, std::chrono::milliseconds time) {
  if (done_ || failed_ || heldBack_ || framing_ == Framing::UntilClose) {
    return done_;
  }
  try {
    const auto until = Connection::Clock::now() + time;
    pace_ = Pace({std::min(time, patience_.stall), 0, time, time});
    Bytes block(blockBytes);
    std::uint64_t swallowed = 0;
    while (!done_ && swallowed < limit && Connection::Clock::now() < until) {
      swallowed += read(block);
    }
  } catch (const Fault &) {
    failed_ = true;
  }
  return done_;
}

} // namespace waybill::transport
