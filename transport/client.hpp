// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "transport/http.hpp"
#include "transport/peer_identity.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace waybill::transport {

/// Why a call brought no reply. Code DeliveryFailed.
class DeliveryFault : public Fault {
public:
  DeliveryFault(std::string reason, std::string url, bool mayPass)
      : Fault(FaultCode::DeliveryFailed, std::move(reason), std::move(url)), mayPass_(mayPass) {}
  /// True when the same request may succeed a moment later (refused, or cut off before its reply was complete); false
  /// for what will not mend itself (another key, a bad URL).
  [[nodiscard]] bool mayPass() const noexcept { return mayPass_; }

private:
  bool mayPass_;
};

class EgressPolicy;

struct ClientOptions {
  std::chrono::seconds connectDeadline{15};
  /// Called at least once a second while a call waits for the network; what it throws ends the call. May be empty.
  std::function<void()> whileWaiting;
  std::chrono::seconds stallDeadline{60}; ///< less than the minimum rate for that long ends the call
  std::uint32_t minimumRate = 1;          ///< bytes a second
  /// What may be called; none: anything that is https. A refused URL, or address, throws Fault AddressNotAllowed. Who
  /// is trusted there must prove the identity the guard knows, whatever the request says.
  std::shared_ptr<const EgressPolicy> guard;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  /// Must live until the reply's body has been read or dropped. What it throws is thrown on to the caller.
  Source *body = nullptr; ///< sent with Content-Length when its size() is known, else chunked; with Expect:
                          ///< 100-continue over 1 MiB or unknown
  PeerIdentity peer;
  std::uint64_t offset = 0; ///< ftp alone (where the guard allows it): where to begin
};

/// A reply whose body is pulled. Must not outlive the client. Dropping it unread closes the connection.
struct ClientResponse {
  int status = 0;
  Headers headers;
  std::unique_ptr<Source> body;
};

/// HTTP client on libcurl: https only (or what the guard allows), no redirects followed, no proxies from the
/// environment; connections are kept and used again. One call at a time; use one client a thread.
class Client {
public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  /// Sends the request and returns as soon as the reply's head is there (the request body is sent on while the reply is
  /// read, and given up when the server answers early with an error). Throws Fault DeliveryFailed naming the URL, what
  /// libcurl found, and what to do; AddressNotAllowed from the guard.
  [[nodiscard]] ClientResponse perform(const ClientRequest &request);

  /// The PEM certificate that the TLS server at `url` shows, whoever it is (for `waybill trust`: shown to a person
  /// before it is believed).
  [[nodiscard]] std::string certificateOf(const std::string &url);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::transport
