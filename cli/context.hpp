// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"
#include "domain/fault.hpp"
#include "security/instance_key.hpp"
#include "security/trust.hpp"
#include "services/remote_instance.hpp"
#include "soap/envelope.hpp"
#include "storage/catalog.hpp"
#include "transport/client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace waybill::cli {

/// Options that every command has.
struct Globals {
  std::string home; ///< as given; see Context::home()
  bool json = false;
  bool quiet = false;
};

/// What commands work with, made when first asked for, so that a command fails only for what it needs. Used by one
/// thread.
class Context {
public:
  explicit Context(Globals globals);
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  [[nodiscard]] const Globals &globals() const noexcept { return globals_; }
  /// --home, else $WAYBILL_HOME, else ~/.waybill. Throws Fault BadParameter when none is known.
  [[nodiscard]] const std::string &home() const noexcept { return home_; }
  [[nodiscard]] const Clock &clock() const noexcept { return clock_; }
  [[nodiscard]] Random &random() noexcept { return random_; }

  // Each throws Fault naming the file when the home lacks it.
  [[nodiscard]] const security::InstanceKey &key();
  [[nodiscard]] storage::Catalog &catalog();
  [[nodiscard]] security::Trust &trust();

  [[nodiscard]] transport::Client &client();
  /// The trusted instance with that alias, id, or URL (or a URL below its own). Throws Fault BadParameter for what is
  /// not trusted or has no URL.
  [[nodiscard]] services::RemoteInstance remote(const std::string &name);
  /// The same, for work that takes the instance up to `longest` (services::RetryPolicy::whileAtWork).
  [[nodiscard]] services::RemoteInstance remote(const std::string &name, std::chrono::milliseconds longest);
  /// The same, for calls that wait until a program has run: the instance may be silent for days, and only a connection
  /// that is gone ends the wait. `waiting` is called once a second meanwhile; it is that of the first call of this.
  [[nodiscard]] services::RemoteInstance remoteForRuns(const std::string &name, const std::function<void()> &waiting);
  /// For one that is not trusted yet. `tls` says how to know it.
  [[nodiscard]] services::RemoteInstance remoteAt(services::RemoteAddress address, services::RetryPolicy retry = {});
  /// Those that are trusted and whose URL is known.
  [[nodiscard]] std::vector<TrustedKey> instances();
  /// The key whose alias, id or URL is `name`. Throws Fault BadParameter.
  [[nodiscard]] TrustedKey trusted(const std::string &name);

private:
  [[nodiscard]] services::RemoteInstance remoteBy(transport::Client &client, services::RemoteAddress address,
                                                  services::RetryPolicy retry);
  [[nodiscard]] services::RemoteAddress addressOf(const std::string &name);

  Globals globals_;
  std::string home_;
  SystemClock clock_;
  security::SystemRandom random_;
  std::unique_ptr<security::InstanceKey> key_;
  std::unique_ptr<storage::Catalog> catalog_;
  std::unique_ptr<security::Trust> trust_;
  std::unique_ptr<transport::Client> client_;
  std::unique_ptr<transport::Client> patientClient_;
  std::unique_ptr<soap::Schema> schema_;
};

/// How the TLS certificate of an instance is known, as `waybill trust` found it and the catalog's settings keep it.
[[nodiscard]] transport::PeerIdentity tlsIdentity(const storage::Catalog &catalog, const std::string &instance);
void keepTlsIdentity(storage::Catalog &catalog, const std::string &instance, const transport::PeerIdentity &tls);

/// Makes the home (mode 0700) where it is not there yet. Throws Fault Internal.
void makeHome(const std::string &home);

} // namespace waybill::cli
