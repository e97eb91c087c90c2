// SPDX-License-Identifier: GPL-3.0-or-later
// Any request that a head reader lets through, before the real endpoints of an instance: it ends in one whole reply,
// and in one that says what it should. The framing of bodies is http_fuzz.cpp's; here the rest of the input is the
// body.
// "/data/public" and "/data/secure" stand for the addresses of two objects. Seeds: corpus/dispatch.
#include "lab.hpp"
#include "soap/fault.hpp"
#include "transport/head_reader.hpp"

#include <cstdint>
#include <cstdlib>
#include <iostream>

namespace {

using namespace waybill;
using test::RecordedResponse;

const std::string content = "hello";

void need(bool truth, const char *what, const RecordedResponse &response) {
  if (!truth) {
    std::cerr << what << ": " << response.status << ' ' << response.body << '\n';
    std::abort();
  }
}

class Target {
public:
  Target() {
    for (const auto *name : {"public", "secure"}) {
      const auto path = std::string("/") + name;
      const auto stored =
          lab_.put(path, "aGVsbG8=", "<wb:Secure>" + std::string(name[0] == 's' ? "true" : "false") + "</wb:Secure>");
      need(stored.status == 200, "the objects cannot be stored", stored);
      objects_.emplace_back("/data/" + std::string(name), "/data/" + lab_.catalog->objectAt(path).value().id);
    }
  }

  void run(std::string_view input) {
    auto request = read(input);
    if (!request) {
      return;
    }
    StringSource body{std::string(input)};
    request->body = &body;
    request->remote = "192.0.2.1:1";
    const auto asked = request->path;
    for (const auto &[name, path] : objects_) {
      request->path = request->path == name ? path : request->path;
    }
    RecordedResponse response;
    dispatch(*request, response);
    check(*request, asked, response);
  }

private:
  /// Takes the head off the input; nothing when it is refused or not whole.
  static std::optional<transport::Request> read(std::string_view &input) {
    transport::HeadReader reader(8192);
    try {
      input.remove_prefix(reader.put(asBytes(input)));
      return reader.isComplete() ? std::optional(reader.head().request) : std::nullopt;
    } catch (const transport::Refusal &) {
      return std::nullopt;
    }
  }

  /// As Instance does it.
  void dispatch(transport::Request &request, RecordedResponse &response) {
    if (request.path == "/services/data") {
      lab_.dataEndpoint.handle(request, response);
    } else if (request.path == "/services/access") {
      lab_.accessEndpoint.handle(request, response);
    } else if (!lab_.plain.handle(request, response)) {
      response.send(404, {}, "");
    }
  }

  void check(const transport::Request &request, const std::string &asked, const RecordedResponse &response) const {
    need(response.ended, "the reply has no end", response);
    need(request.method == "HEAD" || !response.length || *response.length == response.body.size(),
         "the reply has another length than it says", response);
    for (const auto &[name, value] : response.headers.all()) {
      need(value.find_first_of("\r\n") == std::string::npos, "a reply's field has line ends", response);
    }
    if (request.path.starts_with("/services/") && request.method == "POST") {
      checkMessage(response);
    } else if (asked == "/data/public" && request.method == "GET") {
      checkContent(response);
    } else if (asked.starts_with("/data/") && (request.method == "GET" || request.method == "HEAD")) {
      need(response.status == (asked == "/data/public" ? response.status : 404), "what is not public shows", response);
    }
  }

  /// Nothing that a stranger sends may be this instance's own failure, and every reply can be read.
  static void checkMessage(const RecordedResponse &response) {
    if (response.status == 404 || (response.status == 202 && response.body.empty())) {
      return;
    }
    need(response.status == 200 || response.status == 400 || response.status == 500, "an odd status", response);
    auto limits = soap::Limits();
    limits.headers *= 2;
    limits.attributes *= 2;
    const auto envelope = soap::Envelope::parse(response.body, limits);
    need(envelope.isFault() == (response.status != 200), "a fault with status 200, or the reverse", response);
    need(response.status == 200 || soap::decodeFault(envelope).code() != FaultCode::Internal, "an internal fault",
         response);
  }

  static void checkContent(const RecordedResponse &response) {
    switch (response.status) {
    case 200: return need(response.body == content, "other content", response);
    case 206: {
      const auto range = response.headers.get("Content-Range").value();
      need(range.starts_with("bytes ") && range.ends_with("/5"), "no range", response);
      return need(!response.body.empty() && content.substr(std::stoul(range.substr(6))).starts_with(response.body),
                  "another part", response);
    }
    default: need((response.status == 304 || response.status == 416) && response.body.empty(), "odd", response);
    }
  }

  test::Lab lab_;
  std::vector<std::pair<std::string, std::string>> objects_; ///< name in the input, real path
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static Target target;
  target.run({reinterpret_cast<const char *>(data), size});
  return 0;
}
