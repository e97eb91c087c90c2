// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace waybill::services {

namespace {

using prometheus::Registry;

auto &counter(Registry &registry, const char *name, const char *help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

auto &gauge(Registry &registry, const char *name, const char *help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

} // namespace

struct Metrics::State {
  Registry registry;
  prometheus::Family<prometheus::Counter> &operations =
      counter(registry, "waybill_operations_total", "Operations ended, by name and outcome.");
  prometheus::Family<prometheus::Counter> &bytes =
      counter(registry, "waybill_content_bytes_total", "Bytes of content moved, by direction.");
  prometheus::Counter &bytesIn = bytes.Add({{"direction", "in"}});
  prometheus::Counter &bytesOut = bytes.Add({{"direction", "out"}});
  prometheus::Family<prometheus::Counter> &refusals = counter(
      registry, "waybill_refused_total", "Requests and connections turned away before any operation, by reason.");
  prometheus::Counter &auditFailures =
      counter(registry, "waybill_audit_failures_total", "Lines that could not be written to the audit log.").Add({});
  prometheus::Family<prometheus::Histogram> &seconds = prometheus::BuildHistogram()
                                                           .Name("waybill_operation_seconds")
                                                           .Help("How long operations took.")
                                                           .Register(registry);
  prometheus::Gauge &idle = gauge(registry, "waybill_connections_idle", "Open connections without a request.");
  prometheus::Gauge &active = gauge(registry, "waybill_connections_active", "Connections with a request.");
  prometheus::Gauge &readOnly = gauge(registry, "waybill_store_read_only",
                                      "1 when the store or the catalog takes no changes, after a failed sync.");
  prometheus::Gauge &free = gauge(registry, "waybill_store_free_bytes", "Bytes free where content is kept.");
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::operation(const std::string &name, const std::string &outcome, std::chrono::microseconds took,
                        std::uint64_t bytesIn, std::uint64_t bytesOut) {
  static const prometheus::Histogram::BucketBoundaries bounds{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60, 600};
  state_->operations.Add({{"operation", name}, {"outcome", outcome}}).Increment();
  state_->seconds.Add({{"operation", name}}, bounds).Observe(std::chrono::duration<double>(took).count());
  state_->bytesIn.Increment(static_cast<double>(bytesIn));
  state_->bytesOut.Increment(static_cast<double>(bytesOut));
}

void Metrics::refused(const std::string &reason) { state_->refusals.Add({{"reason", reason}}).Increment(); }

void Metrics::auditLost() { state_->auditFailures.Increment(); }

void Metrics::connections(std::int64_t idle, std::int64_t active) {
  state_->idle.Set(static_cast<double>(idle));
  state_->active.Set(static_cast<double>(active));
}

void Metrics::store(bool readOnly, std::uint64_t freeBytes) {
  state_->readOnly.Set(readOnly ? 1 : 0);
  state_->free.Set(static_cast<double>(freeBytes));
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(state_->registry.Collect()); }

} // namespace waybill::services
