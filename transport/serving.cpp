// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/serving.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

namespace waybill::transport {

namespace {

/// How long a worker waits for the rest of a request that was answered early.
constexpr std::chrono::seconds finishTime{2};

} // namespace

Serving::Serving(const ServerOptions &options, Handler &handler, const ServerEvents &events,
                 const std::atomic<bool> &draining)
    : handler_(handler), events_(events), draining_(draining), patience_{options.stallDeadline, options.minimumRate,
                                                                         options.rateGrace, options.envelopeDeadline},
      drainBytes_(options.drainBytes) {}

Afterwards Serving::run(Connection &connection, Head &head, HeadReader &reader,
                        const std::function<void()> &known) const noexcept {
  try {
    return serve(connection, head, reader, known);
  } catch (const std::exception &error) {
    events_.log("serving " + connection.remote + ": " + error.what());
  }
  return Afterwards::Cut;
}

Afterwards Serving::serve(Connection &connection, Head &head, HeadReader &reader,
                          const std::function<void()> &known) const {
  RequestBody body(connection, reader, head, patience_);
  head.request.body = &body;
  head.request.remote = connection.remote;
  head.request.callerHasGone = [&connection] { return hasHungUp(connection); };
  head.request.callerIsKnown = [&] {
    body.callerIsKnown();
    known();
  };
  const auto keepAlive = [&] { return head.keepAlive && !draining_ && body.mayBeFinished(drainBytes_); };
  ResponseWriter response(connection, body, {head.request.method == "HEAD", head.request.http10, keepAlive}, patience_);
  const auto problem = callHandler(head.request, response);
  if (connection.tooSlow) {
    events_.refused("timeout");
  }
  if (!problem.empty()) {
    events_.log(head.request.method + " " + printable(head.request.path) + " from " + connection.remote + ": " +
                problem);
    if (response.started()) {
      return response.ended() ? Afterwards::Linger : Afterwards::Cut;
    }
    answerFailure(connection, body, response);
  }
  const auto keep = response.keepsAlive() && body.finish(drainBytes_, finishTime) && !draining_;
  return keep ? Afterwards::Keep : Afterwards::Linger;
}

std::string Serving::callHandler(Request &request, ResponseWriter &response) const {
  try {
    handler_.handle(request, response);
  } catch (const std::exception &error) {
    return error.what();
  } catch (...) {
    return "the handler threw something that is no exception";
  }
  if (!response.ended()) {
    return response.started() ? "the handler left its reply unfinished" : "the handler gave no reply";
  }
  return {};
}

void Serving::answerFailure(const Connection &connection, const RequestBody &body, ResponseWriter &response) const {
  const Headers plainText{{"Content-Type", "text/plain; charset=utf-8"}};
  response.closeAfterwards();
  if (connection.tooSlow) {
    response.send(408, plainText, "The request came too slowly.\n");
  } else if (body.hasFailed()) {
    response.send(400, plainText, "The request's body was cut or malformed.\n");
  } else {
    response.send(500, plainText, "This instance failed while it worked on the request.\n");
  }
}

} // namespace waybill::transport
