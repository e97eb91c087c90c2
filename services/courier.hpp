// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/access.hpp"
#include "domain/clock.hpp"
#include "domain/fault.hpp"
#include "domain/random.hpp"
#include "services/algorithms/job_folders.hpp"
#include "services/data_manager.hpp"
#include "services/leases.hpp"
#include "services/transfer_work.hpp"
#include "soap/envelope.hpp"
#include "soap/incoming_message.hpp"
#include "transport/client.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace waybill::services {

/// How one attempt to deliver a message ended.
struct Delivered {
  enum class How : std::uint8_t {
    Arrived, ///< the receiver has it, for good
    Again,   ///< it may arrive another time
    Refused, ///< it will not
  };
  How how = How::Arrived;
  std::optional<Fault> fault;        ///< why not
  std::chrono::seconds notBefore{0}; ///< the receiver asked for that long a pause
  std::string receipt;               ///< body of its ReceiveResponse, where it sent one
  bool withoutLease = false;         ///< Again, and with the content attached
};

/// True for what another attempt may mend; what the sender of the call that is answered can mend is not mended by
/// waiting.
[[nodiscard]] bool mayPass(FaultCode code) noexcept;

/// Delivers messages to other endpoints, one attempt at a time. One thread.
class Courier {
public:
  struct Tools {
    const DataManager &manager;
    Leases &leases;
    const soap::Schema &schema;
    const soap::Limits &limits;
    soap::Spool spool;
    Random &random;
    const JobFolders &jobs;
    std::string caFile; ///< vouches for who is no trusted instance; empty: the system's CAs
  };

  /// All must outlive this. `client` has the egress guard.
  Courier(Tools tools, transport::ClientOptions client);

  /// Sends `work` for `caller`. `done` counts the content that has gone out. Throws only what the client's whileWaiting
  /// throws.
  [[nodiscard]] Delivered deliver(const TransferWork &work, const Principal &caller,
                                  const std::shared_ptr<std::atomic<std::uint64_t>> &done);

private:
  struct Message;
  [[nodiscard]] std::unique_ptr<Message> compose(const TransferWork &work, const Principal &caller,
                                                 const std::shared_ptr<std::atomic<std::uint64_t>> &done);
  void addOutput(Message &composed, const TransferWork &work, const OutputPart &part,
                 const std::shared_ptr<std::atomic<std::uint64_t>> &done) const;
  [[nodiscard]] Delivered send(const TransferWork &work, Message &message);
  [[nodiscard]] Delivered judge(const TransferWork &work, const Message &message, transport::ClientResponse response);
  [[nodiscard]] Delivered judgeSoap(const TransferWork &work, const Message &message,
                                    transport::ClientResponse &response);

  Tools tools_;
  /// True when the receiver is an instance that is trusted: those always give a receipt for content.
  [[nodiscard]] bool owesReceipt(const TransferWork &work) const;

  std::function<void()> whileWaiting_;
  std::shared_ptr<const transport::EgressPolicy> guard_;
  transport::Client client_;
};

} // namespace waybill::services
