// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::transport {

/// Header fields; those of one name in the order they came. Names compare without case (RFC 9110 section 5.1).
class Headers {
public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// The first field of that name; nothing when there is none.
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>> &all() const noexcept { return fields_; }

private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// One request as the handler sees it. Lives as long as the call of the handler.
struct Request {
  std::string method;
  std::string path;  ///< percent-decoded path of the target, without the query
  std::string query; ///< raw text after "?", without it
  Headers headers;
  std::string remote; ///< "address:port" of the peer
  bool http10 = false;
  /// The body, framing taken off. Reading the first byte sends "100 Continue" when the client asked for it, so a
  /// handler that refuses by the head, or by the first part, makes the client send nothing more.
  Source *body = nullptr;
  /// True once the peer has closed the connection, or its own direction of it. A client may do the latter and go on
  /// reading (RFC 9112 section 9.6), but over TLS hardly any does, and from here it looks as a client that is gone; so
  /// whoever wants a reply keeps its direction open. Asks the kernel: waits for nothing, takes no byte. In the
  /// handler's thread, at any time.
  std::function<bool()> callerHasGone = [] { return false; };
  /// To be called once the handler knows who asks. Until then all that is read of the body has to come within
  /// ServerOptions::envelopeDeadline, and the request is one of the few that are served for strangers at one address.
  /// In the handler's thread; more than once does no harm.
  std::function<void()> callerIsKnown = [] {};
};

/// The way back. Exactly one call of send() or of begin(); then, after begin(), write() calls and one end().
class Response : public Sink {
public:
  /// A whole reply at once. Content-Length, Date and Connection are added here; a field "Connection: close" makes it
  /// the last on its connection. A body given for HEAD is measured and left out.
  virtual void send(int status, const Headers &headers, std::string_view body) = 0;
  /// Starts a streamed reply: with `length` as Content-Length, otherwise chunked (to HTTP/1.0: until the connection
  /// closes). For HEAD, write() discards.
  virtual void begin(int status, const Headers &headers, std::optional<std::uint64_t> length) = 0;
  /// Part of a streamed reply. It may be held back until more comes, or end().
  void write(ByteView bytes) override = 0;
  /// Ends a streamed reply. A reply never ended is cut: the connection closes without the final chunk or the missing
  /// bytes.
  virtual void end() = 0;
  /// True once a head has been sent.
  [[nodiscard]] virtual bool started() const noexcept = 0;
};

/// Answers requests. Called from many worker threads at once; must not keep references after it returns. What it throws
/// is logged and answered 500 (or cuts a reply that has begun).
class Handler {
public:
  virtual ~Handler() = default;
  virtual void handle(Request &request, Response &response) = 0;
};

} // namespace waybill::transport
