// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/head_reader.hpp"

#include "domain/text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <limits>

namespace waybill::transport {

namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::buffer_body>;

[[noreturn]] void refuse(int status, const std::string &text) { throw Refusal{status, text}; }

[[noreturn]] void refuse(const boost::system::error_code &error) {
  if (error == http::error::header_limit) {
    refuse(431, "The request's header fields are too large.");
  }
  if (error == http::error::bad_version) {
    refuse(505, "This server speaks HTTP/1.1.");
  }
  refuse(400, "The request is malformed: " + error.message() + ".");
}

std::size_t count(const Parser::value_type &message, http::field name) {
  const auto [begin, end] = message.equal_range(name);
  return static_cast<std::size_t>(std::distance(begin, end));
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// The path of a request target, percent-decoded (RFC 9112 section 3.2, RFC 3986 section 2.1).
void splitTarget(std::string_view target, Request &request) {
  if (const auto scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    const auto path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  if (!target.starts_with('/')) {
    refuse(400, "The request target is not a path.");
  }
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  request.query = question == std::string_view::npos ? std::string() : std::string(target.substr(question + 1));
  const auto raw = target.substr(0, question);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      request.path += raw[i];
      continue;
    }
    const auto octet = i + 2 < raw.size() ? fromHex(raw.substr(i + 1, 2)) : std::nullopt;
    if (!octet || octet->front() == std::byte{0}) {
      refuse(400, "The request target has a bad percent escape.");
    }
    request.path += static_cast<char>(octet->front());
    i += 2;
  }
}

/// Content-Length and Transfer-Encoding in the one combination that leaves nothing to interpretation (RFC 9112
/// section 6.3: smuggling).
void decideFraming(const Parser &parser, Head &head) {
  const auto &message = parser.get();
  const auto encodings = count(message, http::field::transfer_encoding);
  const auto lengths = count(message, http::field::content_length);
  if (encodings != 0 && lengths != 0) {
    refuse(400, "The request has Content-Length and Transfer-Encoding.");
  }
  if (encodings > 1 ||
      (encodings == 1 && !equalIgnoringCase(trimmed(view(message[http::field::transfer_encoding])), "chunked"))) {
    refuse(501, "The only Transfer-Encoding here is chunked.");
  }
  if (encodings == 1 && head.request.http10) {
    refuse(400, "HTTP/1.0 has no Transfer-Encoding.");
  }
  if (lengths > 1) {
    refuse(400, "The request has several Content-Lengths.");
  }
  const auto bringsBody =
      head.request.method == "POST" || head.request.method == "PUT" || head.request.method == "PATCH";
  const auto multipart = lowerCase(head.request.headers.get("Content-Type").value_or("")).starts_with("multipart/");
  if (encodings == 1) {
    head.framing = Framing::Chunked;
  } else if (head.request.http10 && bringsBody && (lengths == 0 || multipart)) {
    // Axis 1.4 counts too little: its multipart messages end at their closing boundary.
    head.framing = Framing::UntilClose;
    head.keepAlive = false;
  } else if (lengths == 1) {
    head.length = parser.content_length().value_or(0);
    head.framing = head.length == 0 ? Framing::None : Framing::Length;
  } else if (bringsBody) {
    refuse(411, "A request with a body needs Content-Length or chunked Transfer-Encoding.");
  }
}

} // namespace

struct HeadReader::State {
  Parser parser;
};

HeadReader::HeadReader(std::size_t headBytes) : state_(std::make_unique<State>()) {
  state_->parser.header_limit(
      static_cast<std::uint32_t>(std::min<std::size_t>(headBytes, std::numeric_limits<std::uint32_t>::max())));
  state_->parser.body_limit(boost::none);
}

HeadReader::~HeadReader() = default;

bool HeadReader::take(std::string &received) {
  // Empty lines before a request are allowed (RFC 9112 section 2.2).
  while (received.starts_with("\r\n")) {
    received.erase(0, 2);
  }
  boost::system::error_code error;
  const auto used = state_->parser.put(boost::asio::buffer(received), error);
  received.erase(0, used);
  if (error && error != http::error::need_more && error != http::error::need_buffer) {
    refuse(error);
  }
  return state_->parser.is_header_done();
}

Head HeadReader::head() const {
  const auto &message = state_->parser.get();
  Head head;
  head.request.method = std::string(view(message.method_string()));
  head.request.http10 = message.version() == 10;
  if (message.version() != 10 && message.version() != 11) {
    refuse(505, "This server speaks HTTP/1.1.");
  }
  for (const auto &field : message) {
    head.request.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  }
  if (const auto hosts = count(message, http::field::host); hosts > 1 || (hosts == 0 && !head.request.http10)) {
    refuse(400, "A request needs one Host field.");
  }
  splitTarget(view(message.target()), head.request);
  head.keepAlive = message.keep_alive();
  decideFraming(state_->parser, head);
  if (const auto expect = head.request.headers.get("Expect")) {
    if (!equalIgnoringCase(*expect, "100-continue")) {
      refuse(417, "The only expectation met here is 100-continue.");
    }
    head.expectsContinue = !head.request.http10 && head.framing != Framing::None;
  }
  return head;
}

HeadReader::Unframed HeadReader::unframe(ByteView framed, std::span<std::byte> into) {
  auto &body = state_->parser.get().body();
  body.data = into.data();
  body.size = into.size();
  body.more = true;
  boost::system::error_code error;
  const auto used = state_->parser.put(boost::asio::buffer(framed.data(), framed.size()), error);
  if (error && error != http::error::need_more && error != http::error::need_buffer) {
    throw Fault(FaultCode::InvalidMessage,
                "the chunked framing of the request is broken: " + error.message() + "; send it again");
  }
  return {used, into.size() - body.size};
}

bool HeadReader::bodyIsDone() const { return state_->parser.is_done(); }

} // namespace waybill::transport
