// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/local_file.hpp"
#include "cli/output.hpp"
#include "cli/remote_name.hpp"
#include "cli/signals.hpp"
#include "domain/text.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <iostream>
#include <memory>

namespace waybill::cli {

namespace {

constexpr std::uint64_t certificateLimit = 1ULL << 20U;

struct TrustOptions {
  std::string subject;
  std::string alias;
  std::string fingerprint;
  std::string url;
  std::string caFile;
  bool yes = false;
};

/// Whose key it is, where it serves, and how its TLS is known.
struct Candidate {
  security::Certificate certificate;
  std::optional<std::string> url;
  transport::PeerIdentity tls;
};

std::optional<security::Certificate> tlsCertificate(Context &context, const std::string &origin) {
  const auto pem = context.client().certificateOf(origin + "/");
  try {
    return security::Certificate::fromPem(pem);
  } catch (const Fault &) {
    return std::nullopt; // a key of a kind that no instance has: the operator's own certificate, which a CA vouches for
  }
}

security::Certificate instanceCertificate(Context &context, const std::string &origin, const security::Certificate &any,
                                          const transport::PeerIdentity &tls) {
  auto remote = context.remoteAt({origin, any, tls});
  return security::Certificate::fromPem(remote.fetch("/instance", certificateLimit));
}

/// Asks the server itself. Its TLS key is its instance's key, or else a certificate authority has to vouch for the TLS
/// certificate.
Candidate fromServer(const std::string &url, const TrustOptions &options, Context &context) {
  const auto origin = originOf(url);
  const auto shown = tlsCertificate(context, origin);
  if (shown && options.caFile.empty()) {
    const transport::PeerIdentity pinned{shown->instanceId(), {}};
    auto instance = instanceCertificate(context, origin, *shown, pinned);
    if (instance.instanceId() == shown->instanceId()) {
      return {std::move(instance), origin, pinned};
    }
  }
  const transport::PeerIdentity vouched{{}, options.caFile};
  auto instance = instanceCertificate(context, origin, context.key().certificate(), vouched);
  return {std::move(instance), origin, vouched};
}

Candidate fromFile(const std::string &file, const TrustOptions &options) {
  std::string pem;
  try {
    pem = readWholeFile(file, certificateLimit);
  } catch (const Fault &fault) {
    throw Fault(fault.code(),
                fault.reason() + "; give a certificate in PEM, or the URL of an instance: https://HOST:PORT");
  }
  auto certificate = security::Certificate::fromPem(pem);
  const auto id = certificate.instanceId();
  return {std::move(certificate),
          options.url.empty() ? std::nullopt : std::optional(originOf(options.url)),
          {options.caFile.empty() ? id : "", options.caFile}};
}

std::string bareHex(const std::string &fingerprint) {
  std::string hex;
  for (const char c : lowerCase(fingerprint)) {
    if (c != ' ' && c != ':') {
      hex += c;
    }
  }
  return hex;
}

void show(const Candidate &candidate) {
  std::cerr << "name         " << forTerminal(candidate.certificate.commonName()) << "\nfingerprint  "
            << security::fingerprintForPeople(candidate.certificate.instanceId()) << '\n';
}

/// True when the user, or the fingerprint that the user gave, says that it is the right one.
void confirm(const Candidate &candidate, bool fromNetwork, const TrustOptions &options) {
  const auto &id = candidate.certificate.instanceId();
  if (!options.fingerprint.empty()) {
    if (bareHex(options.fingerprint) != id) {
      throw Fault(FaultCode::UntrustedKey, "'" + options.subject + "' shows the key " + id +
                                               ", not the one expected; ask its operator for the fingerprint ('waybill "
                                               "identity' there), and trust nothing until they agree");
    }
    return;
  }
  if (options.yes || !fromNetwork) {
    return;
  }
  if (isatty(STDIN_FILENO) != 1) {
    throw Fault(FaultCode::UntrustedKey, "'" + options.subject + "' shows the key " + id +
                                             ", and there is nobody to ask whether it is the right one; compare it "
                                             "with what 'waybill identity' says there, then give --fingerprint " +
                                             id);
  }
  show(candidate);
  std::cerr << "Is this what 'waybill identity' says there? Trust it [y/N]? " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  throwIfInterrupted();
  if (answer != "y" && answer != "Y" && answer != "yes") {
    throw Fault(FaultCode::UntrustedKey, "'" + options.subject + "' is not trusted, as you said");
  }
}

void report(const security::TrustChange &change, const security::Certificate &certificate, const Context &context) {
  const auto &key = change.key;
  if (change.wasRevoked) {
    note("this key was revoked, is trusted again, and may again what it might (waybill grants)");
  }
  if (change.formerAlias) {
    note("renamed from '" + *change.formerAlias + "'");
  }
  if (context.globals().json) {
    printJson(toJson(key));
  } else {
    printText("trusted      " + key.alias.value_or(forTerminal(certificate.commonName())) + "\nfingerprint  " +
              security::fingerprintForPeople(key.instance) + "\n" + (key.url ? "url          " + *key.url + "\n" : ""));
  }
}

int runTrust(const TrustOptions &options, Context &context) {
  const bool fromNetwork = options.subject.starts_with("https://");
  static_cast<void>(context.key()); // a missing home is told before anything is asked
  const auto candidate =
      fromNetwork ? fromServer(options.subject, options, context) : fromFile(options.subject, options);
  confirm(candidate, fromNetwork, options);
  const auto alias = options.alias.empty() ? std::nullopt : std::optional(options.alias);
  const auto change = storage::committed(context.catalog(), [&](storage::Transaction &transaction) {
    return context.trust().trust(transaction, candidate.certificate, alias, candidate.url);
  });
  if (candidate.url || !options.caFile.empty()) {
    keepTlsIdentity(context.catalog(), change.key.instance, candidate.tls);
  }
  report(change, candidate.certificate, context);
  return 0;
}

} // namespace

void addTrust(CLI::App &app, Work &work) {
  auto options = std::make_shared<TrustOptions>();
  auto *command = app.add_subcommand("trust", "trust the key of an instance or of a client");
  command
      ->add_option("URL-or-PEM", options->subject,
                   "https://HOST:PORT of an instance, or a file with a certificate in PEM")
      ->option_text("URL-or-PEM")
      ->required();
  command->add_option("--as", options->alias, "short name for it, for grants and for ALIAS:/path")
      ->option_text("ALIAS");
  command
      ->add_option("--fingerprint", options->fingerprint,
                   "trust it only if its key is this one (64 hex digits); asks nothing")
      ->option_text("HEX");
  command->add_option("--url", options->url, "where the instance of a PEM file serves")->option_text("URL");
  command
      ->add_option(
          "--ca-file", options->caFile,
          "authorities (PEM) for an instance whose TLS certificate is not its own key; the system's when left out")
      ->option_text("FILE");
  command->add_flag("-y,--yes", options->yes, "trust whatever is there; only where nobody can be in between");
  command->footer("The key is pinned: no certificate authority is needed, and another key at the same place is refused "
                  "from then on.\n\n"
                  "Example:\n  waybill trust https://lab.example.org:8443 --as lab\n  waybill --home /var/lib/waybill "
                  "trust alice.pem --as alice");
  command->callback([options, &work] { work = [options](Context &context) { return runTrust(*options, context); }; });
}

} // namespace waybill::cli
