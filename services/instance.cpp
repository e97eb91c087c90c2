// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/instance.hpp"

#include "domain/fault.hpp"
#include "security/instance_key.hpp"
#include "services/algorithms/algorithm_service.hpp"
#include "services/endpoints/http_endpoint.hpp"
#include "services/endpoints/operations.hpp"
#include "services/housekeeping.hpp"
#include "services/spool.hpp"
#include "services/transfer_service.hpp"
#include "storage/catalog.hpp"
#include "storage/home_lock.hpp"
#include "storage/recovery.hpp"
#include "transport/url.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

namespace waybill::services {

namespace {

/// Of each message: small ones are always taken, however many large ones strangers have sent.
constexpr std::uint64_t freeMemory = 1ULL << 20U;

/// The operator's settings with what the home provides filled in.
Config completed(Config config, const std::string &home, const security::InstanceKey &key) {
  if (config.name.empty()) {
    config.name = key.certificate().commonName();
  }
  if (config.server.certificateFile.empty() != config.server.keyFile.empty()) {
    throw Fault(FaultCode::BadParameter,
                "server.certificate and server.key belong together; set both, or neither to use the instance's own");
  }
  if (config.server.certificateFile.empty()) {
    config.server.certificateFile = home + "/instance.crt";
    config.server.keyFile = home + "/instance.key";
  }
  config.limits.memory = std::make_shared<Budget>(config.memoryBytes, freeMemory);
  config.limits.unopened = std::make_shared<Budget>(4 * config.limits.unopenedBytes, 0);
  config.server.probes = {"/healthz", "/metrics"};
  if (config.auditFile.empty()) {
    config.auditFile = home + "/audit.log";
  }
  return config;
}

std::vector<std::string> ownUrls(const Config &config) {
  auto urls = config.otherUrls;
  if (!config.publicUrl.empty()) {
    urls.push_back(config.publicUrl);
  }
  return urls;
}

bool isAt(const std::string &url, const std::string &scheme, const std::string &host, std::uint16_t port) {
  try {
    const auto parts = transport::partsOf(url);
    return parts.scheme == scheme && parts.host == host && parts.port == port;
  } catch (const Fault &) {
    return false; // an address that means nothing to us is nobody's
  }
}

/// True for this instance's own address, as its operator has set it: data may be copied within it.
bool isOwn(const Config &config, const std::string &scheme, const std::string &host, std::uint16_t port) {
  const auto urls = ownUrls(config);
  return (scheme == "https" && host == config.server.host && port == config.server.port) ||
         std::any_of(urls.begin(), urls.end(), [&](const auto &url) { return isAt(url, scheme, host, port); });
}

/// Of the certificate that this instance shows now.
std::string tlsKeyId(const Config &config) {
  std::ifstream file(config.server.certificateFile);
  return security::Certificate::fromPem(std::string(std::istreambuf_iterator<char>(file), {})).instanceId();
}

/// Who answers at an address that the administrator gave with a trusted key.
std::optional<transport::PeerIdentity> trustedEndpoint(const security::Trust &trust, const std::string &scheme,
                                                       const std::string &host, std::uint16_t port) {
  for (const auto &key : trust.keys()) {
    if (!key.url || key.revoked) {
      continue;
    }
    if (isAt(*key.url, scheme, host, port)) {
      return transport::PeerIdentity{key.instance, {}};
    }
  }
  return std::nullopt;
}

} // namespace

Sandbox::Options sandboxOptions(const std::string &home, const Config &config) {
  const auto folder = std::filesystem::absolute(home).string();
  Sandbox::Options options;
  options.home = folder;
  options.readOnly = config.algorithmsReadOnly;
  options.programs = folder + "/algorithms/programs";
  options.minimumFree = config.minimumFreeBytes;
  return options;
}

/// The parts, in the order in which they need each other.
struct Instance::State final : transport::Handler {
  State(const std::string &homeFolder, Config given)
      : home(std::filesystem::absolute(homeFolder)), key(security::InstanceKey::load(home)),
        config(completed(std::move(given), home, key)), lock(home),
        catalog(storage::openSqliteCatalog(home + "/catalog.sqlite", clock)),
        store(storage::openFileStore(home, [this] { return randomId(random); })) {}

  std::string home;
  SystemClock clock;
  security::SystemRandom random;
  security::InstanceKey key;
  Config config;
  storage::HomeLock lock;
  Log log{config.logLevel};
  Audit audit{config.auditFile, [this](const std::string &reason) {
                metrics.auditLost();
                log.error("audit", {{"reason", reason}});
              }};
  Metrics metrics;
  std::unique_ptr<storage::Catalog> catalog;
  std::unique_ptr<storage::ContentStore> store;
  security::Trust trust{*catalog, key.certificate(), clock, [this](const TrustedKey &bad, const std::exception &why) {
                          log.error("trusted key unusable", {{"instance", bad.instance}, {"reason", why.what()}});
                        }};
  security::Ledger ledger{*catalog,
                          clock,
                          {config.tokens.maximumLifetime, config.tokens.clockSkew},
                          [this](const std::string &id, const std::exception &why) {
                            log.error("token not released", {{"token", id}, {"reason", why.what()}});
                          }};
  security::TokenOpener tokens{key, [this](ByteView keyId) { return trust.find(keyId); }, clock, config.tokens};
  soap::Schema schema;
  DataLocator locator{*catalog, ownUrls(config), clock};
  DiskRoom room{*store, config.minimumFreeBytes};
  std::shared_ptr<const transport::EgressPolicy> egress = std::make_shared<transport::EgressPolicy>(
      config.egress, [this](const std::string &scheme, const std::string &host, std::uint16_t port) {
        return isOwn(config, scheme, host, port) ? transport::PeerIdentity{tlsKeyId(config), {}}
                                                 : trustedEndpoint(trust, scheme, host, port);
      });
  RemoteData remote{{egress, config.egressCaFile, schema, config.limits, spoolIn(home, room), random,
                     config.transfers.connections, std::max<std::size_t>(1, config.server.workers / 2)}};
  DataManager manager{*catalog, *store, trust, locator, remote, room, clock, dataLimits(config)};
  Leases leases;
  JobFolders folders{home};
  RunTurns turns{config.runs, clock};
  Transfers transfers{
      {*catalog,
       {manager, leases, schema, config.limits, spoolIn(home, room), random, folders, config.egressCaFile},
       egress,
       clock,
       random,
       log,
       audit,
       metrics,
       turns},
      config.transfers};
  TransferService transferService{*catalog, trust, transfers, clock, random};
  Sandbox sandbox{sandboxOptions(home, config)};
  AlgorithmFolder published{home + "/algorithms", clock,
                            [this](const std::string &problem) {
                              log.warning("algorithm left out", {{"reason", problem}});
                            },
                            [this](const std::string &program) { return sandbox.whyNotRunnable(program); }};
  DataResolver resolver{locator, *store, trust, remote};
  AlgorithmService algorithms{{published,
                               {sandbox, folders, resolver, room, config.objectBytes},
                               turns,
                               manager,
                               *catalog,
                               trust,
                               random,
                               clock,
                               config.inlineBytes,
                               config.queuedJobs}};
  AccessService access{*catalog, trust, key.certificate(), config.name, random};
  Toolbox tools{config,  clock,    random, log, audit, metrics, *catalog, schema, tokens, ledger, spoolIn(home, room),
                *egress, transfers};
  SoapEndpoint dataEndpoint{"data", dataOperations(manager, transferService), tools};
  SoapEndpoint algorithmsEndpoint{"algorithms", algorithmOperations(algorithms, transferService), tools};
  SoapEndpoint accessEndpoint{"access", accessOperations(access), tools};
  HttpEndpoint plain{locator, *store, leases, tools, key.certificate().pem()};
  Housekeeping housekeeping{manager, ledger, transfers, clock, log};
  std::unique_ptr<transport::Server> server;
  std::optional<bool> whole; ///< how draining ended

  void handle(transport::Request &request, transport::Response &response) override {
    if (request.path == "/services/data") {
      dataEndpoint.handle(request, response);
    } else if (request.path == "/services/algorithms") {
      algorithmsEndpoint.handle(request, response);
    } else if (request.path == "/services/access") {
      accessEndpoint.handle(request, response);
    } else if (!plain.handle(request, response)) {
      response.send(404, {{"Content-Type", "text/plain; charset=utf-8"}},
                    "There is nothing here. SOAP services: /services/data, /services/algorithms, /services/access.\n");
    }
  }

  void recover() {
    storage::matchContent(*catalog, *store, [this] { return randomId(random); });
    const auto tokensReleased = ledger.recover();
    const auto recovered =
        storage::recover(*catalog, *store, [this](const auto &row, std::optional<std::uint64_t> found) {
          log.warning("object lost", {{"path", row.path},
                                      {"id", row.id},
                                      {"size", row.size},
                                      {"found", found ? std::to_string(*found) : "no content"}});
        });
    const auto foldersRemoved = folders.recover([this](const std::string &id) {
      const auto row = catalog->transferById(id);
      return row && !isFinal(row->state);
    });
    log.info("recovered", {{"tokens_released", std::uint64_t{tokensReleased}},
                           {"content_removed", std::uint64_t{recovered.contentRemoved}},
                           {"objects_lost", std::uint64_t{recovered.rowsRemoved}},
                           {"job_folders_removed", std::uint64_t{foldersRemoved}}});
  }

  transport::ServerEvents events() {
    return {[this](const std::string &text) {
              log.warning("server", {{"reason", text}});
            },
            [this](const char *outcome) { metrics.refused(outcome); },
            [this](std::int64_t idle, std::int64_t active) { metrics.connections(idle, active); }};
  }
};

Instance::Instance(const std::string &home, Config config) : state_(std::make_unique<State>(home, std::move(config))) {
  state_->recover();
  state_->server = std::make_unique<transport::Server>(state_->config.server, *state_, state_->events());
}

Instance::~Instance() { drain(); }

void Instance::start() {
  // Replies name the port that was really taken.
  state_->config.server.port = state_->server->port();
  state_->housekeeping.start();
  state_->turns.onFree([this] { state_->transfers.wake(); });
  state_->server->start();
  if (!state_->published.all()->empty()) {
    if (const auto why = state_->sandbox.unavailable(); !why.empty()) {
      state_->log.warning("algorithms cannot be run", {{"reason", why}});
    }
  }
  state_->transfers.start(state_->algorithms);
  state_->log.info("serving", {{"instance", id()},
                               {"name", state_->config.name},
                               {"address", state_->config.server.host + ":" + std::to_string(port())}});
}

std::uint16_t Instance::port() const noexcept { return state_->server->port(); }

const std::string &Instance::id() const noexcept { return state_->key.id(); }

bool Instance::drain() {
  if (!state_->whole) {
    state_->log.info("draining");
    state_->transfers.stop();
    // A little before connections are cut, so that callers are told.
    const std::chrono::milliseconds drain = state_->config.server.drainDeadline;
    const auto end = std::chrono::steady_clock::now() + drain -
                     std::min<std::chrono::milliseconds>(drain / 2, std::chrono::seconds(2));
    state_->algorithms.stopAt(end);
    state_->remote.stopAt(end);
    state_->whole = state_->server->drain();
    state_->housekeeping.stop();
    state_->log.info("stopped", {{"requests", *state_->whole ? "all were finished" : "some were cut"}});
  }
  return *state_->whole;
}

void Instance::reload() {
  const auto anew = [this](const char *what, const auto &work) {
    try {
      work();
      state_->log.info("reloaded", {{"what", what}});
    } catch (const Fault &fault) {
      state_->log.error("reload", {{"what", what}, {"reason", fault.what()}});
    }
  };
  anew("audit log", [this] { state_->audit.reopen(); });
  anew("TLS certificate", [this] { state_->server->reloadCertificate(); });
}

} // namespace waybill::services
