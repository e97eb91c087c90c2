// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/remote_list.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"

namespace waybill::cli {

void listAll(services::RemoteInstance &remote, const std::string &prefix,
             const std::function<void(const Data &)> &each) {
  ListRequest request;
  request.prefix = parsePathPrefix(prefix);
  services::CallExtras extras;
  extras.resources = {request.prefix};
  do {
    auto page = remote.call(request, extras).message;
    for (const auto &data : page.data) {
      const auto path = data.path.value_or("");
      if (DataPath::parse(path).text() != path || !isUnder(path, request.prefix)) {
        throw Fault(FaultCode::InvalidMessage,
                    "the instance lists '" + printable(path) + "', which is not below '" + request.prefix + "'");
      }
      each(data);
    }
    if (page.nextPageToken && page.nextPageToken == request.pageToken) {
      throw Fault(FaultCode::InvalidMessage, "the instance gives the same page of its list again and again");
    }
    request.pageToken = page.nextPageToken;
  } while (request.pageToken);
}

} // namespace waybill::cli
