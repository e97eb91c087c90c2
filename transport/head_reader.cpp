// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/head_reader.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "transport/request_target.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <limits>

namespace waybill::transport {

namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::buffer_body>;

[[noreturn]] void refuse(int status, std::string text) { throw Refusal{status, std::move(text)}; }

[[noreturn]] void refuseTooLarge() { refuse(431, "The request's header fields are too large."); }

[[noreturn]] void refuse(const boost::system::error_code &error) {
  if (error == http::error::header_limit) {
    refuseTooLarge();
  }
  if (error == http::error::bad_version) {
    refuse(505, "This server speaks HTTP/1.1 and HTTP/1.0.");
  }
  refuse(400, "The request is malformed: " + error.message() + ".");
}

bool isStop(const boost::system::error_code &error) {
  return error && error != http::error::need_more && error != http::error::need_buffer;
}

std::size_t count(const Parser::value_type &message, http::field name) {
  const auto [begin, end] = message.equal_range(name);
  return static_cast<std::size_t>(std::distance(begin, end));
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool isNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Content-Length and Transfer-Encoding in the one combination that leaves nothing to interpretation (RFC 9112
/// section 6.3: smuggling).
void checkFramingFields(const Parser &parser, bool http10) {
  const auto &message = parser.get();
  const auto encodings = count(message, http::field::transfer_encoding);
  const auto lengths = count(message, http::field::content_length);
  if (encodings != 0 && lengths != 0) {
    refuse(400, "The request has Content-Length and Transfer-Encoding.");
  }
  if (encodings != 0 && http10) {
    refuse(400, "HTTP/1.0 has no Transfer-Encoding.");
  }
  if (encodings > 1 ||
      (encodings == 1 &&
       (!equalIgnoringCase(view(message[http::field::transfer_encoding]), "chunked") || !parser.chunked()))) {
    refuse(501, "The only Transfer-Encoding here is chunked.");
  }
  if (lengths > 1 || (lengths == 1 && !isNumber(view(message[http::field::content_length])))) {
    refuse(400, "The request has no single Content-Length.");
  }
}

void decideFraming(const Parser &parser, Head &head) {
  const auto &request = head.request;
  checkFramingFields(parser, request.http10);
  const auto length = parser.content_length();
  const auto bringsBody = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  const auto multipart = lowerCase(request.headers.get("Content-Type").value_or("")).starts_with("multipart/");
  if (parser.chunked()) {
    head.framing = Framing::Chunked;
  } else if (request.http10 && bringsBody && (!length || multipart)) {
    // Axis 1.4 counts too little: its multipart messages end at their closing boundary.
    head.framing = Framing::UntilClose;
    head.keepAlive = false;
  } else if (length) {
    head.length = *length;
    head.framing = head.length == 0 ? Framing::None : Framing::Length;
  } else if (bringsBody) {
    refuse(411, "A request with a body needs Content-Length or chunked Transfer-Encoding.");
  }
}

void checkExpectation(Head &head) {
  const auto expect = head.request.headers.get("Expect");
  // RFC 9110 section 10.1.1: not for HTTP/1.0.
  if (!expect || head.request.http10) {
    return;
  }
  if (!equalIgnoringCase(*expect, "100-continue")) {
    refuse(417, "The only expectation met here is 100-continue.");
  }
  head.expectsContinue = head.framing != Framing::None;
}

/// Of the bytes of a head, lines ended by LF alone, which Beast refuses or waits on, as they happen to come in pieces.
/// `checked` bytes are known already.
void refuseBareLineFeeds(std::string_view text, std::size_t checked) {
  const auto end = text.starts_with("\r\n") ? 2 : text.find("\r\n\r\n", checked - std::min<std::size_t>(checked, 3));
  text = text.substr(0, end);
  for (auto at = text.find('\n', checked); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') {
      refuse(400, "The request has a line that does not end in CR LF.");
    }
  }
}

} // namespace

struct HeadReader::State {
  Parser parser;
  std::size_t limit = 0;
  std::size_t used = 0;
  std::size_t checked = 0; ///< of what has to be given again
  std::size_t enough = 0;  ///< to go on with chunks
};

HeadReader::HeadReader(std::size_t headBytes) : state_(std::make_unique<State>()) {
  state_->limit = std::min<std::size_t>(headBytes, std::numeric_limits<std::uint32_t>::max());
  state_->parser.header_limit(static_cast<std::uint32_t>(state_->limit));
  state_->parser.body_limit(boost::none);
}

HeadReader::~HeadReader() = default;

std::size_t HeadReader::put(ByteView received) {
  auto text = asText(received);
  std::size_t blank = 0;
  // Empty lines before a request are allowed (RFC 9112 section 2.2).
  while (!state_->parser.got_some() && text.starts_with("\r\n")) {
    text.remove_prefix(2);
    blank += 2;
  }
  std::size_t used = 0;
  if (!text.empty() && text != "\r") {
    refuseBareLineFeeds(text, std::min(state_->checked, text.size()));
    boost::system::error_code error;
    used = state_->parser.put(boost::asio::buffer(text.data(), text.size()), error);
    if (isStop(error)) {
      refuse(error);
    }
    // Beast unfolds them; what stands before us may have understood them in another way. It never stops within a fold.
    const auto taken = text.substr(0, used);
    if (taken.find("\r\n ") != std::string_view::npos || taken.find("\r\n\t") != std::string_view::npos) {
      refuse(400, "The request has folded header fields.");
    }
  }
  // Beast's own limit is for what it is given at once.
  state_->used += blank + used;
  const auto waiting = isComplete() ? 0 : received.size() - blank - used;
  state_->checked = waiting;
  if (state_->used + waiting > state_->limit) {
    refuseTooLarge();
  }
  return blank + used;
}

bool HeadReader::isComplete() const { return state_->parser.is_header_done(); }

Head HeadReader::head() const {
  const auto &message = state_->parser.get();
  Head head;
  head.request.method = std::string(view(message.method_string()));
  head.request.http10 = message.version() == 10;
  for (const auto &field : message) {
    head.request.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  }
  if (const auto hosts = count(message, http::field::host); hosts > 1 || (hosts == 0 && !head.request.http10)) {
    refuse(400, "A request needs one Host field.");
  }
  auto target = parseTarget(view(message.target()));
  if (!target) {
    refuse(400, "The request target is not a path, or has a bad percent escape.");
  }
  head.request.path = std::move(target->path);
  head.request.query = std::move(target->query);
  head.keepAlive = message.keep_alive();
  decideFraming(state_->parser, head);
  checkExpectation(head);
  return head;
}

HeadReader::Unframed HeadReader::unframe(ByteView framed, std::span<std::byte> into) {
  if (framed.size() < state_->enough) {
    return {};
  }
  auto &body = state_->parser.get().body();
  body.data = into.data();
  body.size = into.size();
  body.more = true;
  state_->parser.eager(true);
  boost::system::error_code error;
  const auto used = state_->parser.put(boost::asio::buffer(framed.data(), framed.size()), error);
  const auto written = into.size() - body.size;
  if (isStop(error)) {
    throw Fault(FaultCode::InvalidMessage,
                "the chunked framing of the request is broken: " + error.message() + "; send it again");
  }
  // A chunk's header, or the trailers, that go on and on.
  if (used == 0 && written == 0 && framed.size() > state_->limit) {
    throw Fault(FaultCode::InvalidMessage, "the chunked framing of the request has a line of more than " +
                                               std::to_string(state_->limit) + " bytes");
  }
  // Beast asserts that the last chunk, once it has seen its start, is never given in less than its whole "0 CR LF CR
  // LF".
  state_->enough = used == 0 && written == 0 ? 5 : 0;
  return {used, written};
}

bool HeadReader::bodyIsDone() const { return state_->parser.is_done(); }

} // namespace waybill::transport
