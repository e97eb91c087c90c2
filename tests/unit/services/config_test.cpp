// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/config.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace {

using namespace waybill;
using services::Config;

class ConfigTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ConfigTest);
  CPPUNIT_TEST(templateIsTheDefaults);
  CPPUNIT_TEST(valuesAreRead);
  CPPUNIT_TEST(unknownKeyIsRefusedWithItsLine);
  CPPUNIT_TEST(unknownTableIsRefusedWithItsLine);
  CPPUNIT_TEST(keyOutsideOfTablesIsRefused);
  CPPUNIT_TEST(badValuesAreRefusedWithTheirLine);
  CPPUNIT_TEST(brokenTomlIsRefusedWithItsLine);
  CPPUNIT_TEST(whatIsNoFileOrTooLargeIsRefused);
  CPPUNIT_TEST(configOfAHome);
  CPPUNIT_TEST(listenAddresses);
  CPPUNIT_TEST(everyKeyIsInTheGuide);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override {
    std::string name = std::filesystem::temp_directory_path() / "waybill-config-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  void tearDown() override { std::filesystem::remove_all(folder_); }

  void templateIsTheDefaults() {
    const auto read = load(services::configTemplate());
    const Config defaults;
    CPPUNIT_ASSERT_EQUAL(defaults.server.port, read.server.port);
    CPPUNIT_ASSERT_EQUAL(defaults.server.workers, read.server.workers);
    CPPUNIT_ASSERT_EQUAL(defaults.server.queue, read.server.queue);
    CPPUNIT_ASSERT_EQUAL(defaults.server.connections, read.server.connections);
    CPPUNIT_ASSERT_EQUAL(defaults.server.headBytes, read.server.headBytes);
    CPPUNIT_ASSERT(defaults.server.headDeadline == read.server.headDeadline);
    CPPUNIT_ASSERT(defaults.server.idleDeadline == read.server.idleDeadline);
    CPPUNIT_ASSERT(defaults.server.stallDeadline == read.server.stallDeadline);
    CPPUNIT_ASSERT_EQUAL(defaults.server.minimumRate, read.server.minimumRate);
    CPPUNIT_ASSERT(defaults.server.rateGrace == read.server.rateGrace);
    CPPUNIT_ASSERT(defaults.server.envelopeDeadline == read.server.envelopeDeadline);
    CPPUNIT_ASSERT(defaults.server.drainDeadline == read.server.drainDeadline);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.envelopeBytes, read.limits.envelopeBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.depth, read.limits.depth);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.attributes, read.limits.attributes);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.headers, read.limits.headers);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.elements, read.limits.elements);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.parts, read.limits.parts);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.partHeaderBytes, read.limits.partHeaderBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.earlyBytes, read.limits.earlyBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.unopenedBytes, read.limits.unopenedBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.memoryBytes, read.memoryBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.limits.unreferencedBytes, read.limits.unreferencedBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.inlineBytes, read.inlineBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.objectBytes, read.objectBytes);
    CPPUNIT_ASSERT_EQUAL(defaults.minimumFreeBytes, read.minimumFreeBytes);
    CPPUNIT_ASSERT(defaults.tokens.maximumLifetime == read.tokens.maximumLifetime);
    CPPUNIT_ASSERT(defaults.tokens.clockSkew == read.tokens.clockSkew);
    CPPUNIT_ASSERT_EQUAL(defaults.tokens.maximumBytes, read.tokens.maximumBytes);
    CPPUNIT_ASSERT(defaults.replay == read.replay);
    CPPUNIT_ASSERT(defaults.metrics == read.metrics);
    CPPUNIT_ASSERT_EQUAL(defaults.logLevel, read.logLevel);
  }

  void valuesAreRead() {
    const auto config = load(
        "[instance]\nname = 'lab'\npublic_url = 'https://lab.example.org/'\nother_urls = ['https://10.0.0.1:8443']\n"
        "[server]\nlisten = '[::1]:9000'\nworkers = 3\nmetrics = 'off'\n[tokens]\nreplay = 'silence'\nmaximum_lifetime "
        "= 60\n[egress]\nschemes = ['https', 'file']\nallow = ['*.a.example', '10.0.0.0/8']\nfolders = ['/']\n");
    CPPUNIT_ASSERT_EQUAL(std::string("lab"), config.name);
    CPPUNIT_ASSERT_EQUAL(std::string("https://lab.example.org"), config.publicUrl);
    CPPUNIT_ASSERT_EQUAL(std::string("https://10.0.0.1:8443"), config.otherUrls.at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("::1"), config.server.host);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{9000}, config.server.port);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, config.server.workers);
    CPPUNIT_ASSERT(config.metrics == services::MetricsAudience::Off);
    CPPUNIT_ASSERT(config.replay == services::ReplayAnswer::Silence);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, config.egress.schemes.size());
    CPPUNIT_ASSERT_EQUAL(std::string("10.0.0.0/8"), config.egress.allow.at(1));
    CPPUNIT_ASSERT_EQUAL(std::string("/"), config.egress.folders.at(0));
    CPPUNIT_ASSERT(config.tokens.maximumLifetime == std::chrono::seconds(60));
  }

  void unknownKeyIsRefusedWithItsLine() { refused("[server]\n\nwrokers = 3\n", ":3: ", "'server.wrokers'"); }
  void unknownTableIsRefusedWithItsLine() { refused("\n[sever]\nworkers = 3\n", ":2: ", "'[sever]'"); }
  void keyOutsideOfTablesIsRefused() { refused("workers = 3\n", ":1: ", "'workers'"); }
  void brokenTomlIsRefusedWithItsLine() { refused("[server]\nworkers = = 3\n", ":2: ", ""); }

  void whatIsNoFileOrTooLargeIsRefused() {
    constexpr std::size_t most = 1024 * 1024;
    load(std::string(most, '#'));
    refused(std::string(most + 1, '#'), ":1: ", "more than 1024 KiB");
    std::filesystem::remove(folder_ / "waybill.toml");
    CPPUNIT_ASSERT_EQUAL(0, ::mkfifo((folder_ / "waybill.toml").c_str(), 0600)); // opening it would wait
    try {
      static_cast<void>(services::configOf(folder_));
      CPPUNIT_FAIL("read a FIFO");
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find("and is a FIFO") != std::string::npos);
    }
    CPPUNIT_ASSERT_THROW(static_cast<void>(services::loadConfig(folder_ / "none.toml")), Fault);
  }

  void configOfAHome() {
    CPPUNIT_ASSERT_EQUAL(std::string("info"), services::configOf(folder_).logLevel);
    load("[log]\nlevel = 'debug'\n");
    CPPUNIT_ASSERT_EQUAL(std::string("debug"), services::configOf(folder_).logLevel);
  }

  void badValuesAreRefusedWithTheirLine() {
    refused("[server]\nworkers = 0\n", ":2: ", "from 1 to 1024");
    refused("[server]\nworkers = 'many'\n", ":2: ", "whole number");
    refused("[server]\nlisten = 'nowhere'\n", ":2: ", "HOST:PORT");
    refused("[server]\nlisten = 'a:70000'\n", ":2: ", "HOST:PORT");
    refused("[server]\nlisten = '999.0.0.1:1'\n", ":2: ", "'server.listen' needs an address");
    refused("[server]\nmetrics = 'some'\n", ":2: ", "\"loopback\"");
    for (const std::string url : {"http://lab", "https://", "https:///x", "https://lab example/", "https://lab:99999",
                                  "https://lab:", "https://[::1", "https://lab/?x", "https://a@b"}) {
      refused("[instance]\npublic_url = '" + url + "'\n", ":2: ", "https://");
      refused("[instance]\nother_urls = ['" + url + "']\n", ":2: ", "https://");
    }
    refused("[server]\ncertificate = '/nowhere/x.pem'\n", ":2: ", "cannot be read");
    refused("\n[server]\nkey = '" + std::string(WAYBILL_SOURCE_DIR) + "/LICENSE'\n", ":2: ", "belong together");
    refused("[log]\naudit_file = '/nowhere/audit.log'\n", ":2: ", "not there");
    refused("[egress]\nports = [443]\nschemes = ['https', 'gopher']\n",
            ":3: ", "egress.schemes has the entry 'gopher'");
    for (const std::string entry : {"**", "host:0", "", "a@b", "10.0.0.0/33"}) {
      refused("[egress]\nallow = ['a.example', '" + entry + "']\n",
              ":2: ", "egress.allow has the entry '" + entry + "'");
    }
    refused("[egress]\nfolders = ['data']\n", ":2: ", "egress.folders has the entry 'data'");
    refused("[algorithms]\nread_only = ['/usr', 'data']\n", ":2: ", "'algorithms.read_only' names what is not there");
    refused("[algorithms]\nread_only = ['/nowhere']\n", ":2: ", "'/nowhere'");
    refused("[egress]\nfolders = ['/', '/nowhere']\n", ":2: ", "'egress.folders' names a folder that is not there");
    refused("[instance]\nname = 3\n", ":2: ", "text in quotes");
    refused("[instance]\nother_urls = 'https://x'\n", ":2: ", "list of URLs");
  }

  void listenAddresses() {
    transport::ServerOptions options;
    services::parseListen("0.0.0.0:1", options);
    CPPUNIT_ASSERT_EQUAL(std::string("0.0.0.0"), options.host);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{1}, options.port);
    for (const auto &[good, host] : {std::pair{"[::]:1", "::"},
                                     {"[fe80::1%eth0]:1", "fe80::1%eth0"},
                                     {"localhost:1", "localhost"},
                                     {"lab-1.example.org:1", "lab-1.example.org"}}) {
      services::parseListen(good, options);
      CPPUNIT_ASSERT_EQUAL(std::string(host), options.host);
    }
    for (const auto *bad : {"", ":1", "host", "host:", "host:x", "host:-1", "host:123456", "999.0.0.1:1", "1:1",
                            "10.0.0:1", "[::g]:1", "[]:1", "a b:1", "a/b:1"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, services::parseListen(bad, options), Fault);
    }
  }

  void everyKeyIsInTheGuide() {
    std::ifstream file(WAYBILL_SOURCE_DIR "/docs/operations.md");
    const std::string guide{std::istreambuf_iterator<char>(file), {}};
    CPPUNIT_ASSERT_MESSAGE("docs/operations.md holds the text that waybilld --print-config prints",
                           guide.find(services::configTemplate()) != std::string::npos);
  }

private:
  Config load(const std::string &text) {
    const auto file = folder_ / "waybill.toml";
    std::ofstream(file) << text;
    return services::loadConfig(file);
  }

  void refused(const std::string &text, const std::string &line, const std::string &what) {
    try {
      load(text);
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT(fault.code() == FaultCode::BadParameter);
      CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find("waybill.toml" + line) != std::string::npos);
      CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find(what) != std::string::npos);
      return;
    }
    CPPUNIT_FAIL("accepted: " + text);
  }

  std::filesystem::path folder_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ConfigTest);

} // namespace
