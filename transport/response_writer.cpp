// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/response_writer.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "transport/reply_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace waybill::transport {

namespace {

/// Of TLS.
constexpr std::size_t recordBytes = 16 * 1024;

[[noreturn]] void misused(const char *how) { throw Fault(FaultCode::Internal, how); }

bool hasNoBody(int status) { return status == 204 || status == 304 || status < 200; }

std::string chunkHeader(std::size_t size) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  return std::string(digits.data(), end) + "\r\n";
}

} // namespace

ResponseWriter::ResponseWriter(Connection &connection, RequestBody &body, Options options, Patience patience)
    : connection_(connection), body_(body), options_(std::move(options)), pace_(patience) {}

void ResponseWriter::send(int status, const Headers &headers, std::string_view body) {
  begin(status, headers, body.size());
  write(asBytes(body));
  end();
}

void ResponseWriter::begin(int status, const Headers &headers, std::optional<std::uint64_t> length) {
  if (started_) {
    misused("a second reply to one request was begun");
  }
  bodiless_ = options_.head || hasNoBody(status);
  chunked_ = !length && !options_.http10 && !hasNoBody(status);
  const auto ends = length || chunked_ || bodiless_;
  const auto asked = headers.get("Connection");
  keepAlive_ = !mustClose_ && ends && !(asked && equalIgnoringCase(*asked, "close")) && options_.keepAlive();
  pending_ = replyHead(status, headers, keepAlive_);
  if (chunked_) {
    pending_ += "Transfer-Encoding: chunked\r\n";
  } else if (length && !hasNoBody(status)) {
    pending_ += "Content-Length: " + std::to_string(*length) + "\r\n";
  }
  pending_ += "\r\n";
  left_ = bodiless_ ? std::nullopt : length;
  started_ = true;
  body_.replyBegins();
}

void ResponseWriter::write(ByteView bytes) {
  if (!started_ || ended_) {
    misused("a reply's body was written outside of begin() and end()");
  }
  if (bodiless_ || bytes.empty()) {
    return;
  }
  if (left_) {
    if (bytes.size() > *left_) {
      misused("a reply was longer than the length it had announced");
    }
    *left_ -= bytes.size();
  }
  if (chunked_) {
    put(asBytes(chunkHeader(bytes.size())), false);
  }
  put(bytes, left_ && *left_ == 0);
  if (chunked_) {
    put(asBytes("\r\n"), false);
  }
}

/// Small pieces are gathered; of large ones, only what fills the gathered record is copied.
void ResponseWriter::put(ByteView bytes, bool last) {
  if (!pending_.empty()) {
    const auto fits = bytes.first(std::min(recordBytes - std::min(pending_.size(), recordBytes), bytes.size()));
    pending_.append(asText(fits));
    bytes = bytes.subspan(fits.size());
    if (pending_.size() >= recordBytes) {
      flush(last && bytes.empty());
    }
  }
  if (bytes.size() >= recordBytes) {
    writeAll(connection_, pace_, bytes, !last);
  } else {
    pending_.append(asText(bytes));
  }
}

void ResponseWriter::flush(bool last) {
  writeAll(connection_, pace_, asBytes(pending_), !last);
  pending_.clear();
}

void ResponseWriter::end() {
  if (!started_ || ended_) {
    misused("a reply was ended that had not begun, or twice");
  }
  if (left_.value_or(0) != 0) {
    misused("a reply was shorter than the length it had announced");
  }
  if (chunked_ && !bodiless_) {
    put(asBytes("0\r\n\r\n"), true);
  }
  flush(true);
  ended_ = true;
}

} // namespace waybill::transport
