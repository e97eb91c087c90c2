// SPDX-License-Identifier: GPL-3.0-or-later
// The daemon: reads its settings, serves one instance, stops cleanly on SIGTERM or SIGINT.
#include "domain/fault.hpp"
#include "services/config.hpp"
#include "services/instance.hpp"
#include "services/version.hpp"

#include <CLI/CLI.hpp>

#include <malloc.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <iostream>

namespace {

using namespace waybill;

struct Options {
  std::string home;
  std::string listen;
  std::string config;
  bool checkConfig = false;
  bool printConfig = false;
};

services::Config settings(const Options &options) {
  if (!std::filesystem::is_directory(options.home)) {
    throw Fault(FaultCode::BadParameter, "there is no folder '" + options.home +
                                             "'; make an instance with 'waybill --home " + options.home + " init'");
  }
  auto config = options.config.empty() ? services::configOf(options.home) : services::loadConfig(options.config);
  if (!options.listen.empty()) {
    try {
      services::parseListen(options.listen, config.server);
    } catch (const Fault &fault) {
      throw CLI::ValidationError("--listen", fault.reason());
    }
  }
  return config;
}

/// Idle connections and batches of attachments need descriptors; the usual soft limit of 1,024 is for programs that use
/// select().
void raiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/// What large messages took goes back to the system when they are done: the block of a large envelope is its own
/// mapping, and threads share few arenas, each of which keeps what it once had.
void keepLittleMemory() {
  mallopt(M_ARENA_MAX, 4);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

/// Signals are taken by sigwait in one thread; all others, started later, inherit the mask.
sigset_t blockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  return signals;
}

int serve(const Options &options) {
  const auto config = settings(options);
  if (options.checkConfig) {
    std::cout << "the configuration is good\n";
    return 0;
  }
  const auto signals = blockSignals();
  raiseDescriptorLimit();
  keepLittleMemory();
  services::Instance instance(options.home, config);
  instance.start();
  std::cout << "waybilld " << services::versionText << " serves " << instance.id() << " on " << config.server.host
            << ":" << instance.port() << std::endl;
  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) {
      break;
    }
    instance.reload();
  }
  return instance.drain() ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app("waybilld serves one Waybill instance: its data by SOAP, over HTTPS.", "waybilld");
  app.footer("Example:\n  waybill --home /var/lib/waybill init --name lab\n  waybilld --home /var/lib/waybill --listen "
             "0.0.0.0:8443\n\n"
             "SIGTERM finishes what runs and stops; SIGHUP opens the audit log and the TLS certificate anew.\n"
             "Exit codes: 0 stopped cleanly, 1 failed or had to cut requests, 2 wrong usage.");
  app.add_option("--home", options.home, "the instance's folder: key, catalog, content")->envname("WAYBILL_HOME");
  app.add_option("--listen", options.listen, "HOST:PORT; wins over server.listen");
  app.add_option("--config", options.config, "configuration file; HOME/waybill.toml where it exists");
  app.add_flag("--check-config", options.checkConfig, "read the configuration, say whether it is good, and stop");
  app.add_flag("--print-config", options.printConfig, "print every key with its default and meaning, and stop");
  app.set_version_flag("--version", waybill::services::versionText);
  try {
    app.parse(argc, argv);
    if (options.printConfig) {
      std::cout << services::configTemplate();
      return 0;
    }
    if (options.home.empty()) {
      throw CLI::RequiredError("--home");
    }
    return serve(options);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception &error) {
    std::cerr << "waybilld: " << error.what() << '\n';
    return 1;
  }
}
