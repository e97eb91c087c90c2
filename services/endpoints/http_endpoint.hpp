// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/data_locator.hpp"
#include "services/endpoints/soap_endpoint.hpp"
#include "services/leases.hpp"
#include "storage/content_store.hpp"
#include "transport/http.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace waybill::services {

/// What is served by plain HTTPS beside SOAP: /data/<id> (data that is not secure), /lease/<secret>/<number>
/// (what a transfer leaves to be pulled), /instance, /healthz, /metrics.
/// Thread-safe.
class HttpEndpoint {
public:
  /// All must outlive this.
  HttpEndpoint(const DataLocator &locator, storage::ContentStore &store, const Leases &leases, const Toolbox &tools,
               std::string certificatePem);

  /// True when the path was one of ours and has been answered.
  bool handle(transport::Request &request, transport::Response &response);

private:
  /// What can be read, in ranges.
  struct Content {
    std::uint64_t size;
    std::string sha256;
    std::string adler32; ///< empty where it is not known
    std::string type;
    std::function<std::unique_ptr<storage::ContentReader>()> open; ///< null: gone
    std::vector<std::string> names;                                ///< for the audit log
  };
  /// Gives it, and writes down under the name `operation` who got how much.
  void give(const Content &content, const std::string &operation, const transport::Request &request,
            transport::Response &response) const;
  /// How it ended: "Success" or a fault's code. `sent` counts the bytes of content that went out.
  static std::string answer(const Content &content, const transport::Request &request, transport::Response &response,
                            std::uint64_t &sent);
  void lease(const std::string &path, const transport::Request &request, transport::Response &response);
  void data(const std::string &id, const transport::Request &request, transport::Response &response);
  void health(transport::Response &response);
  void metrics(const transport::Request &request, transport::Response &response);

  const DataLocator &locator_;
  storage::ContentStore &store_;
  const Leases &leases_;
  const Toolbox &tools_;
  std::string certificatePem_;
};

} // namespace waybill::services
