// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/context.hpp"

#include "cli/remote_name.hpp"
#include "cli/signals.hpp"
#include "domain/text.hpp"
#include "storage/content_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace waybill::cli {

namespace {

/// Receipts of large uploads come after the peer has synced its disk.
constexpr std::chrono::seconds patience{300};
/// A program may run for a week, and wait for its turn before.
constexpr std::chrono::hours longestRun{24 * 14};

std::string homeFrom(const std::string &given) {
  if (!given.empty()) {
    return given;
  }
  if (const char *set = std::getenv("WAYBILL_HOME"); set != nullptr && *set != '\0') {
    return set;
  }
  if (const char *user = std::getenv("HOME"); user != nullptr && *user != '\0') {
    return std::string(user) + "/.waybill";
  }
  throw Fault(FaultCode::BadParameter,
              "there is no home folder: neither --home, $WAYBILL_HOME nor $HOME is set; give --home DIR");
}

soap::Spool spoolIn(const std::string &home) {
  struct Spooled final : soap::SpoolFile {
    explicit Spooled(std::unique_ptr<storage::SpooledFile> spooled) : file(std::move(spooled)) {}
    void write(ByteView bytes) override { file->write(bytes); }
    std::unique_ptr<Source> reopen() override { return file->reopen(); }
    std::unique_ptr<storage::SpooledFile> file;
  };
  return [home] { return std::make_unique<Spooled>(storage::spoolFile(home)); };
}

std::unique_ptr<transport::Client> makeClient(
    std::chrono::seconds mostSilence, const std::function<void()> &waiting = [] {}) {
  transport::ClientOptions options;
  options.stallDeadline = mostSilence;
  options.whileWaiting = [waiting] {
    throwIfInterrupted();
    waiting();
  };
  return std::make_unique<transport::Client>(options);
}

std::string settingOf(const std::string &instance) { return "tls." + instance; }

} // namespace

transport::PeerIdentity tlsIdentity(const storage::Catalog &catalog, const std::string &instance) {
  static constexpr std::string_view file = "ca:";
  const auto setting = catalog.setting(settingOf(instance)).value_or("");
  if (setting.empty()) {
    return {instance, {}};
  }
  return {{}, setting.starts_with(file) ? setting.substr(file.size()) : std::string()};
}

void keepTlsIdentity(storage::Catalog &catalog, const std::string &instance, const transport::PeerIdentity &tls) {
  const auto value = tls.pinnedKey == instance ? std::string() : "ca:" + tls.caFile;
  if (catalog.setting(settingOf(instance)).value_or("") != value) {
    catalog.commit(storage::Durability::Durable,
                   [&](storage::Transaction &transaction) { transaction.putSetting(settingOf(instance), value); });
  }
}

void makeHome(const std::string &home) {
  std::error_code failed;
  if (std::filesystem::is_directory(home, failed)) {
    return;
  }
  std::filesystem::create_directories(home, failed);
  if (!failed) {
    std::filesystem::permissions(home, std::filesystem::perms::owner_all, failed);
  }
  if (failed) {
    throw Fault(FaultCode::Internal,
                "the home folder cannot be made: " + failed.message() + "; give another with --home DIR", home);
  }
}

Context::Context(Globals globals) : globals_(std::move(globals)), home_(homeFrom(globals_.home)) {}
Context::~Context() = default;

const security::InstanceKey &Context::key() {
  if (!key_) {
    key_ = std::make_unique<security::InstanceKey>(security::InstanceKey::load(home_));
  }
  return *key_;
}

storage::Catalog &Context::catalog() {
  if (!catalog_) {
    static_cast<void>(key()); // without a key there is no instance, and nothing is made in a folder that is none
    catalog_ = storage::openSqliteCatalog(home_ + "/catalog.sqlite", clock_);
  }
  return *catalog_;
}

security::Trust &Context::trust() {
  if (!trust_) {
    trust_ = std::make_unique<security::Trust>(catalog(), key().certificate(), clock_);
  }
  return *trust_;
}

transport::Client &Context::client() {
  if (!client_) {
    client_ = makeClient(patience);
  }
  return *client_;
}

TrustedKey Context::trusted(const std::string &name) {
  auto keys = trust().keys();
  keys.erase(std::remove_if(keys.begin(), keys.end(), [](const TrustedKey &known) { return known.revoked; }),
             keys.end());
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const TrustedKey &known) {
    return known.alias == name || known.instance == name || (known.url && isBelow(name, *known.url));
  });
  if (found == keys.end()) {
    const bool url = name.starts_with("https://");
    throw Fault(FaultCode::BadParameter,
                "there is no trusted instance '" + printable(name, 100) + "'; make it known with: waybill trust " +
                    (url ? printable(name, 100) : "https://HOST:PORT --as " + printable(name, 100)));
  }
  return *found;
}

services::RemoteInstance Context::remote(const std::string &name) {
  return remote(name, services::RetryPolicy().whileAtWork);
}

services::RemoteInstance Context::remote(const std::string &name, std::chrono::milliseconds longest) {
  services::RetryPolicy retry;
  retry.whileAtWork = longest;
  return remoteAt(addressOf(name), std::move(retry));
}

services::RemoteInstance Context::remoteForRuns(const std::string &name, const std::function<void()> &waiting) {
  if (!patientClient_) {
    patientClient_ = makeClient(longestRun, waiting);
  }
  services::RetryPolicy retry;
  retry.whileAtWork = longestRun;
  return remoteBy(*patientClient_, addressOf(name), std::move(retry));
}

services::RemoteAddress Context::addressOf(const std::string &name) {
  const auto known = trusted(name);
  if (!known.url) {
    throw Fault(FaultCode::BadParameter,
                "the URL of '" + printable(name, 100) +
                    "' is not known, only its key; give it with: waybill trust https://HOST:PORT --as " +
                    printable(name, 100));
  }
  return {*known.url, security::Certificate::fromPem(known.certificatePem), tlsIdentity(catalog(), known.instance)};
}

services::RemoteInstance Context::remoteAt(services::RemoteAddress address, services::RetryPolicy retry) {
  return remoteBy(client(), std::move(address), std::move(retry));
}

services::RemoteInstance Context::remoteBy(transport::Client &client, services::RemoteAddress address,
                                           services::RetryPolicy retry) {
  if (!schema_) {
    schema_ = std::make_unique<soap::Schema>();
  }
  retry.pause = [](std::chrono::milliseconds time) { sleepUnlessInterrupted(time); };
  return {std::move(address), key(), *schema_, client, random_, clock_, spoolIn(home_), std::move(retry)};
}

std::vector<TrustedKey> Context::instances() {
  auto keys = trust().keys();
  std::erase_if(keys, [](const TrustedKey &known) { return known.revoked || !known.url; });
  return keys;
}

} // namespace waybill::cli
