// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/data.hpp"
#include "domain/random.hpp"
#include "services/resolved_data.hpp"
#include "services/shared_places.hpp"
#include "services/stop_time.hpp"
#include "soap/envelope.hpp"
#include "soap/incoming_message.hpp"
#include "transport/egress.hpp"
#include "transport/fetch.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace waybill::services {

/// Reads data that is elsewhere: at another instance, with a token for it, or at a plain URL. Thread-safe.
class RemoteData {
public:
  struct Tools {
    std::shared_ptr<const transport::EgressPolicy> egress;
    std::string caFile;
    const soap::Schema &schema;
    const soap::Limits &limits;
    soap::Spool spool;
    Random &random;
    unsigned connections;   ///< for one large object
    std::size_t mostAtOnce; ///< so that what waits for others leaves threads for those who wait for it; half for one
  };
  /// All must outlive this.
  explicit RemoteData(Tools tools) : tools_(std::move(tools)), places_(tools_.mostAtOnce) {}

  /// The bytes at `url`. With `token`, `url` names data of an instance ("https://host:port/data/<id>"), which is asked
  /// for it by Copy. `size`: what the whole is said to have. Throws Fault: AddressNotAllowed, DeliveryFailed, what the
  /// instance answers, and Busy when enough is being fetched already, in all or for `principal`.
  /// `check` is called now and then while it waits, and may end that by what it throws.
  [[nodiscard]] ResolvedData open(const std::string &url, const std::optional<std::string> &token,
                                  const std::optional<std::uint64_t> &size, const std::string &principal,
                                  const std::function<void()> &check) const;

  /// From `when` on all that is under way ends with the Fault Busy: the instance stops. Any thread.
  void stopAt(StopTime::Clock::time_point when) { stop_.set(when); }

private:
  using Place = std::shared_ptr<SharedPlaces::Place>; ///< held while bytes come
  [[nodiscard]] transport::FetchRequest requestFor(const std::string &url) const;
  [[nodiscard]] transport::ClientOptions clientOptions(const std::function<void()> &check) const;
  [[nodiscard]] static transport::FetchOptions fetchOptions(transport::ClientOptions client);
  [[nodiscard]] ResolvedData fetch(const std::string &url, transport::ClientOptions client, Place place) const;
  [[nodiscard]] ResolvedData fetchScattered(const std::string &url, std::uint64_t size, transport::ClientOptions client,
                                            Place place) const;
  [[nodiscard]] ResolvedData copy(const std::string &url, const std::string &token, transport::ClientOptions client,
                                  Place place) const;

  Tools tools_;
  mutable SharedPlaces places_;
  StopTime stop_;
};

} // namespace waybill::services
