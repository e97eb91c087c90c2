// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/config.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "services/toml_text.hpp"
#include "transport/egress.hpp"
#include "transport/ip_address.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

namespace waybill::services {

namespace {

constexpr std::uint64_t mostBytes = 1ULL << 20U; ///< of the file

/// What is wrong with a value, without its place.
struct BadValue {
  std::string what;
};

struct Key {
  const char *table;
  const char *name;
  const char *example; ///< the default, as TOML
  const char *help;
  std::function<void(Config &, const toml::node &)> set;
};

std::int64_t integer(const toml::node &node, std::int64_t low, std::int64_t high) {
  const auto *value = node.as_integer();
  if (value == nullptr || value->get() < low || value->get() > high) {
    throw BadValue{"needs a whole number from " + std::to_string(low) + " to " + std::to_string(high)};
  }
  return value->get();
}

std::string text(const toml::node &node) {
  const auto *value = node.as_string();
  if (value == nullptr) {
    throw BadValue{"needs a text in quotes"};
  }
  return value->get();
}

/// Host, and a port where one is given (RFC 3986 section 3.2), in characters that need no escaping anywhere.
bool isAuthority(std::string_view authority) {
  const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const auto colon = bracket == std::string_view::npos ? bracket : authority.find(':', bracket);
  const auto host = authority.substr(0, colon);
  const auto allowed = host.starts_with('[') ? "[]:.0123456789abcdefABCDEF"
                                             : "-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (bracket == std::string_view::npos || host.empty() || host.find_first_not_of(allowed) != std::string_view::npos) {
    return false;
  }
  if (colon == std::string_view::npos) {
    return true;
  }
  const auto digits = authority.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= 65'535;
}

/// What ids of data and the WSDL begin with.
std::string httpsUrl(const toml::node &node) {
  static constexpr std::string_view scheme = "https://";
  auto url = text(node);
  if (url.empty()) {
    return url;
  }
  const auto path = url.find('/', scheme.size());
  if (!url.starts_with(scheme) || !isAuthority(std::string_view(url).substr(0, path).substr(scheme.size())) ||
      url.find_first_of(" \t\"'<>?#\\") != std::string::npos || hasControlCharacters(url)) {
    throw BadValue{"needs a URL such as https://lab.example.org:8443, not '" + printable(url, 100) + "'"};
  }
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

std::vector<std::string> texts(const toml::node &node) {
  const auto *values = node.as_array();
  if (values == nullptr) {
    throw BadValue{"needs a list of strings"};
  }
  std::vector<std::string> all;
  for (const auto &value : *values) {
    all.push_back(text(value));
  }
  return all;
}

std::vector<std::uint16_t> ports(const toml::node &node) {
  const auto *values = node.as_array();
  if (values == nullptr) {
    throw BadValue{"needs a list of port numbers"};
  }
  std::vector<std::uint16_t> all;
  for (const auto &value : *values) {
    all.push_back(static_cast<std::uint16_t>(integer(value, 1, 65'535)));
  }
  return all;
}

std::vector<std::string> httpsUrls(const toml::node &node) {
  const auto *values = node.as_array();
  if (values == nullptr) {
    throw BadValue{"needs a list of URLs"};
  }
  std::vector<std::string> urls;
  for (const auto &value : *values) {
    urls.push_back(httpsUrl(value));
  }
  return urls;
}

template <class T> T choice(const toml::node &node, std::initializer_list<std::pair<const char *, T>> choices) {
  std::string names;
  const auto *value = node.as_string();
  for (const auto &[name, meaning] : choices) {
    if (value != nullptr && value->get() == name) {
      return meaning;
    }
    names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  throw BadValue{"needs one of " + names};
}

/// Where a number of type T lives in a Config.
template <class T> using Place = std::function<T &(Config &)>;

template <class T> auto number(const Place<T> &place, std::int64_t low, std::int64_t high) {
  return [=](Config &config, const toml::node &node) { place(config) = static_cast<T>(integer(node, low, high)); };
}

auto seconds(const Place<std::chrono::seconds> &place, std::int64_t low, std::int64_t high) {
  return
      [=](Config &config, const toml::node &node) { place(config) = std::chrono::seconds(integer(node, low, high)); };
}

std::string readableFile(const toml::node &node) {
  auto name = text(node);
  if (!name.empty() && !(std::filesystem::is_regular_file(name) && std::ifstream(name).good())) {
    throw BadValue{"names a file that cannot be read: '" + printable(name, 300) + "'"};
  }
  return name;
}

std::string fileInAFolder(const toml::node &node) {
  auto name = text(node);
  if (!name.empty() && !std::filesystem::is_directory(std::filesystem::absolute(name).parent_path())) {
    throw BadValue{"names a file in a folder that is not there: '" + printable(name, 300) + "'"};
  }
  return name;
}

/// Sets a list of [egress]. Throws Fault naming the entry with which the egress guard cannot work.
auto egressList(std::vector<std::string> transport::EgressRules::*list) {
  return [list](Config &config, const toml::node &node) {
    config.egress.*list = texts(node);
    (void)transport::EgressPolicy(config.egress);
  };
}

void setEgressFolders(Config &config, const toml::node &node) {
  const auto set = egressList(&transport::EgressRules::folders);
  set(config, node);
  for (const auto &folder : config.egress.folders) {
    if (!std::filesystem::is_directory(folder)) {
      throw BadValue{"names a folder that is not there: '" + printable(folder, 300) + "'"};
    }
  }
}

void setReadOnly(Config &config, const toml::node &node) {
  config.algorithmsReadOnly = texts(node);
  for (const auto &path : config.algorithmsReadOnly) {
    std::error_code unknown; // what cannot be looked at cannot be shown to a program either
    if (!path.starts_with('/') || !std::filesystem::exists(path, unknown)) {
      throw BadValue{"names what is not there, or not from / on: '" + printable(path, 300) + "'"};
    }
  }
}

/// What is written like an address has to be one; a name is looked up when the daemon starts.
bool isHost(const std::string &host) {
  const auto last = host.substr(host.rfind('.') + 1);
  const auto isAddress =
      host.find(':') != std::string::npos || last.find_first_not_of("0123456789") == std::string::npos;
  return isAddress ? transport::IpAddress::parse(host.substr(0, host.find('%'))).has_value() : isAuthority(host);
}

void setListen(Config &config, const toml::node &node) { parseListen(text(node), config.server); }

constexpr std::int64_t gib = 1LL << 30;
constexpr std::int64_t day = 86'400;
constexpr auto anyBytes = std::numeric_limits<std::int64_t>::max();

const std::vector<Key> &keys() {
  static const std::vector<Key> all{
      {"instance", "name", "\"\"", "How the instance calls itself; empty: the common name of its certificate.",
       [](Config &c, const toml::node &n) { c.name = text(n); }},
      {"instance", "public_url", "\"\"",
       "The https://host:port that goes into data ids and the WSDL; empty: the one each client asked on.",
       [](Config &c, const toml::node &n) { c.publicUrl = httpsUrl(n); }},
      {"instance", "other_urls", "[]",
       "Further https://host:port prefixes under which this instance is known; ids that begin with them are its own.",
       [](Config &c, const toml::node &n) { c.otherUrls = httpsUrls(n); }},
      {"server", "listen", "\"127.0.0.1:8443\"",
       "HOST:PORT to listen on; port 0 takes a free one. --listen on the command line wins.", setListen},
      {"server", "certificate", "\"\"", "TLS certificate chain (PEM); empty: the instance's own instance.crt.",
       [](Config &c, const toml::node &n) { c.server.certificateFile = readableFile(n); }},
      {"server", "key", "\"\"", "Private key of that certificate (PEM); empty: the instance's own instance.key.",
       [](Config &c, const toml::node &n) { c.server.keyFile = readableFile(n); }},
      {"server", "workers", "16", "Requests served at the same time; each has a thread.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.server.workers; }, 1, 1024)},
      {"server", "queue", "64", "Requests that may wait for a worker; past that a client is told 503 with Retry-After.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.server.queue; }, 0, 100'000)},
      {"server", "connections", "20000", "Open connections, idle ones included.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.server.connections; }, 1, 1'000'000)},
      {"server", "head_bytes", "65536", "Most bytes of a request line with its header fields.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.server.headBytes; }, 1024, 1 << 20)},
      {"server", "head_deadline", "15", "Seconds for the TLS handshake and the request head.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.server.headDeadline; }, 1, 600)},
      {"server", "idle_deadline", "300", "Seconds that a kept connection may stay without a request.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.server.idleDeadline; }, 1, day)},
      {"server", "stall_deadline", "30", "Seconds that one read or write may make no progress.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.server.stallDeadline; }, 1, 3600)},
      {"server", "minimum_rate", "1024", "Bytes a second that a body must reach on average, after rate_grace.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.server.minimumRate; }, 0, gib)},
      {"server", "rate_grace", "20", "Seconds before minimum_rate is asked for.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.server.rateGrace; }, 1, 3600)},
      {"server", "envelope_deadline", "30",
       "Seconds for all that a request sends before its token has been opened: its envelope, and attachments that come "
       "before it.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.server.envelopeDeadline; }, 1, 3600)},
      {"server", "drain_deadline", "30", "Seconds that SIGTERM leaves to running requests.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.server.drainDeadline; }, 0, day)},
      {"server", "metrics", "\"loopback\"", "Who may read /metrics: \"off\", \"loopback\" or \"all\".",
       [](Config &c, const toml::node &n) {
         c.metrics = choice<MetricsAudience>(
             n,
             {{"off", MetricsAudience::Off}, {"loopback", MetricsAudience::Loopback}, {"all", MetricsAudience::All}});
       }},
      {"limits", "envelope_bytes", "16777216", "Most bytes of a SOAP envelope, inline base64 included.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.limits.envelopeBytes; }, 4096, gib)},
      {"limits", "memory_bytes", "50331648",
       "Memory that large envelopes may take together (three times their bytes, and 256 bytes for each element and "
       "attribute, past the first MiB of each; seven times what a Copy returns inline). Past that a caller is told "
       "Busy; "
       "one that is alone is always taken.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.memoryBytes; }, 0, anyBytes)},
      {"limits", "depth", "64", "Most nested elements in an envelope.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.limits.depth; }, 8, 10'000)},
      {"limits", "attributes", "128", "Most attributes and namespace declarations on one element.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.limits.attributes; }, 8, 10'000)},
      {"limits", "headers", "64", "Most SOAP header blocks.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.limits.headers; }, 8, 10'000)},
      {"limits", "elements", "200000", "Most elements in an envelope.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.limits.elements; }, 100, 100'000'000)},
      {"limits", "parts", "10000", "Most parts of one multipart message.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.limits.parts; }, 2, 1'000'000)},
      {"limits", "part_header_bytes", "16384", "Most bytes of the header lines of one part.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.limits.partHeaderBytes; }, 256, 1 << 20)},
      {"limits", "early_bytes", "1073741824",
       "Most bytes of parts that come before the envelope, or before they are asked for, or that several elements "
       "refer to "
       "(they wait in staging/).",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.limits.earlyBytes; }, 0, anyBytes)},
      {"limits", "unopened_bytes", "67108864",
       "Most bytes of parts that come before the envelope, and so before its token; all such messages together may "
       "have "
       "four times as much waiting.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.limits.unopenedBytes; }, 0, anyBytes / 4)},
      {"limits", "unreferenced_bytes", "67108864", "Most bytes of parts that nothing in the message refers to.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.limits.unreferencedBytes; }, 0, anyBytes)},
      {"limits", "inline_bytes", "8388608", "Most bytes that one Copy returns as inline base64.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.inlineBytes; }, 0, gib)},
      {"limits", "object_bytes", "0", "Most bytes of one data object; 0: no limit.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.objectBytes; }, 0, anyBytes)},
      {"storage", "minimum_free_bytes", "67108864",
       "Uploads are refused with NoSpace when they would leave less than this on the disk.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.minimumFreeBytes; }, 0, anyBytes)},
      {"tokens", "maximum_lifetime", "3600", "Seconds from NotBefore to NotAfter that a token may claim.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.tokens.maximumLifetime; }, 1, 30 * day)},
      {"tokens", "clock_skew", "60", "Seconds that clocks may differ.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.tokens.clockSkew; }, 0, 3600)},
      {"tokens", "maximum_bytes", "16384", "Most bytes of a token's base64.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.tokens.maximumBytes; }, 1024, 1 << 20)},
      {"tokens", "replay", "\"fault\"",
       "What a token shown again gets: \"fault\" (TokenReplayed) or \"silence\" (an empty 202).",
       [](Config &c, const toml::node &n) {
         c.replay = choice<ReplayAnswer>(n, {{"fault", ReplayAnswer::Fault}, {"silence", ReplayAnswer::Silence}});
       }},
      {"transfers", "active", "8", "Replies that are delivered elsewhere at the same time; each has a thread.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.transfers.active; }, 1, 256)},
      {"transfers", "per_peer", "4", "Of these, how many to one host and port.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.transfers.perPeer; }, 1, 256)},
      {"transfers", "waiting", "10000",
       "Messages to be delivered elsewhere, jobs included, that one key may have waiting; past that its callers are "
       "told Busy.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.transfers.waiting; }, 1, 10'000'000)},
      {"transfers", "waiting_bytes", "67108864",
       "Bytes that these may take in the catalog: what is sent but for the content of objects.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.transfers.waitingBytes; }, 1 << 20, anyBytes)},
      {"transfers", "deadline", "86400", "Seconds after which a delivery that has not succeeded is given up.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.transfers.deadline; }, 1, 365 * day)},
      {"transfers", "longest_pause", "300",
       "Seconds between attempts, at most; the first pause is one second, and each doubles.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.transfers.longestPause; }, 1, day)},
      {"transfers", "keep_ended", "604800", "Seconds that a transfer which has ended can still be asked about.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.transfers.keepEnded; }, 1, 365 * day)},
      {"transfers", "lease_bytes", "67108864",
       "Content of so many bytes or more is left to be pulled by the receiver, which can go on after a cut; 0: it is "
       "always sent along.",
       number<std::uint64_t>([](Config &c) -> std::uint64_t & { return c.transfers.leaseFrom; }, 0, anyBytes)},
      {"transfers", "connections", "4", "Connections by which one large object is pulled, from a lease or a plain URL.",
       number<unsigned>([](Config &c) -> unsigned & { return c.transfers.connections; }, 1, 64)},
      {"algorithms", "active", "4",
       "Programs that run at the same time; so many jobs (two at least) fetch their inputs meanwhile.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.runs.active; }, 1, 1024)},
      {"algorithms", "per_principal", "2", "Of these, how many for one principal: one key, whatever its subjects.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.runs.perPrincipal; }, 1, 1024)},
      {"algorithms", "waiting", "8",
       "Callers that run a program or wait for their turn with their connections open, at most half of them of one "
       "principal; keep it below server.workers. Past that one is told Busy.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.runs.waiting; }, 1, 1024)},
      {"algorithms", "patience", "30", "Seconds after which one that waits for its turn is told Busy.",
       seconds([](Config &c) -> std::chrono::seconds & { return c.runs.patience; }, 0, 3600)},
      {"algorithms", "queued_per_principal", "1000", "Jobs that one principal (key) may have waiting.",
       number<std::size_t>([](Config &c) -> std::size_t & { return c.queuedJobs; }, 1, 1'000'000)},
      {"algorithms", "read_only", "[]",
       "Files and folders of this machine, besides the system's programs and algorithms/programs in the home, that "
       "programs may read.",
       setReadOnly},
      {"egress", "allow", "[]",
       "Whom this instance may call besides the trusted instances that have a URL: \"host\", \"host:port\", "
       "\"*.domain\", an "
       "address or a network such as \"10.0.0.0/8\". A name is called only at public addresses, and at those that an "
       "address or network here "
       "allows.",
       egressList(&transport::EgressRules::allow)},
      {"egress", "schemes", "[\"https\"]", "What plain URLs may be: \"https\", \"http\", \"ftp\", \"file\".",
       egressList(&transport::EgressRules::schemes)},
      {"egress", "ports", "[443]", "Ports for what only \"*\" in egress.allow allows.",
       [](Config &c, const toml::node &n) { c.egress.ports = ports(n); }},
      {"egress", "folders", "[]", "Folders under which \"file\" URLs are read; others are refused.", setEgressFolders},
      {"egress", "ca_file", "\"\"",
       "CAs (PEM) that vouch for hosts which are no trusted instances; empty: the system's.",
       [](Config &c, const toml::node &n) { c.egressCaFile = readableFile(n); }},
      {"log", "level", "\"info\"", "Least severe log lines written: \"debug\", \"info\", \"warning\" or \"error\".",
       [](Config &c, const toml::node &n) {
         c.logLevel =
             choice<std::string>(n, {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}});
       }},
      {"log", "audit_file", "\"\"",
       "Where the audit log goes, one JSON line an operation; empty: audit.log in the home. SIGHUP opens it anew.",
       [](Config &c, const toml::node &n) { c.auditFile = fileInAFolder(n); }},
  };
  return all;
}

[[noreturn]] void refuse(const std::string &file, const toml::source_region &where, const std::string &what) {
  throw Fault(FaultCode::BadParameter, file + ":" + std::to_string(where.begin.line) + ": " + what +
                                           "; `waybilld --print-config` shows every key with its default");
}

void applyTable(Config &config, const std::string &file, std::string_view tableName, const toml::table &table) {
  for (const auto &[name, node] : table) {
    const auto &all = keys();
    const auto keyName = name.str();
    const auto key =
        std::find_if(all.begin(), all.end(), [&](const Key &k) { return tableName == k.table && keyName == k.name; });
    const auto shown = std::string(tableName) + "." + std::string(keyName);
    if (key == all.end()) {
      refuse(file, node.source(), "unknown key '" + shown + "'");
    }
    try {
      key->set(config, node);
    } catch (const BadValue &bad) {
      refuse(file, node.source(), "'" + shown + "' " + bad.what);
    } catch (const Fault &fault) {
      refuse(file, node.source(), (fault.subject() == shown ? "" : "'" + shown + "' ") + fault.reason());
    }
  }
}

} // namespace

void parseListen(const std::string &value, transport::ServerOptions &options) {
  const auto colon = value.rfind(':');
  const auto digits = colon == std::string::npos ? std::string() : value.substr(colon + 1);
  if (colon == 0 || digits.empty() || digits.size() > 5 ||
      digits.find_first_not_of("0123456789") != std::string::npos || std::stoul(digits) > 65'535) {
    throw Fault(FaultCode::BadParameter, "needs HOST:PORT such as 0.0.0.0:8443, not '" + value + "'");
  }
  auto host = value.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (!isHost(host)) {
    throw Fault(FaultCode::BadParameter,
                "needs an address of this machine, or a name, before the port, not '" + printable(host, 100) + "'");
  }
  options.host = host;
  options.port = static_cast<std::uint16_t>(std::stoul(digits));
}

Config loadConfig(const std::string &file) {
  const auto text = tomlText(file, mostBytes);
  toml::table document;
  try {
    document = toml::parse(text, file);
  } catch (const toml::parse_error &error) {
    refuse(file, error.source(), std::string(error.description()));
  }
  Config config;
  for (const auto &[name, node] : document) {
    const auto *table = node.as_table();
    if (table == nullptr) {
      refuse(file, node.source(), "unknown key '" + std::string(name.str()) + "' outside of any table");
    }
    const auto tableName = name.str();
    const auto known = std::any_of(keys().begin(), keys().end(), [&](const Key &k) { return tableName == k.table; });
    if (!known) {
      refuse(file, node.source(), "unknown table '[" + std::string(name.str()) + "]'");
    }
    applyTable(config, file, name.str(), *table);
    if (config.server.certificateFile.empty() != config.server.keyFile.empty()) {
      refuse(file, node.source(),
             "'server.certificate' and 'server.key' belong together: set both, or neither to use the instance's own");
    }
  }
  return config;
}

Config configOf(const std::string &home) {
  const auto file = home + "/waybill.toml";
  return std::filesystem::exists(std::filesystem::symlink_status(file)) ? loadConfig(file) : Config{};
}

std::string configTemplate() {
  std::string result = "# Waybill's configuration: every key with its default.\n";
  std::string_view table;
  for (const auto &key : keys()) {
    if (table != key.table) {
      table = key.table;
      result += "\n[" + std::string(table) + "]\n";
    }
    result += "# " + std::string(key.help) + "\n" + key.name + " = " + key.example + "\n";
  }
  return result;
}

} // namespace waybill::services
