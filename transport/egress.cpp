// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/egress.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "transport/ip_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace waybill::transport {

namespace {

constexpr std::array<std::string_view, 4> knownSchemes{"https", "http", "ftp", "file"};

struct NameRule {
  std::string name; ///< lower case; for "*.domain" with the dot: ".domain"; empty: any
  std::optional<std::uint16_t> port;

  [[nodiscard]] bool isAny() const { return name.empty(); }
  [[nodiscard]] bool covers(const UrlParts &parts) const {
    const bool named =
        name.starts_with('.') ? parts.host.size() > name.size() && parts.host.ends_with(name) : parts.host == name;
    return (named || isAny()) && (!port || *port == parts.port);
  }
};

struct NetworkRule {
  IpNetwork network;
  std::optional<std::uint16_t> port;
};

bool contains(const std::vector<std::string> &list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

[[noreturn]] void wrongEntry(const std::string &key, const std::string &entry, const std::string &why) {
  throw Fault(FaultCode::BadParameter, key + " has the entry '" + printable(entry) + "': " + why, key);
}

/// An entry without its port.
struct Entry {
  std::string host;
  std::optional<std::uint16_t> port;
};

Entry splitPort(const std::string &entry) {
  const bool bracketed = entry.starts_with('[');
  const auto colon = bracketed ? entry.find("]:") : entry.find(':');
  const bool bareV6 = !bracketed && colon != std::string::npos && entry.find(':', colon + 1) != std::string::npos;
  if (colon == std::string::npos || bareV6) {
    return {bracketed && entry.ends_with(']') ? entry.substr(1, entry.size() - 2) : entry, std::nullopt};
  }
  const auto digits = entry.substr(bracketed ? colon + 2 : colon + 1);
  std::uint16_t port = 0;
  const auto [stopped, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || stopped != digits.data() + digits.size() || port == 0) {
    wrongEntry("egress.allow", entry, "what follows the colon is no port (1 to 65535)");
  }
  return {bracketed ? entry.substr(1, colon - 1) : entry.substr(0, colon), port};
}

NameRule nameRule(const std::string &entry, const Entry &split) {
  if (split.host == "*") {
    return {"", split.port};
  }
  const bool wild = split.host.starts_with("*.");
  const auto name = wild ? split.host.substr(2) : split.host;
  if (name.empty() || name.find_first_of("*/@?#[]") != std::string::npos) {
    wrongEntry("egress.allow", entry,
               "write host, host:port, *.domain, *, an address, or a network such as 10.0.0.0/8");
  }
  try {
    // The same way that a URL's host goes, so that both are spelled alike.
    const auto host = partsOf("https://" + name + "/").host;
    return {(wild ? "." : "") + host, split.port};
  } catch (const Fault &fault) {
    wrongEntry("egress.allow", entry, fault.reason());
  }
}

std::string endpoint(const UrlParts &parts) {
  const auto host = parts.host.find(':') == std::string::npos ? parts.host : "[" + parts.host + "]";
  return printable(host, 260) + ":" + std::to_string(parts.port);
}

Fault refusal(const std::string &asked, const std::string &why, const std::string &subject, LogText log = LogText{}) {
  return {FaultCode::AddressNotAllowed,
          "this server may not connect to " + asked + ": " + why,
          subject,
          {},
          std::move(log)};
}

} // namespace

struct EgressPolicy::Compiled {
  std::vector<std::string> schemes;
  std::vector<NameRule> names;
  std::vector<NetworkRule> networks;
  std::vector<std::uint16_t> ports;
  std::vector<std::filesystem::path> folders;
};

EgressPolicy::EgressPolicy(EgressRules rules, TrustedEndpoints trusted) : trusted_(std::move(trusted)) {
  auto compiled = std::make_unique<Compiled>();
  for (const auto &scheme : rules.schemes) {
    if (std::find(knownSchemes.begin(), knownSchemes.end(), scheme) == knownSchemes.end()) {
      wrongEntry("egress.schemes", scheme, "https, http, ftp and file are known");
    }
  }
  for (const auto &entry : rules.allow) {
    const auto split = splitPort(entry);
    if (const auto network = IpNetwork::parse(split.host)) {
      compiled->networks.push_back({*network, split.port});
    } else {
      auto rule = nameRule(entry, split);
      // Another spelling of an address ("127.1") has become an address by now.
      if (const auto address = IpNetwork::parse(rule.name)) {
        compiled->networks.push_back({*address, rule.port});
      } else {
        compiled->names.push_back(std::move(rule));
      }
    }
  }
  for (const auto &folder : rules.folders) {
    const std::filesystem::path path(folder);
    if (!path.is_absolute()) {
      wrongEntry("egress.folders", folder, "write the whole path, from the root");
    }
    auto normal = path.lexically_normal();
    compiled->folders.push_back(normal.has_filename() || normal == "/" ? normal : normal.parent_path());
  }
  compiled->schemes = std::move(rules.schemes);
  compiled->ports = std::move(rules.ports);
  compiled_ = std::move(compiled);
}

EgressPolicy::~EgressPolicy() = default;

const std::vector<std::filesystem::path> &EgressPolicy::folders() const noexcept { return compiled_->folders; }

bool EgressPolicy::allowsName(const UrlParts &parts) const {
  const auto &ports = compiled_->ports;
  return std::any_of(compiled_->names.begin(), compiled_->names.end(), [&](const NameRule &rule) {
    return rule.covers(parts) &&
           (!rule.isAny() || rule.port || std::find(ports.begin(), ports.end(), parts.port) != ports.end());
  });
}

bool EgressPolicy::namesAddress(const IpAddress &address, std::uint16_t port) const {
  return std::any_of(compiled_->networks.begin(), compiled_->networks.end(), [&](const NetworkRule &rule) {
    return rule.network.contains(address) && (!rule.port || *rule.port == port);
  });
}

void EgressPolicy::checkFile(const std::string &url) const {
  const std::filesystem::path path(decodedPath(url));
  const auto &folders = compiled_->folders;
  const auto holds = [&](const std::filesystem::path &folder) {
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
  };
  const bool climbs = std::find(path.begin(), path.end(), "..") != path.end();
  if (climbs || std::none_of(folders.begin(), folders.end(), holds)) {
    throw refusal("'" + printableUrl(url) + "'",
                  climbs ? "a path with '..' is not taken; write it without"
                         : "it is in no folder that is open for file URLs; the operator can add one to egress.folders",
                  printableUrl(url));
  }
}

EgressPolicy::Admission EgressPolicy::check(const std::string &url) const {
  Admission admission{partsOf(url), std::nullopt};
  const auto &parts = admission.parts;
  if (parts.scheme == "https" && trusted_) {
    admission.trusted = trusted_(parts.scheme, parts.host, parts.port);
    if (admission.trusted) {
      return admission;
    }
  }
  const auto shown = printableUrl(url);
  if (!contains(compiled_->schemes, parts.scheme)) {
    throw refusal("'" + shown + "'",
                  "the scheme " + printable(parts.scheme, 20) +
                      " is not allowed; use https, or the operator can add it to egress.schemes",
                  shown);
  }
  if (parts.scheme == "file") {
    checkFile(url);
    return admission;
  }
  const auto literal = IpAddress::parse(parts.host);
  if (literal && namesAddress(*literal, parts.port)) {
    return admission;
  }
  if (literal && literal->specialKind()) {
    throw refusal(endpoint(parts),
                  "it is a " + std::string(*literal->specialKind()) +
                      " address; the operator can add it to egress.allow, or trust the instance there with its URL",
                  shown);
  }
  if (!allowsName(parts)) {
    throw refusal(
        endpoint(parts),
        "no trusted instance was given that URL, and nothing in egress.allow (with egress.ports) covers it; the "
        "operator can add '" +
            endpoint(parts) + "' to egress.allow, or trust the instance there with its URL",
        shown);
  }
  return admission;
}

void EgressPolicy::checkAddress(const Admission &admission, const std::string &address) const {
  if (admission.trusted) {
    return;
  }
  const auto &parts = admission.parts;
  const auto parsed = IpAddress::parse(address);
  if (parsed && (namesAddress(*parsed, parts.port) || !parsed->specialKind())) {
    return;
  }
  const std::string kind(parsed ? *parsed->specialKind() : "unreadable or scoped");
  throw refusal(endpoint(parts),
                "it leads to a " + kind +
                    " address; the operator can add that address or its network to egress.allow, or trust the instance "
                    "there with its URL",
                endpoint(parts), LogText(endpoint(parts) + " is at " + printable(address, 80)));
}

} // namespace waybill::transport
