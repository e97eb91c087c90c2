// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/soap_endpoint.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/endpoints/exchange.hpp"
#include "soap/contract.hpp"

#include <malloc.h>

#include <algorithm>

namespace waybill::services {

namespace {

/// After a message that took so much, the system gets back what malloc would keep for the next one.
constexpr std::uint64_t largeMessage = 4ULL << 20U;

/// The value of `name` in a query such as "wsdl&soap=1.1": empty text when it stands alone, nothing when absent.
std::optional<std::string> queryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    const auto equals = field.find('=');
    if (equalIgnoringCase(field.substr(0, equals), name)) {
      return std::string(equals == std::string_view::npos ? std::string_view{} : field.substr(equals + 1));
    }
  }
  return std::nullopt;
}

} // namespace

std::string baseUrl(const Config &config, const transport::Request &request) {
  if (!config.publicUrl.empty()) {
    return config.publicUrl;
  }
  const auto host = request.headers.get("Host").value_or(config.server.host + ":" + std::to_string(config.server.port));
  if (host.empty() || host.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:[]") !=
                          std::string::npos) {
    throw Fault(FaultCode::InvalidMessage, "the Host header is not HOST or HOST:PORT", printable(host, 100));
  }
  return "https://" + host;
}

SoapEndpoint::SoapEndpoint(std::string service, std::vector<Operation> operations, const Toolbox &tools)
    : service_(std::move(service)), operations_(std::move(operations)), tools_(tools) {}

void SoapEndpoint::describe(const transport::Request &request, transport::Response &response) const {
  std::string endpoint;
  try {
    endpoint = baseUrl(tools_.config, request) + "/services/" + service_;
  } catch (const Fault &fault) {
    response.send(400, {{"Content-Type", "text/plain; charset=utf-8"}}, fault.reason() + "\n");
    return;
  }
  auto document = std::optional<std::string>();
  if (const auto schema = queryValue(request.query, "xsd")) {
    document = soap::servedSchema(*schema, endpoint);
  } else if (queryValue(request.query, "wsdl")) {
    document = soap::servedWsdl(service_, endpoint, queryValue(request.query, "soap") == "1.1");
  } else {
    response.send(200, {{"Content-Type", "text/plain; charset=utf-8"}},
                  "This is the SOAP service '" + service_ + "' of a Waybill instance.\nIts description: " + endpoint +
                      "?wsdl\n");
    return;
  }
  if (!document) {
    response.send(404, {{"Content-Type", "text/plain; charset=utf-8"}},
                  "There is no such description; try " + endpoint + "?wsdl\n");
    return;
  }
  response.send(200, {{"Content-Type", "text/xml; charset=utf-8"}}, *document);
}

void SoapEndpoint::exchange(transport::Request &request, transport::Response &response) {
  std::uint64_t taken = 0;
  {
    Exchange exchange(service_, operations_, tools_, request, response);
    exchange.run();
    taken = exchange.memoryTaken();
  }
  if (taken > largeMessage) {
    ::malloc_trim(0);
  }
}

void SoapEndpoint::handle(transport::Request &request, transport::Response &response) {
  if (request.method == "GET" || request.method == "HEAD") {
    describe(request, response);
  } else if (request.method == "POST") {
    exchange(request, response);
  } else {
    response.send(405, {{"Allow", "GET, HEAD, POST"}, {"Content-Type", "text/plain; charset=utf-8"}},
                  "SOAP services take POST; their description is read by GET with ?wsdl.\n");
  }
}

} // namespace waybill::services
