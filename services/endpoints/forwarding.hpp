// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/onward.hpp"
#include "services/endpoints/soap_endpoint.hpp"

#include <optional>
#include <string>
#include <vector>

namespace waybill::services {

/// What one call is answered with, where it does not go back on the connection: one of these.
struct Answer {
  std::string bodyXml;
  std::optional<CopyOrder> content; ///< sent in its place, and written later
  std::optional<PreparedJob> job;   ///< what makes it
};

/// Where the response of one call goes other than back on its connection (wsa:ReplyTo, wsa:FaultTo, wb:Onward), and the
/// transfers that take it there. Used by one thread; must not outlive the exchange that it serves.
class Forwarding {
public:
  Forwarding(const Toolbox &tools, const Call &call, soap::Version version, const soap::Addressing &addressing,
             std::optional<Onward> onward);

  /// True when the reply does not go back on the connection.
  [[nodiscard]] bool ofReply() const noexcept { return isElsewhere(addressing_.replyEndpoint()); }
  /// True when a fault has somewhere else to go, and may: check() has passed.
  [[nodiscard]] bool ofFaults() const noexcept { return checked_ && isElsewhere(addressing_.faultEndpoint()); }
  [[nodiscard]] bool ofAny() const noexcept {
    return ofReply() || isElsewhere(addressing_.faultEndpoint()) || onward_.has_value();
  }

  /// Throws Fault AddressNotAllowed when the token says where the reply goes, and it would come back on the connection:
  /// who has stolen the token, or was handed it, is not who is to have the reply.
  void checkClaim(const Operation &operation) const;
  /// For what is ofAny(). Throws Fault AddressNotAllowed when an address is not one that this instance may call, or
  /// that the token allows; BadParameter when `operation` has nothing of what wb:Onward asks for; DuplicateMessageId
  /// when the caller's message of this id asked for something else than `asked` (Envelope::asked; empty: that is not
  /// compared), or to send it elsewhere; Busy when too much of the caller's is waiting.
  void check(const Operation &operation, const std::string &asked);

  /// True when a message of this id from this caller has begun a transfer before.
  [[nodiscard]] bool isKnown() const;
  /// Inserts what makes and delivers the answer. Throws Fault DuplicateMessageId when isKnown() by now.
  void insert(storage::Transaction &transaction, const Operation &operation, const Answer &answer) const;
  /// Inserts what delivers a fault to the fault endpoint, and a transfer, of an Invoke a job, that has failed by which
  /// the caller can find it.
  void insertFault(storage::Transaction &transaction, const Fault &fault) const;

private:
  /// The transfer that a message of this id from this caller has begun before.
  [[nodiscard]] std::optional<storage::TransferRow> earlier() const;
  void requireSame(const storage::TransferRow &before) const;
  void requireRoom(const Operation &operation) const;
  [[nodiscard]] static bool isElsewhere(const EndpointReference &endpoint) noexcept {
    return !endpoint.isAnonymous() && !endpoint.isNone();
  }
  [[nodiscard]] TransferWork workFor(const EndpointReference &to) const;
  [[nodiscard]] TransferWork onwardWork(const Operation &operation, const Answer &answer) const;
  static void fill(TransferWork &work, const Operation &operation, const Answer &answer);
  [[nodiscard]] std::string owner() const { return format(call_.principal); }

  const Toolbox &tools_;
  const Call &call_;
  soap::Version version_;
  const soap::Addressing &addressing_;
  std::optional<Onward> onward_;
  std::string request_; ///< digest of what is asked for
  bool checked_ = false;
};

} // namespace waybill::services
