// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/random.hpp"
#include "security/ledger.hpp"
#include "security/token.hpp"
#include "services/call.hpp"
#include "services/config.hpp"
#include "services/log.hpp"
#include "services/metrics.hpp"
#include "soap/attachments.hpp"
#include "soap/envelope.hpp"
#include "soap/outgoing_message.hpp"
#include "transport/http.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// What an operation answers: the body, and the parts that travel with it.
struct Reply {
  std::string bodyXml;
  std::vector<soap::OutgoingPart> parts;
  soap::Packaging packaging = soap::Packaging::Plain;
};

/// One operation of a SOAP service, between XML and domain types.
struct Operation {
  std::string element;    ///< "Copy"; its reply is <element>Response
  bool openToAll = false; ///< needs no token
  std::function<Reply(Call &call, std::string_view bodyXml)> run;
};

/// What every endpoint works with; all of it outlives the endpoints.
struct Toolbox {
  const Config &config;
  const Clock &clock;
  Random &random;
  const Log &log;
  Audit &audit;
  Metrics &metrics;
  storage::Catalog &catalog;
  const soap::Schema &schema;
  const security::TokenOpener &tokens;
  security::Ledger &ledger;
  soap::Spool spool;
};

/// Serves one SOAP service: its WSDL by GET, its operations by POST. One message goes: envelope, addressing, schema,
/// token, operation, reply; the attachments are pulled by the operation. Thread-safe.
class SoapEndpoint : public transport::Handler {
public:
  /// `service`: the last segment of the endpoint's path.
  SoapEndpoint(std::string service, std::vector<Operation> operations, const Toolbox &tools);
  void handle(transport::Request &request, transport::Response &response) override;

private:
  void describe(const transport::Request &request, transport::Response &response) const;

  std::string service_;
  std::vector<Operation> operations_;
  const Toolbox &tools_;
};

/// "https://<Host>": the configured public URL, else what the request was addressed to. Throws Fault InvalidMessage for
/// a malformed Host.
[[nodiscard]] std::string baseUrl(const Config &config, const transport::Request &request);

} // namespace waybill::services
