// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/copy_plan.hpp"
#include "domain/messages.hpp"
#include "services/remote_instance.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waybill::cli {

[[nodiscard]] bool isSameInstance(const services::RemoteInstance &one, const services::RemoteInstance &other);

/// Where an instance takes what others send it on the caller's behalf, once, under these paths: with a token for that.
[[nodiscard]] EndpointReference receiver(const services::RemoteInstance &at, const std::vector<std::string> &paths,
                                         Overwrite overwrite);
/// `data` of `holder`, which has an Id, as `reader` is told of it, to read it on the caller's behalf: with a token for
/// that, unless it is its own.
[[nodiscard]] Data referenceTo(Data data, const services::RemoteInstance &holder,
                               const services::RemoteInstance &reader);

/// The calls that make one instance hand data to another, with the tokens that both need.
class ThirdParty {
public:
  /// Both must outlive this.
  ThirdParty(services::RemoteInstance &source, services::RemoteInstance &destination, Overwrite overwrite,
             std::optional<std::int32_t> priority)
      : source_(source), destination_(destination), overwrite_(overwrite), priority_(priority) {}

  /// Asks the source to send these to the destination. Returns the id of the transfer. Throws what the source answers.
  [[nodiscard]] std::string send(const CopyBatch &batch);
  /// Has the destination fetch these from the source, and waits for it: the receipts, one for each. Throws what the
  /// destination answers, and InvalidMessage when the receipts are not for these.
  [[nodiscard]] std::vector<Data> pull(const CopyBatch &batch);
  /// True when both are one instance: then it need not call itself.
  [[nodiscard]] bool isOneInstance() const;

private:
  services::RemoteInstance &source_;
  services::RemoteInstance &destination_;
  Overwrite overwrite_;
  std::optional<std::int32_t> priority_; ///< of what is sent
};

} // namespace waybill::cli
