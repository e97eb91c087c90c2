// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "security/instance_key.hpp"
#include "security/token.hpp"
#include "services/endpoints/http_endpoint.hpp"
#include "services/endpoints/operations.hpp"
#include "services/spool.hpp"
#include "soap/version.hpp"
#include "storage/catalog.hpp"
#include "storage/file_store.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// A folder that is gone at the end.
class TemporaryFolder {
public:
  TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "waybill-test-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error("no temporary folder");
    }
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  [[nodiscard]] const std::string &path() const { return path_; }

private:
  std::string path_;
};

/// Keeps what a handler answers.
class RecordedResponse final : public transport::Response {
public:
  void send(int code, const transport::Headers &fields, std::string_view text) override {
    begin(code, fields, text.size());
    write(asBytes(text));
    end();
  }
  void begin(int code, const transport::Headers &fields, std::optional<std::uint64_t> size) override {
    status = code;
    headers = fields;
    length = size;
  }
  void write(ByteView bytes) override {
    body.append(asText(bytes));
    if (closesAfter && body.find(*closesAfter) != std::string::npos) {
      throw Fault(FaultCode::InvalidMessage, "the peer closed the connection before the whole reply was sent");
    }
  }
  void end() override { ended = true; }
  [[nodiscard]] bool started() const noexcept override { return status != 0; }

  int status = 0;
  transport::Headers headers;
  std::optional<std::uint64_t> length;
  std::string body;
  bool ended = false;
  std::optional<std::string> closesAfter; ///< the peer is gone once it has this text
};

/// The time, which tests can let pass.
class PassingClock final : public Clock {
public:
  [[nodiscard]] Time now() const override { return SystemClock().now() + passed_.load(); }
  void advance(std::chrono::microseconds time) { passed_ = passed_.load() + time; }

private:
  std::atomic<std::chrono::microseconds> passed_{std::chrono::microseconds(0)};
};

/// A client's identity.
struct Party {
  explicit Party(const std::string &name)
      : key((security::InstanceKey::generate(folder.path(), name, {"localhost"}, security::KeyType::P256),
             security::InstanceKey::load(folder.path()))) {}
  TemporaryFolder folder;
  security::InstanceKey key;
};

/// The store of a Lab, with a hand on it.
class WatchedStore final : public storage::ContentStore {
public:
  explicit WatchedStore(std::unique_ptr<storage::ContentStore> real) : real_(std::move(real)) {}

  mutable std::function<void()> beforeReading; ///< runs once, before content is opened or held
  std::function<std::uint64_t()> free;         ///< what freeBytes() says instead of the truth

  std::unique_ptr<storage::StagedContent> stage() override { return real_->stage(); }
  void publish(std::span<storage::StagedContent *const> staged) override { real_->publish(staged); }
  [[nodiscard]] std::unique_ptr<storage::ContentReader> open(const std::string &id) const override {
    meddle();
    return real_->open(id);
  }
  [[nodiscard]] std::unique_ptr<storage::HeldContent> hold(const std::string &id) const override {
    meddle();
    return real_->hold(id);
  }
  void remove(const std::string &id) noexcept override { real_->remove(id); }
  std::size_t recover(const std::function<bool(const std::string &, std::uint64_t)> &keep) override {
    return real_->recover(keep);
  }
  [[nodiscard]] bool isEmpty() const override { return real_->isEmpty(); }
  [[nodiscard]] std::optional<std::string> mark() const override { return real_->mark(); }
  void putMark(const std::string &mark) override { real_->putMark(mark); }
  [[nodiscard]] std::uint64_t freeBytes() const override { return free ? free() : real_->freeBytes(); }
  [[nodiscard]] std::string readOnlyReason() const override { return real_->readOnlyReason(); }
  void requireWritable() const override { real_->requireWritable(); }

private:
  void meddle() const {
    const auto now = [this] {
      const std::lock_guard lock(mutex_);
      return std::exchange(beforeReading, {});
    }();
    if (now) {
      now();
    }
  }
  mutable std::mutex mutex_; ///< several calls may read at once
  std::unique_ptr<storage::ContentStore> real_;
};

/// Syncs, until one is told to fail.
class FailingSyncs final : public storage::SyncCalls {
public:
  explicit FailingSyncs(const bool &fail) : fail_(fail) {}
  int sync(int fd) noexcept override { return fail_ ? EIO : real_.sync(fd); }
  int syncFileSystem(int fd) noexcept override { return fail_ ? EIO : real_.syncFileSystem(fd); }

private:
  const bool &fail_;
  storage::SystemSyncCalls real_;
};

/// An instance without its server: real key, catalog, store, services and endpoints.
class Lab {
public:
  explicit Lab(services::Config given = {}) : config(std::move(given)) {
    makeKnown(alice, "alice");
    allow("alice", "read,write,list,delete", "/");
  }

  void allow(const std::string &principal, const std::string &rights, const std::string &prefix) {
    storage::committed(*catalog, [&](storage::Transaction &transaction) {
      return trust.grant(transaction, principal, parseRights(rights), prefix, std::nullopt, randomId(random));
    });
  }
  void makeKnown(const Party &party, const std::string &alias) {
    storage::committed(*catalog, [&](storage::Transaction &transaction) {
      return trust.trust(transaction, party.key.certificate(), alias, std::nullopt);
    });
  }
  void revokeKey(const std::string &alias) {
    storage::committed(
        *catalog, [&](storage::Transaction &transaction) { return security::Trust::revokeKey(transaction, alias); });
  }

  TokenClaims claims(const Party &issuer, std::vector<std::string> operations,
                     std::vector<std::string> resources = {}) {
    TokenClaims made;
    made.id = randomId(random);
    made.issuer = issuer.key.id();
    made.audience = server.key.id();
    made.operations = std::move(operations);
    made.resources = std::move(resources);
    made.notBefore = clock.now();
    made.notAfter = made.notBefore + std::chrono::minutes(5);
    return made;
  }
  std::string token(const Party &issuer, const std::string &operation, std::vector<std::string> resources = {}) {
    return security::sealToken(claims(issuer, {operation}, std::move(resources)), issuer.key, server.key.certificate());
  }

  /// An envelope of SOAP 1.1 with that token and further header blocks around `body` (prefix wb is bound).
  static std::string envelope(const std::string &body, const std::string &tokenText = {},
                              const std::string &headers = {}) {
    return "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:wb='urn:waybill:1' "
           "xmlns:wsa='http://www.w3.org/2005/08/addressing'>"
           "<s:Header>" +
           (tokenText.empty() ? "" : "<wb:Token>" + tokenText + "</wb:Token>") + headers + "</s:Header><s:Body>" +
           body + "</s:Body></s:Envelope>";
  }

  RecordedResponse post(const std::string &service, const std::string &body,
                        const std::string &contentType = "text/xml; charset=utf-8",
                        const std::vector<std::pair<std::string, std::string>> &more = {}) {
    StringSource source(body);
    return post(service, source, contentType, more);
  }
  RecordedResponse post(const std::string &service, Source &body, const std::string &contentType,
                        const std::vector<std::pair<std::string, std::string>> &more = {}) {
    RecordedResponse response;
    answer(service, body, contentType, more, response);
    return response;
  }
  /// What a peer gets that is gone once it has read `last`.
  RecordedResponse postToClosedPeer(const std::string &service, const std::string &body, const std::string &last) {
    StringSource source(body);
    RecordedResponse response;
    response.closesAfter = last;
    try {
      answer(service, source, "text/xml; charset=utf-8", {}, response);
    } catch (const Fault &) {
      return response; // cut, as the server would
    }
    throw std::runtime_error("a cut reply was taken for a good one");
  }

  RecordedResponse get(const std::string &path, const std::vector<std::pair<std::string, std::string>> &more = {},
                       const std::string &method = "GET") {
    auto request = this->request(method, path, more);
    RecordedResponse response;
    if (!plain.handle(request, response)) {
      response.send(404, {}, "");
    }
    return response;
  }

  /// Stores `content` inline as alice.
  RecordedResponse put(const std::string &path, const std::string &base64, const std::string &more = {}) {
    return post("data", envelope("<wb:Receive><wb:Data><wb:Path>" + path + "</wb:Path>" + more + "<wb:Content>" +
                                     base64 + "</wb:Content></wb:Data></wb:Receive>",
                                 token(alice, "Receive")));
  }

  services::Config config;
  PassingClock clock;
  security::SystemRandom random;
  Party server{"lab"};
  Party alice{"alice"};
  TemporaryFolder home;
  services::Log log{"error"};
  services::Audit audit{home.path() + "/audit.log", [this](const std::string &) { metrics.auditLost(); }};
  services::Metrics metrics;
  std::unique_ptr<storage::Catalog> catalog = storage::openSqliteCatalog(home.path() + "/catalog.sqlite", clock);
  bool syncsFail = false; ///< from now on
  std::unique_ptr<WatchedStore> store = std::make_unique<WatchedStore>(std::make_unique<storage::FileStore>(
      home.path(), [this] { return randomId(random); }, std::make_unique<FailingSyncs>(syncsFail)));
  security::Trust trust{*catalog, server.key.certificate(), clock};
  security::Ledger ledger{
      *catalog, clock, {config.tokens.maximumLifetime, config.tokens.clockSkew, std::chrono::milliseconds(200)}};
  security::TokenOpener tokens{server.key, [this](ByteView keyId) { return trust.find(keyId); }, clock, config.tokens};
  soap::Schema schema;
  services::DataLocator locator{*catalog, {}, clock};
  services::DiskRoom room{*store, config.minimumFreeBytes};
  std::shared_ptr<const transport::EgressPolicy> egress = std::make_shared<transport::EgressPolicy>(config.egress);
  services::RemoteData remote{{egress, {}, schema, config.limits, services::spoolIn(home.path(), room), random, 4, 8}};
  services::DataManager manager{*catalog, *store, trust, locator, remote, room, clock, services::dataLimits(config)};
  services::Leases leases;
  services::JobFolders folders{home.path()};
  services::RunTurns turns{config.runs, clock};
  /// Not started: what is to be delivered stays in the catalog, to be looked at.
  services::Transfers transfers{
      {*catalog,
       {manager, leases, schema, config.limits, services::spoolIn(home.path(), room), random, folders, {}},
       egress,
       clock,
       random,
       log,
       audit,
       metrics,
       turns},
      config.transfers};
  services::TransferService transferService{*catalog, trust, transfers, clock, random};
  services::AccessService access{*catalog, trust, server.key.certificate(), "lab", random};
  services::Toolbox tools{config,
                          clock,
                          random,
                          log,
                          audit,
                          metrics,
                          *catalog,
                          schema,
                          tokens,
                          ledger,
                          services::spoolIn(home.path(), room),
                          *egress,
                          transfers};
  services::SoapEndpoint dataEndpoint{"data", services::dataOperations(manager, transferService), tools};
  services::SoapEndpoint accessEndpoint{"access", services::accessOperations(access), tools};
  services::HttpEndpoint plain{locator, *store, leases, tools, server.key.certificate().pem()};

private:
  void answer(const std::string &service, Source &body, const std::string &contentType,
              const std::vector<std::pair<std::string, std::string>> &more, RecordedResponse &response) {
    auto request = Lab::request("POST", "/services/" + service, more);
    request.headers.add("Content-Type", contentType);
    request.body = &body;
    (service == "data" ? dataEndpoint : accessEndpoint).handle(request, response);
  }

  static transport::Request request(const std::string &method, const std::string &path,
                                    const std::vector<std::pair<std::string, std::string>> &more) {
    transport::Request made;
    made.method = method;
    made.path = path;
    made.remote = "127.0.0.1:1";
    made.headers.add("Host", "lab.test:8443");
    for (const auto &[name, value] : more) {
      made.headers.add(name, value);
    }
    return made;
  }
};

} // namespace waybill::test
