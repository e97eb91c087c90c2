// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/remote_jobs.hpp"

#include "cli/pages.hpp"
#include "domain/messages.hpp"

#include <algorithm>

namespace waybill::cli {

void listJobs(services::RemoteInstance &remote, std::optional<TransferState> state,
              const std::function<void(const Job &)> &each) {
  ListJobsRequest request;
  request.state = state;
  eachPage(remote, request, {},
           [&](const ListJobsResponse &page) { std::for_each(page.jobs.begin(), page.jobs.end(), each); });
}

Job jobOf(services::RemoteInstance &remote, const std::string &id) {
  return remote.call(GetJobRequest{id}).message.job;
}

} // namespace waybill::cli
