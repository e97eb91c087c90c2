// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec_wire.hpp"

namespace waybill::soap {

namespace wire {

namespace {

JobPhase fromWire(wb__JobPhase phase) {
  switch (phase) {
  case wb__JobPhase::Inputs: return JobPhase::Inputs;
  case wb__JobPhase::Run: return JobPhase::Run;
  case wb__JobPhase::Delivery: return JobPhase::Delivery;
  }
  return JobPhase::Delivery;
}

wb__JobPhase toWire(JobPhase phase) {
  switch (phase) {
  case JobPhase::Inputs: return wb__JobPhase::Inputs;
  case JobPhase::Run: return wb__JobPhase::Run;
  case JobPhase::Delivery: return wb__JobPhase::Delivery;
  }
  return wb__JobPhase::Delivery;
}

Job fromWire(wb__Job &wire) {
  Job job;
  job.id = trimmed(wire.Id);
  job.algorithm = std::move(wire.Algorithm);
  job.state = wire::fromWire(wire.State);
  job.phase = fromWire(wire.Phase);
  job.attempts = wire.Attempts;
  job.lastError = text(wire.LastError);
  job.exitStatus = number(wire.ExitStatus);
  job.log = text(wire.Log).value_or("");
  job.started = time(std::string_view(wire.Started), "Started");
  job.ended = time(wire.Ended, "Ended");
  job.destination = trimmed(wire.Destination);
  job.receipt = allFromWire(wire.Receipt);
  job.owner = std::move(wire.Owner);
  job.priority = number(wire.Priority);
  return job;
}

wb__Job *toWire(const Job &job, Arena &arena) {
  auto *wire = arena.make<wb__Job>();
  wire->Id = Arena::checked(job.id, "Id");
  wire->Algorithm = Arena::checked(job.algorithm, "Algorithm");
  wire->State = wire::toWire(job.state);
  wire->Phase = toWire(job.phase);
  wire->Attempts = job.attempts;
  wire->LastError = Arena::text(job.lastError, "LastError");
  wire->ExitStatus = arena.makeOptional<int>(job.exitStatus);
  wire->Log = job.log.empty() ? nullptr : arena.make(Arena::checked(job.log, "Log"));
  wire->Started = formatUtc(job.started);
  wire->Ended = arena.time(job.ended);
  wire->Destination = Arena::checked(job.destination, "Destination");
  allToWire(wire->Receipt, job.receipt, arena);
  wire->Owner = Arena::checked(job.owner, "Owner");
  wire->Priority = arena.makeOptional<int>(job.priority);
  return wire;
}

/// A message that is nothing but the id of a job.
template <class T, class Wire> struct JobIdAlone {
  using Element = Wire;
  static T decode(Element &element) { return {std::string(trimmed(element.Job))}; }
  static void encode(Element &element, const T &message, Arena &) { element.Job = Arena::checked(message.job, "Job"); }
};

/// A message that is nothing but a job.
template <class T, class Wire> struct JobAlone {
  using Element = Wire;
  static T decode(Element &element) {
    if (element.Job == nullptr) {
      throw Fault(FaultCode::InvalidMessage, "the message has no Job", "wb:Job");
    }
    return {fromWire(*element.Job)};
  }
  static void encode(Element &element, const T &message, Arena &arena) { element.Job = toWire(message.job, arena); }
};

} // namespace

template <> struct Message<GetJobRequest> : JobIdAlone<GetJobRequest, _wb__GetJob> {
  static constexpr const char *name = "wb:GetJob";
};
template <> struct Message<GetJobResponse> : JobAlone<GetJobResponse, _wb__GetJobResponse> {
  static constexpr const char *name = "wb:GetJobResponse";
};
template <> struct Message<CancelJobRequest> : JobIdAlone<CancelJobRequest, _wb__CancelJob> {
  static constexpr const char *name = "wb:CancelJob";
};
template <> struct Message<CancelJobResponse> : JobAlone<CancelJobResponse, _wb__CancelJobResponse> {
  static constexpr const char *name = "wb:CancelJobResponse";
};

template <> struct Message<ListJobsRequest> {
  using Element = _wb__ListJobs;
  static constexpr const char *name = "wb:ListJobs";
  static ListJobsRequest decode(Element &element) {
    ListJobsRequest message;
    message.state = element.State != nullptr ? std::optional(wire::fromWire(*element.State)) : std::nullopt;
    message.limit = element.Limit != nullptr ? *element.Limit : message.limit;
    message.pageToken = trimmedText(element.PageToken);
    return message;
  }
  static void encode(Element &element, const ListJobsRequest &message, Arena &arena) {
    element.State = message.state ? arena.make(wire::toWire(*message.state)) : nullptr;
    element.Limit = arena.make<unsigned int>(message.limit);
    element.PageToken = Arena::text(message.pageToken, "PageToken");
  }
};

template <> struct Message<ListJobsResponse> {
  using Element = _wb__ListJobsResponse;
  static constexpr const char *name = "wb:ListJobsResponse";
  static ListJobsResponse decode(Element &element) {
    ListJobsResponse message;
    for (auto *job : element.Job) {
      message.jobs.push_back(fromWire(*job));
    }
    message.nextPageToken = trimmedText(element.NextPageToken);
    return message;
  }
  static void encode(Element &element, const ListJobsResponse &message, Arena &arena) {
    for (const auto &job : message.jobs) {
      element.Job.push_back(toWire(job, arena));
    }
    element.NextPageToken = Arena::text(message.nextPageToken, "NextPageToken");
  }
};

} // namespace wire

WAYBILL_CODEC(GetJobRequest);
WAYBILL_CODEC(GetJobResponse);
WAYBILL_CODEC(CancelJobRequest);
WAYBILL_CODEC(CancelJobResponse);
WAYBILL_CODEC(ListJobsRequest);
WAYBILL_CODEC(ListJobsResponse);

} // namespace waybill::soap
