// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "services/endpoints/forwarding.hpp"
#include "services/endpoints/soap_endpoint.hpp"
#include "soap/addressing.hpp"
#include "soap/incoming_message.hpp"

#include <optional>
#include <string>

namespace waybill::services {

/// One SOAP request and its reply. Made for one call of run().
class Exchange {
public:
  Exchange(const std::string &service, const std::vector<Operation> &operations, const Toolbox &tools,
           transport::Request &request, transport::Response &response);
  /// Answers the request, with a fault where need be. Throws only when a reply that has begun must be cut.
  void run();
  /// What its messages took, in estimated bytes of memory.
  [[nodiscard]] std::uint64_t memoryTaken() const noexcept { return memoryTaken_ + call_.memory.taken(); }

private:
  void answer();
  /// Reads what concerns the way of the reply.
  void readHeaders(const soap::Envelope &envelope);
  /// Takes the request, and leaves its reply to the transfers.
  void acceptElsewhere(const Operation &operation, const std::string &bodyXml);
  void sayAccepted() { response_.send(202, {}, ""); }
  const Operation &dispatch(const soap::Envelope &envelope);
  /// Throws Fault ActionNotSupported for a wsa:Action that belongs to no operation of this service.
  void checkOwnAction() const;
  [[nodiscard]] std::string operationNames() const;
  void checkActions(const soap::IncomingMessage &message, const std::string &element) const;
  void checkEndpoints(const Operation &operation) const;
  [[nodiscard]] std::optional<security::EarlierReceipt> authorise(const soap::Envelope &envelope,
                                                                  const Operation &operation);
  void send(const Operation &operation, Reply reply);
  /// Answers with the fault, if that is still possible, and writes down how it all ended.
  void fail(const Fault &fault);
  void sendFault(const Fault &fault);
  /// Part of the commit that spends the token: inserts the transfers of what was answered.
  void forwardWithCommit(const Operation &operation);
  /// For operations that only read; what changes something has spent its token by then.
  void spend(const std::optional<std::string> &receipt = std::nullopt);
  [[nodiscard]] soap::Addressing replyAddressing() const;
  [[nodiscard]] static std::vector<std::string> echoedParameters(const EndpointReference &endpoint);
  /// The token is used up: what goes wrong from here on concerns the way of the reply, not the work.
  [[nodiscard]] bool isDone() const noexcept { return receiptGiven_ || (authorised_ && !call_.holdsToken()); }

  /// How a request ended, for log, audit and metrics.
  struct Ending {
    std::string outcome;     ///< "Success", "Receipt", or a fault's code
    std::string reason;      ///< of a fault
    std::string cause;       ///< for the log alone
    std::string undelivered; ///< why the caller did not get the reply; empty when it went out
  };
  void finish(const Ending &ending) noexcept;

  const std::string &service_;
  const std::vector<Operation> &operations_;
  const Toolbox &tools_;
  transport::Request &request_;
  transport::Response &response_;

  Time began_;
  soap::Version version_ = soap::Version::Soap11;
  soap::Addressing addressing_;
  Call call_;
  std::optional<Forwarding> forwarding_;
  Answer answer_;                 ///< for elsewhere
  std::uint64_t memoryTaken_ = 0; ///< and given back
  bool authorised_ = false;
  bool receiptGiven_ = false;
};

} // namespace waybill::services
