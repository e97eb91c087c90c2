// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/remote_list.hpp"

#include "cli/pages.hpp"
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
  eachPage(remote, request, extras, [&](const ListResponse &page) {
    for (const auto &data : page.data) {
      const auto path = data.path.value_or("");
      if (DataPath::parse(path).text() != path || !isUnder(path, request.prefix)) {
        throw Fault(FaultCode::InvalidMessage,
                    "the instance lists '" + printable(path) + "', which is not below '" + request.prefix + "'");
      }
      each(data);
    }
  });
}

Data describeOne(services::RemoteInstance &remote, const RemoteName &name) {
  const auto named = name.toData();
  services::CallExtras extras;
  extras.resources = {named.id ? *named.id : *named.path};
  auto found = remote.call(DescribeRequest{{named}}, extras).message.data;
  if (found.size() != 1 || !found.front().id || !found.front().path) {
    throw Fault(FaultCode::InvalidMessage, "the instance does not say which Id and Path the object has",
                name.withPath(name.path));
  }
  return std::move(found.front());
}

} // namespace waybill::cli
