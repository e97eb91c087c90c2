// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/access.hpp"
#include "domain/fault.hpp"
#include "domain/messages.hpp"
#include "domain/token_claims.hpp"
#include "security/ledger.hpp"
#include "security/trust.hpp"
#include "soap/attachments.hpp"
#include "soap/incoming_message.hpp"
#include "storage/catalog.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// One authorised call on its way through an operation. Used by one thread.
struct Call {
  std::string operation; ///< element name: "Copy", ...
  std::string baseUrl;   ///< "https://host:port" for the ids of this reply: the configured public URL, else what the
                         ///< client asked on
  soap::Attachments *attachments = nullptr;
  soap::Packaging packaging = soap::Packaging::Plain;

  Principal principal;
  TokenClaims claims;
  std::optional<security::Reservation> reservation; ///< empty for operations open to all, and for what a job does later

  Budget::Share memory; ///< what its message, and its reply, take of limits.memory

  // of the message, for operations on what comes from elsewhere
  std::optional<std::string> messageId;
  std::optional<std::string> transfer; ///< MessageID of the call that began the chain
  std::optional<Overwrite> overwrite;  ///< header wb:Overwrite
  std::optional<Fault> fault;          ///< the body is this soap:Fault

  std::optional<std::string> algorithm; ///< of a job, which is told of though it be refused

  /// True once who waits for the reply has closed the connection (transport::Request). Never for what goes elsewhere.
  std::function<bool()> callerHasGone = [] { return false; };
  std::function<void()> check; ///< asked now and then while it waits for others; what it throws ends the call

  /// Part of the transaction that spends the token: told what the receipt is.
  std::function<void(storage::Transaction &, const std::optional<std::string> &)> alsoCommit;

  // for the audit log
  std::vector<std::string> subjects;
  std::uint64_t bytesIn = 0;
  std::uint64_t bytesOut = 0;

  /// Runs `work` and spends the token, where one is held, in one durable transaction; what `work` returns is the
  /// receipt. After it the token is used up.
  void commit(storage::Catalog &catalog, const std::function<std::optional<std::string>(storage::Transaction &)> &work);
  /// True until commit() has succeeded.
  [[nodiscard]] bool holdsToken() const noexcept { return reservation.has_value(); }
};

/// What the caller may do with one right: the grants of the principal, narrowed by the token's resources. A snapshot.
class Permission {
public:
  Permission(const security::Trust &trust, const Call &call, Right right);
  [[nodiscard]] bool covers(std::string_view id, std::string_view path) const;
  /// Throws Fault NotAllowed unless covers().
  void require(std::string_view id, std::string_view path) const;
  /// The parts of the tree under `prefix` that are covered: prefixes, sorted, none below another. Resources that are
  /// ids cover nothing here.
  [[nodiscard]] std::vector<std::string> within(const std::string &prefix) const;

private:
  std::vector<std::string> prefixes_;
  const Call &call_;
  Right right_;
};

} // namespace waybill::services
