// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/response_writer.hpp"

#include "domain/fault.hpp"

#include <boost/beast/http/status.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace waybill::transport {

namespace {

constexpr std::size_t recordBytes = 16 * 1024;

/// IMF-fixdate (RFC 9110 section 5.6.7).
std::string httpDate() {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                months.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text;
}

std::string headText(int status, const Headers &headers, bool keepAlive) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason.data(), reason.size()) + "\r\n";
  for (const auto &[name, value] : headers.all()) {
    if (name.find_first_of("\r\n:") != std::string::npos || value.find_first_of("\r\n") != std::string::npos) {
      throw Fault(FaultCode::Internal, "a reply was about to carry a header field with a line end in it", name);
    }
    text += name + ": " + value + "\r\n";
  }
  return text + "Date: " + httpDate() + "\r\nConnection: " + (keepAlive ? "keep-alive" : "close") + "\r\n";
}

bool hasNoBody(int status) { return status == 204 || status == 304 || status < 200; }

} // namespace

ResponseWriter::ResponseWriter(Connection &connection, Options options, Patience patience)
    : connection_(connection), options_(options), pace_(patience) {}

void ResponseWriter::send(int status, const Headers &headers, std::string_view body) {
  begin(status, headers, body.size());
  if (!hasNoBody(status)) {
    write(asBytes(body));
  }
  end();
}

void ResponseWriter::begin(int status, const Headers &headers, std::optional<std::uint64_t> length) {
  if (started_) {
    throw Fault(FaultCode::Internal, "a second reply to one request was begun");
  }
  chunked_ = !length && !options_.http10 && !hasNoBody(status);
  options_.keepAlive = options_.keepAlive && (length || chunked_ || hasNoBody(status));
  auto text = headText(status, headers, options_.keepAlive);
  if (chunked_) {
    text += "Transfer-Encoding: chunked\r\n";
  } else if (length && !hasNoBody(status)) {
    text += "Content-Length: " + std::to_string(*length) + "\r\n";
  }
  left_ = hasNoBody(status) || options_.head ? std::optional<std::uint64_t>() : length;
  options_.head = options_.head || hasNoBody(status);
  // The time that the work took before does not count as slowness of the peer.
  pace_ = pace_.fresh();
  started_ = true;
  pending_ = std::move(text) + "\r\n";
}

void ResponseWriter::write(ByteView bytes) {
  if (options_.head || bytes.empty()) {
    return;
  }
  if (left_) {
    if (bytes.size() > *left_) {
      throw Fault(FaultCode::Internal, "a reply was longer than the length it had announced");
    }
    *left_ -= bytes.size();
  }
  if (chunked_) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    put(asBytes(size));
  }
  put(bytes);
  if (chunked_) {
    put(asBytes("\r\n"));
  }
}

void ResponseWriter::put(ByteView bytes) {
  const auto room = recordBytes - std::min(pending_.size(), recordBytes);
  if (!pending_.empty()) {
    const auto fits = bytes.first(std::min(room, bytes.size()));
    pending_.append(asText(fits));
    bytes = bytes.subspan(fits.size());
    if (pending_.size() >= recordBytes) {
      flush();
    }
  }
  if (bytes.size() >= recordBytes) {
    writeAll(connection_, pace_, bytes);
  } else {
    pending_.append(asText(bytes));
  }
}

void ResponseWriter::flush() {
  writeAll(connection_, pace_, asBytes(pending_));
  pending_.clear();
}

void ResponseWriter::end() {
  if (left_.value_or(0) != 0) {
    throw Fault(FaultCode::Internal, "a reply was shorter than the length it had announced");
  }
  if (chunked_ && !options_.head) {
    put(asBytes("0\r\n\r\n"));
  }
  flush();
  ended_ = true;
}

std::string refusalText(int status, std::string_view text, const Headers &more) {
  auto headers = more;
  headers.add("Content-Type", "text/plain; charset=utf-8");
  headers.add("Content-Length", std::to_string(text.size() + 1));
  return headText(status, headers, false) + "\r\n" + std::string(text) + "\n";
}

} // namespace waybill::transport
