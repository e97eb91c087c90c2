// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/algorithm_service.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/algorithms/out_folder.hpp"
#include "services/algorithms/output_wishes.hpp"
#include "soap/codec.hpp"
#include "storage/content_store.hpp"

#include <algorithm>
#include <utility>

namespace waybill::services {

namespace {

/// Algorithms are granted like paths: text/sort is "/text/sort".
std::string asPath(const std::string &algorithm) { return "/" + algorithm; }

/// A resource of a token that names algorithms: neither a path nor the id of an object.
bool isOfAlgorithms(const std::string &resource) {
  return !resource.starts_with('/') && !storage::isContentId(resource);
}

bool covers(const std::string &resource, const std::string &algorithm) {
  const auto name = resource.ends_with('/') ? resource.substr(0, resource.size() - 1) : resource;
  return isUnder(asPath(algorithm), asPath(name));
}

bool tokenCovers(const Call &call, const std::string &algorithm) {
  const auto &resources = call.claims.resources;
  return resources.empty() || std::any_of(resources.begin(), resources.end(), [&](const auto &resource) {
           return isOfAlgorithms(resource) && covers(resource, algorithm);
         });
}

bool mayInvoke(const security::Trust &trust, const Call &call, const std::string &algorithm) {
  return trust.may(call.principal, Right::Invoke, asPath(algorithm)) && tokenCovers(call, algorithm);
}

} // namespace

struct AlgorithmService::Results {
  std::string folder; ///< where they are
  InvokeResponse response;
  std::vector<Invocation::Made> made;
  std::vector<OutputPart> parts; ///< those that travel
  std::map<std::string, std::string> inlined;
  soap::Packaging packaging = soap::Packaging::Plain;
};

std::shared_ptr<const Algorithm> AlgorithmService::find(const Call &call, const std::string &id) const {
  auto algorithm = tools_.algorithms.find(id);
  if (!algorithm || !tools_.trust.may(call.principal, Right::Invoke, asPath(id))) {
    throw Fault(FaultCode::NoSuchAlgorithm,
                call.operation + " found no algorithm of this id that the caller may invoke; ListAlgorithms shows what "
                                 "there is, the instance's administrator grants 'invoke' on it",
                printable(id, 200));
  }
  if (!tokenCovers(call, id)) {
    throw Fault(FaultCode::NoSuchAlgorithm,
                call.operation + " came with a token whose resources name no such algorithm; have them name it, or "
                                 "what it is below, without a slash before it (a name with one is a path of data)",
                printable(id, 200));
  }
  return algorithm;
}

ListAlgorithmsResponse AlgorithmService::list(Call &call, const ListAlgorithmsRequest &) const {
  ListAlgorithmsResponse response;
  const auto all = tools_.algorithms.all();
  for (const auto &[id, algorithm] : *all) {
    if (mayInvoke(tools_.trust, call, id)) {
      response.algorithms.push_back(algorithm->description);
    }
  }
  return response;
}

DescribeAlgorithmResponse AlgorithmService::describe(Call &call, const DescribeAlgorithmRequest &request) const {
  call.subjects.push_back(printable(request.algorithm, 200));
  return {find(call, request.algorithm)->description};
}

/// The resources that narrow which data a call may touch: none, when all are algorithms.
std::vector<std::string> AlgorithmService::withoutAlgorithms(const Call &call) {
  std::vector<std::string> data;
  std::copy_if(call.claims.resources.begin(), call.claims.resources.end(), std::back_inserter(data),
               [](const auto &resource) { return !isOfAlgorithms(resource); });
  return data;
}

Invocation AlgorithmService::begin(Call &call, InvokeRequest request, const std::string &job) const {
  call.subjects.push_back(printable(request.algorithm, 200));
  auto algorithm = find(call, request.algorithm);
  call.claims.resources = withoutAlgorithms(call);
  Invocation invocation(tools_.invocations, std::move(algorithm), std::move(request), job);
  checkResults(call, invocation);
  if (const auto why = tools_.invocations.sandbox.unavailable(); !why.empty()) {
    throw Fault(FaultCode::Internal, "this instance cannot run algorithms: " + why, invocation.request().algorithm);
  }
  return invocation;
}

/// What can be said of the outputs before there are any.
void AlgorithmService::checkResults(Call &call, const Invocation &invocation) const {
  const auto &request = invocation.request();
  checkWishes(request, tools_.clock.now());
  if (!request.store) {
    if (request.attach == Attach::Reference) {
      throw Fault(FaultCode::BadParameter, "Attach Reference is for outputs that are stored; give Store too", "Attach");
    }
    if (request.overwrite) {
      throw Fault(FaultCode::BadParameter, "Overwrite is about what is stored; give Store too, or leave it out",
                  "Overwrite");
    }
    return;
  }
  std::vector<Data> stored;
  for (const auto &output : invocation.algorithm().description.outputs) {
    stored.push_back(describeOutput(request, output.name, "application/octet-stream"));
    if (request.attach == Attach::Reference && stored.back().secure.value_or(true)) {
      throw Fault(FaultCode::BadParameter,
                  "Attach Reference is for data that is not secure; say Secure false in an Output of that name",
                  output.name);
    }
  }
  if (stored.empty()) {
    throw Fault(FaultCode::BadParameter, "the algorithm has no outputs that could be stored; leave Store out", "Store");
  }
  tools_.manager.checkIntake(call, stored, request.overwrite.value_or(Overwrite::Never));
}

/// Has the bytes of an output travel with the response, and says in `data` where they are.
void AlgorithmService::attach(Results &results, Data &data, const Invocation::Made &made, Attach how,
                              const std::string &job) const {
  const auto contentId = std::to_string(results.parts.size()) + "." + job + "@waybill";
  (how == Attach::SwA ? data.attachment : data.content) = "cid:" + contentId;
  results.parts.push_back({contentId, made.contentType, made.size, made.sha256, data.path.value_or(""), made.file});
  if (how != Attach::Inline) {
    results.packaging = how == Attach::SwA ? soap::Packaging::SwA : soap::Packaging::Mtom;
    return;
  }
  std::uint64_t bytes = 0;
  for (const auto &part : results.parts) {
    bytes += part.size;
  }
  if (bytes > tools_.inlineBytes) {
    throw Fault(FaultCode::TooLarge,
                "the outputs have more than " + std::to_string(tools_.inlineBytes) +
                    " bytes (limits.inline_bytes), and Attach is Inline; ask for MTOM or SwA",
                made.name);
  }
  results.inlined[contentId] = readAll(*openOutput(results.folder, made.file), made.size, made.name);
}

/// What has been made, and how it travels: attached, unless it is stored and nobody asked for its bytes.
AlgorithmService::Results AlgorithmService::results(const Invocation &invocation, Attach how,
                                                    const std::string &job) const {
  const auto &request = invocation.request();
  Results results;
  results.folder = tools_.invocations.folders.out(job);
  results.made = invocation.outputs();
  const auto travels = !request.store || (request.attach && how != Attach::Reference);
  for (const auto &made : results.made) {
    auto data = describeOutput(request, made.name, made.contentType);
    data.size = made.size;
    data.digest = Digest{DigestAlgorithm::Sha256, made.sha256};
    if (travels) {
      attach(results, data, made, how, job);
    }
    results.response.outputs.push_back({made.name, std::move(data)});
  }
  return results;
}

/// Keeps the outputs as data, in the transaction that spends the token. `receipt` writes the response down.
void AlgorithmService::store(Call &call, const Invocation &invocation, Results &results,
                             const std::function<std::string(const InvokeResponse &)> &receipt) {
  auto &outputs = results.response.outputs;
  std::vector<Data> incoming;
  std::transform(outputs.begin(), outputs.end(), std::back_inserter(incoming),
                 [](const auto &output) { return output.data; });
  Intake intake{incoming, invocation.request().overwrite.value_or(Overwrite::Never), {}, [] {}, {}};
  intake.open = [&](std::size_t i) { return ResolvedData{openOutput(results.folder, results.made[i].file), {}, {}}; };
  intake.receipt = [&](const std::vector<Data> &stored) {
    for (std::size_t i = 0; i < stored.size(); ++i) {
      auto data = stored[i];
      data.content = outputs[i].data.content;
      data.attachment = outputs[i].data.attachment;
      if (invocation.request().attach == Attach::Reference) {
        data.href = data.id;
      }
      outputs[i].data = std::move(data);
    }
    return receipt(results.response);
  };
  tools_.manager.take(call, intake);
}

void AlgorithmService::checkStop() const {
  if (stop_.isPast()) {
    throw Fault(FaultCode::Busy,
                "the instance stops, and the program was killed before it had ended; run it again later");
  }
}

void AlgorithmService::checkCaller(const Call &call) {
  if (call.callerHasGone()) {
    throw Fault(FaultCode::DeliveryFailed,
                "the caller closed its connection before the reply, so that its program was not run to its end and "
                "nothing was stored; the same call again, with the same token, begins anew; name in wsa:ReplyTo where "
                "the result is to go, and it is a job that goes on without its caller");
  }
}

InvokeReply AlgorithmService::invoke(Call &call, InvokeRequest request) {
  const auto job = randomId(tools_.random);
  const auto how = howToAttach(request.attach, call);
  auto folder = std::make_shared<JobFolderGuard>(tools_.invocations.folders, job);
  tools_.invocations.folders.create(job);
  auto invocation = begin(call, std::move(request), job);
  // Before inputs are read: tokens that came with them are good once, and who is told Busy is to try again.
  const auto place = tools_.turns.enter(call.principal.instance);
  invocation.takeAttached(call);
  call.check = [&] {
    checkStop();
    checkCaller(call);
  };
  invocation.fetch(call);
  LogTail log;
  std::optional<std::int32_t> exitStatus;
  {
    const auto turn =
        tools_.turns.wait(call.principal.instance, invocation.request().priority.value_or(normalPriority), call.check);
    invocation.run(log, call.check, exitStatus);
  }
  call.check(); // nothing is stored for who has not waited for it
  auto results = this->results(invocation, how, job);
  results.response.job = call.messageId.value_or("urn:uuid:" + randomUuid(tools_.random));
  results.response.log = log.text();
  if (invocation.request().store && !results.made.empty()) {
    store(call, invocation, results, [&](const InvokeResponse &response) {
      // What travels is in no receipt: who asks again finds it stored.
      auto kept = response;
      for (auto &output : kept.outputs) {
        output.data.content.reset();
        output.data.attachment.reset();
      }
      return soap::encode(kept);
    });
  }
  InvokeReply reply;
  reply.response = std::move(results.response);
  reply.inlined = std::move(results.inlined);
  reply.packaging = results.packaging;
  for (const auto &part : results.parts) {
    call.bytesOut += part.size;
    if (results.packaging != soap::Packaging::Plain) {
      reply.parts.push_back({part.contentId, part.contentType, part.size,
                             [folder, path = results.folder, file = part.file] { return openOutput(path, file); }});
    }
  }
  return reply;
}

PreparedJob AlgorithmService::prepare(Call &call, InvokeRequest request) {
  call.algorithm = printable(request.algorithm, 200);
  PreparedJob prepared;
  prepared.id = randomId(tools_.random);
  prepared.order.attach = howToAttach(request.attach, call);
  prepared.order.algorithm = request.algorithm;
  prepared.order.priority = request.priority.value_or(normalPriority);
  const auto queued = tools_.catalog.queuedJobs(call.principal.instance);
  if (queued >= tools_.queuedPerPrincipal) {
    throw Fault(
        FaultCode::Busy,
        "the caller's key has " + std::to_string(queued) +
            " jobs waiting, as many as one may have (algorithms.queued_per_principal); wait for some, or cancel "
            "them",
        printable(request.algorithm, 200));
  }
  prepared.folder = std::make_shared<JobFolderGuard>(tools_.invocations.folders, prepared.id);
  tools_.invocations.folders.create(prepared.id);
  auto invocation = begin(call, std::move(request), prepared.id);
  if (!call.claims.resources.empty()) {
    prepared.order.data = call.claims.resources;
  }
  invocation.takeAttached(call);
  tools_.invocations.folders.syncInputs(prepared.id);
  prepared.order.attached = invocation.taken();
  prepared.order.complete = invocation.complete();
  prepared.order.request = soap::encode(invocation.withoutParts(call));
  return prepared;
}

/// The call that a job goes on with, when its message is no longer there.
Call AlgorithmService::callOf(const TransferWork &work, const std::string &principal,
                              const std::function<void()> &check) {
  Call call;
  call.operation = "Invoke";
  call.baseUrl = work.baseUrl;
  call.principal = parsePrincipal(principal).value();
  call.claims.resources = work.run->data.value_or(std::vector<std::string>());
  call.check = check;
  return call;
}

Invocation AlgorithmService::takenUp(const Call &call, const TransferWork &work) const {
  auto request = soap::decode<InvokeRequest>(work.run->request);
  auto algorithm = tools_.algorithms.find(request.algorithm);
  if (!algorithm || !tools_.trust.may(call.principal, Right::Invoke, asPath(request.algorithm))) {
    throw Fault(
        FaultCode::NoSuchAlgorithm,
        "the algorithm is no longer published, or no longer for this caller; ListAlgorithms shows what there is",
        printable(request.algorithm, 200));
  }
  Invocation invocation(tools_.invocations, std::move(algorithm), std::move(request), work.job);
  invocation.setTaken(work.run->attached);
  return invocation;
}

/// What has come stays for another attempt: the tokens for it may be used up.
void AlgorithmService::fetch(const TransferWork &work, const std::string &principal, const std::function<void()> &check,
                             const Save &save) {
  auto call = callOf(work, principal, check);
  auto invocation = takenUp(call, work);
  const auto keep = [&] {
    tools_.invocations.folders.syncInputs(work.job);
    auto further = work;
    further.run->attached = invocation.taken();
    further.run->complete = invocation.complete();
    save(further);
  };
  try {
    invocation.fetch(call);
  } catch (const Fault &) {
    keep();
    throw;
  }
  keep();
}

void AlgorithmService::run(const TransferWork &work, const std::string &principal, JobNote &note, LogTail &log,
                           const std::function<void()> &check, const Commit &commit) {
  auto call = callOf(work, principal, check);
  const auto invocation = takenUp(call, work);
  tools_.invocations.folders.clearOut(work.job);
  const auto keepNote = [&] { note.log = log.text(); };
  try {
    invocation.run(log, check, note.exitStatus);
  } catch (...) {
    keepNote();
    throw;
  }
  keepNote();
  auto results = this->results(invocation, work.run->attach, work.job);
  results.response.job = work.relatesTo.value_or(work.messageId);
  results.response.exitStatus = note.exitStatus.value_or(0);
  results.response.log = note.log;
  std::vector<std::string> files;
  std::transform(results.parts.begin(), results.parts.end(), std::back_inserter(files),
                 [](const auto &part) { return part.file; });
  tools_.invocations.folders.syncOutputs(work.job, files);
  auto delivery = work;
  delivery.run.reset();
  delivery.parts = results.parts;
  delivery.packaging = results.packaging;
  const auto deliver = [&](storage::Transaction &transaction, const InvokeResponse &response) {
    delivery.envelope = envelopeOf(delivery, soap::encode(response, viewsOf(results.inlined)));
    commit(transaction, delivery);
  };
  if (invocation.request().store && !results.made.empty()) {
    call.alsoCommit = [&](storage::Transaction &transaction, const std::optional<std::string> &) {
      deliver(transaction, results.response);
    };
    store(call, invocation, results, [](const InvokeResponse &) { return std::string(); });
  } else {
    tools_.catalog.commit(storage::Durability::Durable,
                          [&](storage::Transaction &transaction) { deliver(transaction, results.response); });
  }
}

} // namespace waybill::services
