// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/random.hpp"
#include "security/ledger.hpp"
#include "security/token.hpp"
#include "services/algorithms/algorithm_service.hpp"
#include "services/call.hpp"
#include "services/config.hpp"
#include "services/log.hpp"
#include "services/metrics.hpp"
#include "services/transfer_work.hpp"
#include "services/transfers.hpp"
#include "soap/attachments.hpp"
#include "soap/envelope.hpp"
#include "soap/outgoing_message.hpp"
#include "transport/egress.hpp"
#include "transport/http.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// Operation::element of what takes a soap:Fault that was sent on to here.
inline constexpr const char *faultElement = "Fault";

/// What an operation answers: the body, and the parts that travel with it.
struct Reply {
  std::string bodyXml;
  std::vector<soap::OutgoingPart> parts;
  soap::Packaging packaging = soap::Packaging::Plain;
};

/// One operation of a SOAP service, between XML and domain types.
struct Operation {
  std::string element;     ///< "Copy"
  std::string reply;       ///< the element it answers, "CopyResponse"; empty for what is only taken (HTTP 202)
  std::string permit;      ///< what a token for it names: its own name, or that of what it is treated as
  bool openToAll = false;  ///< needs no token
  bool storesData = false; ///< what it answers names objects that are here now
  std::function<Reply(Call &call, std::string_view bodyXml)> run;
  /// For what answers with content: everything but the content, which goes out later.
  std::function<CopyOrder(Call &call, std::string_view bodyXml)> order = {};
  /// For what takes long: everything but the work, which the queue does later.
  std::function<PreparedJob(Call &call, std::string_view bodyXml)> job = {};
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
  const transport::EgressPolicy &egress;
  Transfers &transfers;
};

/// Serves one SOAP service: its WSDL by GET, its operations by POST. One message goes: envelope, addressing, schema,
/// token, operation, reply; the attachments are pulled by the operation. Thread-safe.
class SoapEndpoint : public transport::Handler {
public:
  /// `service`: the last segment of the endpoint's path.
  SoapEndpoint(std::string service, std::vector<Operation> operations, const Toolbox &tools);
  void handle(transport::Request &request, transport::Response &response) override;

private:
  void exchange(transport::Request &request, transport::Response &response);
  void describe(const transport::Request &request, transport::Response &response) const;

  std::string service_;
  std::vector<Operation> operations_;
  const Toolbox &tools_;
};

/// "https://<Host>": the configured public URL, else what the request was addressed to. Throws Fault InvalidMessage for
/// a malformed Host.
[[nodiscard]] std::string baseUrl(const Config &config, const transport::Request &request);

} // namespace waybill::services
