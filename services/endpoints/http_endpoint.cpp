// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/http_endpoint.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/data_resolver.hpp"
#include "services/endpoints/http_range.hpp"
#include "services/endpoints/record.hpp"

#include <nlohmann/json.hpp>

#include <exception>

namespace waybill::services {

namespace {

using transport::Headers;

constexpr auto getOperation = "Get";
constexpr auto leaseOperation = "Lease";

const Headers plainText{{"Content-Type", "text/plain; charset=utf-8"}};

/// The same for what does not exist and for what is not public.
void notFound(transport::Response &response) { response.send(404, plainText, "There is nothing here.\n"); }

bool isLoopback(const std::string &remote) {
  return remote.starts_with("127.") || remote.starts_with("[::1]") || remote.starts_with("::1");
}

/// The Digest header (RFC 3230 section 4.3.2) with the algorithms that Want-Digest names; empty when it names none of
/// ours.
std::string instanceDigest(const std::string &wanted, const std::string &sha256, const std::string &adler32) {
  std::string value;
  if (wantsDigest(wanted, "sha-256")) {
    value = "sha-256=" + base64OfHex(sha256);
  }
  if (!adler32.empty() && wantsDigest(wanted, "adler32")) {
    value += (value.empty() ? "" : ",") + std::string("adler32=") + adler32;
  }
  return value;
}

class CountingSink final : public Sink {
public:
  CountingSink(Sink &into, std::uint64_t &count) : into_(into), count_(count) {}
  void write(ByteView bytes) override {
    into_.write(bytes);
    count_ += bytes.size();
  }

private:
  Sink &into_;
  std::uint64_t &count_;
};

/// Counts the bytes of leased content that go out, and cuts it when the lease is over.
class LeaseResponse final : public transport::Response {
public:
  LeaseResponse(transport::Response &response, const Leases::Found &lease) : response_(response), lease_(lease) {}
  void send(int status, const Headers &headers, std::string_view body) override {
    response_.send(status, headers, body);
  }
  void begin(int status, const Headers &headers, std::optional<std::uint64_t> length) override {
    response_.begin(status, headers, length);
  }
  void write(ByteView bytes) override {
    if (*lease_.over) {
      throw Fault(FaultCode::NoSuchTransfer, "the transfer that this content was lent to has ended");
    }
    response_.write(bytes);
    *lease_.read += bytes.size();
  }
  void end() override { response_.end(); }
  [[nodiscard]] bool started() const noexcept override { return response_.started(); }

private:
  transport::Response &response_;
  const Leases::Found &lease_;
};

/// RFC 9110: a Range counts for GET alone (section 14.2), and only when If-Range, if given, holds (13.1.5).
ByteRange askedRange(const transport::Request &request, const std::string &etag, std::uint64_t size) {
  const auto condition = request.headers.get("If-Range");
  const auto counts = request.method == "GET" && (!condition || *condition == etag);
  return parseRange(counts ? request.headers.get("Range").value_or("") : "", size);
}

} // namespace

HttpEndpoint::HttpEndpoint(const DataLocator &locator, storage::ContentStore &store, const Leases &leases,
                           const Toolbox &tools, std::string certificatePem)
    : locator_(locator), store_(store), leases_(leases), tools_(tools), certificatePem_(std::move(certificatePem)) {}

bool HttpEndpoint::handle(transport::Request &request, transport::Response &response) {
  static constexpr std::string_view dataFolder = "/data/";
  static constexpr std::string_view leaseFolder = "/lease/";
  const auto isData = request.path.starts_with(dataFolder);
  const auto isLease = request.path.starts_with(leaseFolder);
  if (!isData && !isLease && request.path != "/instance" && request.path != "/healthz" && request.path != "/metrics" &&
      request.path != "/") {
    return false;
  }
  if (request.method != "GET" && request.method != "HEAD") {
    response.send(405, {{"Allow", "GET, HEAD"}, {"Content-Type", "text/plain; charset=utf-8"}},
                  "This can only be read; data comes in by SOAP.\n");
  } else if (isData) {
    data(request.path.substr(dataFolder.size()), request, response);
  } else if (isLease) {
    lease(request.path.substr(leaseFolder.size()), request, response);
  } else if (request.path == "/instance") {
    response.send(200, {{"Content-Type", "application/x-pem-file"}}, certificatePem_);
  } else if (request.path == "/healthz") {
    health(response);
  } else if (request.path == "/metrics") {
    metrics(request, response);
  } else {
    response.send(200, plainText,
                  "This is a Waybill instance. Its SOAP services: /services/data?wsdl, /services/algorithms?wsdl and "
                  "/services/access?wsdl.\n");
  }
  return true;
}

void HttpEndpoint::data(const std::string &id, const transport::Request &request, transport::Response &response) {
  const auto row = locator_.alive(id);
  if (!row || row->secure) {
    notFound(response);
    return;
  }
  give({row->size, row->sha256, row->adler32, row->contentType,
        [&]() -> std::unique_ptr<storage::ContentReader> { return contentUnlessDeleted(store_, row->id); },
        // What was stored without a Path has the path of its URL.
        row->path == request.path ? std::vector{row->path} : std::vector{row->path, request.path}},
       getOperation, request, response);
}

void HttpEndpoint::lease(const std::string &path, const transport::Request &request, transport::Response &response) {
  const auto found = leases_.find(path);
  if (!found) {
    notFound(response);
    return;
  }
  request.callerIsKnown();
  const auto &content = found->content;
  LeaseResponse lent(response, *found);
  give({content.size,
        content.sha256,
        {},
        "application/octet-stream",
        [&] { return content.content->open(); },
        {content.path}},
       leaseOperation, request, lent);
}

void HttpEndpoint::give(const Content &content, const std::string &operation, const transport::Request &request,
                        transport::Response &response) const {
  AuditRecord record;
  record.time = tools_.clock.now();
  record.operation = operation;
  record.remote = request.remote;
  record.subjects = content.names;
  std::string cause;
  std::exception_ptr cut;
  try {
    record.outcome = answer(content, request, response, record.bytesOut);
  } catch (const Fault &fault) {
    record.outcome = name(fault.code());
    record.reason = fault.reason();
    cause = fault.log().forLog();
    cut = std::current_exception();
  } catch (const std::exception &error) {
    record.outcome = name(FaultCode::Internal);
    cause = error.what();
    cut = std::current_exception();
  }
  record.took = tools_.clock.now() - record.time;
  // What is read from a lease is counted by its transfer.
  tools_.metrics.operation(operation, record.outcome, record.took, 0,
                           operation == leaseOperation ? 0 : record.bytesOut);
  writeDown(tools_.log, tools_.audit, record, cause);
  if (cut) {
    std::rethrow_exception(cut);
  }
}

std::string HttpEndpoint::answer(const Content &content, const transport::Request &request,
                                 transport::Response &response, std::uint64_t &sent) {
  static constexpr auto success = "Success";
  // Anybody may have stored it: a browser must not run it as if this instance had written it.
  const auto etag = "\"" + content.sha256 + "\"";
  Headers headers{{"ETag", etag},
                  {"Accept-Ranges", "bytes"},
                  {"X-Content-Type-Options", "nosniff"},
                  {"Content-Security-Policy", "sandbox"}};
  if (const auto wanted = request.headers.get("Want-Digest")) {
    if (const auto digest = instanceDigest(*wanted, content.sha256, content.adler32); !digest.empty()) {
      headers.add("Digest", digest);
    }
  }
  if (const auto known = request.headers.get("If-None-Match"); known && matchesEtag(*known, etag)) {
    response.send(304, headers, "");
    return success;
  }
  const auto range = askedRange(request, etag, content.size);
  if (range.kind == ByteRange::Kind::Unsatisfiable) {
    headers.add("Content-Range", "bytes */" + std::to_string(content.size));
    response.send(416, headers, "");
    return std::string(name(FaultCode::BadParameter));
  }
  const auto reader = content.open();
  if (!reader) {
    notFound(response);
    return std::string(name(FaultCode::NoSuchData));
  }
  headers.add("Content-Type", content.type);
  if (range.kind == ByteRange::Kind::Part) {
    headers.add("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                     std::to_string(range.offset + range.length - 1) + "/" +
                                     std::to_string(content.size));
    reader->select(range.offset, range.length);
  }
  response.begin(range.kind == ByteRange::Kind::Part ? 206 : 200, headers, range.length);
  if (request.method == "GET") {
    CountingSink counted(response, sent);
    copyAll(*reader, counted);
  }
  response.end();
  return success;
}

void HttpEndpoint::health(transport::Response &response) {
  auto reason = store_.readOnlyReason();
  if (reason.empty()) {
    try {
      tools_.catalog.check();
    } catch (const Fault &fault) {
      reason = fault.reason();
    }
  }
  const auto *status = reason.empty() ? "ok" : "read-only";
  if (reason.empty()) {
    reason = tools_.audit.trouble();
    status = reason.empty() ? status : "unaudited";
  }
  nlohmann::json body{{"status", status}};
  if (!reason.empty()) {
    body["reason"] = reason;
  }
  response.send(reason.empty() ? 200 : 503, {{"Content-Type", "application/json"}},
                body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void HttpEndpoint::metrics(const transport::Request &request, transport::Response &response) {
  if (tools_.config.metrics == MetricsAudience::Off ||
      (tools_.config.metrics == MetricsAudience::Loopback && !isLoopback(request.remote))) {
    notFound(response);
    return;
  }
  tools_.metrics.store(!store_.readOnlyReason().empty() || !tools_.catalog.readOnlyReason().empty(),
                       store_.freeBytes());
  response.send(200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, tools_.metrics.text());
}

} // namespace waybill::services
