// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/algorithms/sandbox.hpp"
#include "services/config.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace waybill::services {

/// How the instance in `home` runs programs.
[[nodiscard]] Sandbox::Options sandboxOptions(const std::string &home, const Config &config);

/// One running instance: its key, catalog, store, services and server, put together. Used by one thread (its server has
/// its own).
class Instance {
public:
  /// Takes the home's lock, recovers what a crash left, binds the server. `home` needs a key pair (`waybill init`).
  /// `version` etc. come from the build. Throws Fault saying what stands in the way.
  Instance(const std::string &home, Config config);
  ~Instance(); ///< drains and stops
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;

  void start();
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] const std::string &id() const noexcept;
  /// Finishes what runs and accepts nothing more; true when nothing had to be cut.
  bool drain();
  /// After SIGHUP: opens the audit log and the TLS certificate anew. What fails is logged and the old one stays.
  void reload();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::services
