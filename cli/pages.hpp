// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "services/remote_instance.hpp"

#include <utility>

namespace waybill::cli {

/// Calls `each` with every page of a list, whose request has a pageToken and whose response a nextPageToken. Throws
/// what the instance answers, and InvalidMessage when it would go on for ever.
template <class Request, class Each>
void eachPage(services::RemoteInstance &remote, Request request, const services::CallExtras &extras, const Each &each) {
  do {
    auto page = remote.call(request, extras).message;
    const auto next = page.nextPageToken;
    each(std::move(page));
    if (next && next == request.pageToken) {
      throw Fault(FaultCode::InvalidMessage, "the instance gives the same page of its list again and again");
    }
    request.pageToken = next;
  } while (request.pageToken);
}

} // namespace waybill::cli
