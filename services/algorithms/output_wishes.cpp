// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/output_wishes.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "services/data_manager.hpp"

#include <algorithm>

namespace waybill::services {

namespace {

const Data *wish(const InvokeRequest &request, const std::string &output) {
  const auto found = std::find_if(request.outputs.begin(), request.outputs.end(),
                                  [&](const auto &named) { return named.name == output; });
  return found == request.outputs.end() ? nullptr : &found->data;
}

} // namespace

Data describeOutput(const InvokeRequest &request, const std::string &name, const std::string &contentType) {
  const auto *wanted = wish(request, name);
  Data data = wanted != nullptr ? *wanted : Data{};
  data.contentType = contentType;
  if (request.store && !data.path) {
    const auto prefix = parsePathPrefix(*request.store);
    data.path = (prefix == "/" ? "" : prefix) + "/" + name;
  }
  return data;
}

void checkWishes(const InvokeRequest &request, Time now) {
  for (const auto &[name, data] : request.outputs) {
    if (data.content || data.attachment || data.href || data.token || data.id || data.size || data.digest) {
      throw Fault(FaultCode::BadParameter,
                  "Output says how an output is to be called and kept: Path, Secure, Expires, Metadata; leave out the "
                  "rest",
                  name);
    }
    if (data.path) {
      (void)DataPath::parse(*data.path);
    }
    refuseExpired("Invoke", data, now, name);
  }
}

} // namespace waybill::services
