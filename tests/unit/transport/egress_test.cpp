// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/egress.hpp"

#include "transport/client.hpp"
#include "transport/fault_checks.hpp"
#include "transport/ip_address.hpp"
#include "transport/server_lab.hpp"
#include "transport/tls_peer.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <stdexcept>

namespace {

using namespace waybill;
using namespace waybill::transport;

EgressRules allowing(std::vector<std::string> allow) {
  EgressRules rules;
  rules.allow = std::move(allow);
  return rules;
}

Fault assertRefused(const EgressPolicy &policy, const std::string &url) {
  try {
    static_cast<void>(policy.check(url));
  } catch (const Fault &fault) {
    CPPUNIT_ASSERT_MESSAGE(url + ": " + fault.what(), fault.code() == FaultCode::AddressNotAllowed);
    return fault;
  }
  throw std::runtime_error(url + " is not refused");
}

std::string kindOf(const std::string &address) {
  const auto parsed = IpAddress::parse(address);
  return parsed ? std::string(parsed->specialKind().value_or("public")) : "none";
}

class EgressTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EgressTest);
  CPPUNIT_TEST(knowsSpecialAddresses);
  CPPUNIT_TEST(refusesAllUnlessAllowed);
  CPPUNIT_TEST(refusesLoopbackInEachSpelling);
  CPPUNIT_TEST(refusesWhatIsNoPlainUrl);
  CPPUNIT_TEST(allowsNames);
  CPPUNIT_TEST(starMeansPublicAddressesAtTheListedPorts);
  CPPUNIT_TEST(allowsAddressesAndNetworks);
  CPPUNIT_TEST(namesLeadToPublicOrListedAddressesAlone);
  CPPUNIT_TEST(trustedInstanceMayBeAnywhereByHttpsAlone);
  CPPUNIT_TEST(schemes);
  CPPUNIT_TEST(wrongRulesAreNamed);
  CPPUNIT_TEST(folders);
  CPPUNIT_TEST(hidesSecretsOfUrls);
  CPPUNIT_TEST(refusedUrlIsNeverConnectedTo);
  CPPUNIT_TEST(nameThatLeadsInsideIsRefusedWhenConnecting);
  CPPUNIT_TEST(nameThatLeadsToAListedNetworkIsCalled);
  CPPUNIT_TEST(keptConnectionIsCheckedAgain);
  CPPUNIT_TEST(trustedInstanceMustShowItsKey);
  CPPUNIT_TEST(refusalIsNotTakenForAFailedConnection);
  CPPUNIT_TEST_SUITE_END();

public:
  void knowsSpecialAddresses() {
    const std::vector<std::pair<std::string, std::string>> kinds{{"127.0.0.1", "loopback"},
                                                                 {"127.255.255.255", "loopback"},
                                                                 {"128.0.0.1", "public"},
                                                                 {"10.1.2.3", "private"},
                                                                 {"172.15.255.255", "public"},
                                                                 {"172.16.0.0", "private"},
                                                                 {"172.31.255.255", "private"},
                                                                 {"172.32.0.0", "public"},
                                                                 {"192.168.1.1", "private"},
                                                                 {"169.254.169.254", "link-local"},
                                                                 {"100.63.255.255", "public"},
                                                                 {"100.64.0.1", "carrier-grade NAT"},
                                                                 {"100.127.255.255", "carrier-grade NAT"},
                                                                 {"100.128.0.0", "public"},
                                                                 {"0.0.0.0", "unspecified"},
                                                                 {"224.0.0.1", "multicast"},
                                                                 {"255.255.255.255", "reserved or broadcast"},
                                                                 {"192.0.2.7", "documentation"},
                                                                 {"198.51.100.1", "documentation"},
                                                                 {"203.0.113.9", "documentation"},
                                                                 {"8.8.8.8", "public"},
                                                                 {"::", "unspecified"},
                                                                 {"::1", "loopback"},
                                                                 {"::ffff:127.0.0.1", "loopback"},
                                                                 {"::ffff:8.8.8.8", "public"},
                                                                 {"::127.0.0.1", "loopback"},
                                                                 {"::8.8.8.8", "reserved"},
                                                                 {"64:ff9b::10.0.0.1", "private"},
                                                                 {"64:ff9b::8.8.8.8", "public"},
                                                                 {"64:ff9b:1::8.8.8.8", "reserved"},
                                                                 {"2002:7f00:1::", "loopback"},
                                                                 {"2002:808:808::1", "public"},
                                                                 {"2001:0:1::1", "reserved"},
                                                                 {"2001:db8::1", "documentation"},
                                                                 {"3fff:1::1", "documentation"},
                                                                 {"fc00::1", "unique-local"},
                                                                 {"fdff::1", "unique-local"},
                                                                 {"fe80::1", "link-local"},
                                                                 {"fec0::1", "site-local"},
                                                                 {"ff02::1", "multicast"},
                                                                 {"4000::1", "reserved"},
                                                                 {"2606:4700::1111", "public"},
                                                                 {"fe80::1%eth0", "none"},
                                                                 {"1.2.3", "none"}};
    for (const auto &[address, kind] : kinds) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(address, kind, kindOf(address));
    }
  }

  void refusesAllUnlessAllowed() {
    const EgressPolicy policy(EgressRules{});
    const auto fault = assertRefused(policy, "https://example.org/a?b");
    assertMentions(fault, "example.org:443");
    assertMentions(fault, "egress.allow");
    CPPUNIT_ASSERT_EQUAL(std::string("https://example.org/a?..."), fault.subject());
    assertRefused(policy, "https://8.8.8.8/");
    assertRefused(policy, "https://[2606:4700::1111]/");
  }

  void refusesLoopbackInEachSpelling() {
    // All public addresses and names, at any port one might try.
    auto rules = allowing({"*"});
    rules.schemes = {"https", "http"};
    rules.ports = {443, 80};
    const EgressPolicy policy(rules);
    for (const std::string host : {"127.0.0.1",
                                   "127.1",
                                   "127.0.1",
                                   "0x7f000001",
                                   "0x7f.1",
                                   "017700000001",
                                   "0177.0.0.01",
                                   "2130706433",
                                   "[::1]",
                                   "[0:0:0:0:0:0:0:1]",
                                   "[::ffff:127.0.0.1]",
                                   "[::ffff:7f00:1]",
                                   "[::127.0.0.1]",
                                   "[64:ff9b::7f00:1]",
                                   "[2002:7f00:1::]",
                                   "0.0.0.0",
                                   "0",
                                   "127.0.0.1.",
                                   "%31%32%37.0.0.1",
                                   "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1" /* full-width digits */}) {
      for (const std::string scheme : {"https", "http", "HTTPS"}) {
        assertRefused(policy, scheme + "://" + host + "/");
      }
    }
  }

  void refusesWhatIsNoPlainUrl() {
    const EgressPolicy policy(allowing({"*", "host"}));
    for (const std::string url : {"",
                                  "host",
                                  "host/path",
                                  "//host/",
                                  "https://",

                                  "https://a b/",
                                  "https://host:0/",
                                  "https://host:65536/",
                                  "https://host:x/",
                                  "https://[::1/",
                                  "https://[fe80::1%25eth0]/",
                                  "https://host\r\nX: y/",
                                  "https://host/\x01",
                                  "mailto:a@b",
                                  "javascript:alert(1)",
                                  "gopher://host/",
                                  "dict://host/",
                                  "scp://host/x",
                                  "ldap://host/",
                                  "telnet://host/",
                                  "smb://host/"}) {
      assertRefused(policy, url);
    }
    assertMentions(assertRefused(policy, "https://user@host/"), "user name");
    assertMentions(assertRefused(policy, "https://user:secret@host/"), "user name");
    CPPUNIT_ASSERT(std::string(assertRefused(policy, "https://user:secret@host/").what()).find("secret") ==
                   std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("host"), policy.check("https://host#@evil.example/").parts.host);
    CPPUNIT_ASSERT_EQUAL(std::string("host"), policy.check("https://host?@evil.example/").parts.host);
  }

  void allowsNames() {
    const EgressPolicy policy(
        allowing({"data.Example.org", "other.example:8443", "*.grid.example", "xn--bcher-kva.example"}));
    CPPUNIT_ASSERT_EQUAL(std::string("data.example.org"), policy.check("https://DATA.example.ORG./x").parts.host);
    CPPUNIT_ASSERT_EQUAL(9000, int{policy.check("https://data.example.org:9000/").parts.port});
    CPPUNIT_ASSERT_EQUAL(8443, int{policy.check("https://other.example:8443/").parts.port});
    CPPUNIT_ASSERT_EQUAL(std::string("a.b.grid.example"), policy.check("https://a.b.grid.example").parts.host);
    CPPUNIT_ASSERT_EQUAL(std::string("xn--bcher-kva.example"),
                         policy.check("https://xn--bcher-kva.example/").parts.host);
    // How others are turned into ASCII hangs on the locale.
    assertMentions(assertRefused(policy, "https://b\xc3\xbc"
                                         "cher.example/"),
                   "xn--");
    assertRefused(policy, "https://other.example/");
    assertRefused(policy, "https://grid.example/");
    assertRefused(policy, "https://evilgrid.example/");
    assertRefused(policy, "https://data.example.org.evil.net/");
    assertRefused(policy, "https://xdata.example.org/");
  }

  void starMeansPublicAddressesAtTheListedPorts() {
    auto rules = allowing({"*"});
    rules.ports = {443, 8443};
    const EgressPolicy policy(rules);
    CPPUNIT_ASSERT_EQUAL(std::string("anything.example"), policy.check("https://anything.example/").parts.host);
    CPPUNIT_ASSERT_EQUAL(8443, int{policy.check("https://8.8.8.8:8443/").parts.port});
    assertMentions(assertRefused(policy, "https://anything.example:22/"), "egress.ports");
    assertMentions(assertRefused(policy, "https://10.0.0.1/"), "private");
    const EgressPolicy atOnePort(allowing({"*:9443"}));
    CPPUNIT_ASSERT_EQUAL(9443, int{atOnePort.check("https://anything.example:9443/").parts.port});
    assertRefused(atOnePort, "https://anything.example/");
  }

  void allowsAddressesAndNetworks() {
    const EgressPolicy policy(allowing({"10.0.0.0/8", "192.168.7.7:8443", "[fd00::7]:8443", "fd11::/16", "127.2"}));
    CPPUNIT_ASSERT_EQUAL(std::string("10.255.0.1"), policy.check("https://10.255.0.1:1234/").parts.host);
    CPPUNIT_ASSERT_EQUAL(std::string("10.0.0.1"), policy.check("https://0xa000001/").parts.host);
    CPPUNIT_ASSERT_EQUAL(std::string("192.168.7.7"), policy.check("https://192.168.7.7:8443/").parts.host);
    CPPUNIT_ASSERT_EQUAL(std::string("fd00::7"), policy.check("https://[fd00:0::7]:8443/").parts.host);
    CPPUNIT_ASSERT_EQUAL(std::string("fd11::1"), policy.check("https://[fd11::1]/").parts.host);
    CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.2"), policy.check("https://127.0.0.2/").parts.host);
    assertRefused(policy, "https://192.168.7.7/");
    assertRefused(policy, "https://192.168.7.8:8443/");
    assertRefused(policy, "https://11.0.0.1/");
    assertRefused(policy, "https://[fd00::7]/");
    assertRefused(policy, "https://[fd12::1]/");
    assertRefused(policy, "https://[64:ff9b::10.0.0.1]/");
    assertRefused(policy, "https://name-inside.example/");
  }

  void namesLeadToPublicOrListedAddressesAlone() {
    const EgressPolicy policy(allowing({"files.example", "10.7.0.0/16:443"}));
    const auto admission = policy.check("https://files.example/");
    policy.checkAddress(admission, "8.8.8.8");
    policy.checkAddress(admission, "10.7.3.4");
    policy.checkAddress(admission, "::ffff:10.7.3.4");
    for (const std::string address :
         {"10.8.0.1", "127.0.0.1", "::1", "169.254.169.254", "fe80::1", "", "/run/socket"}) {
      const auto fault = faultOf([&] { policy.checkAddress(admission, address); });
      CPPUNIT_ASSERT(fault.code() == FaultCode::AddressNotAllowed);
      assertMentions(fault, "files.example:443");
      // What the network inside looks like is for the log alone.
      CPPUNIT_ASSERT(address.empty() || fault.reason().find(address) == std::string::npos);
      CPPUNIT_ASSERT(fault.log().forLog().find(address) != std::string::npos);
    }
    const auto otherPort = policy.check("https://files.example:8443/");
    CPPUNIT_ASSERT_THROW(policy.checkAddress(otherPort, "10.7.3.4"), Fault);
  }

  void trustedInstanceMayBeAnywhereByHttpsAlone() {
    const std::string pin(64, 'a');
    auto rules = EgressRules{};
    rules.schemes = {"https", "http"};
    const EgressPolicy policy(rules, [&](const std::string &scheme, const std::string &host, std::uint16_t port) {
      CPPUNIT_ASSERT_EQUAL(std::string("https"), scheme);
      return host == "lab.example" && port == 8443 ? std::optional(PeerIdentity{pin, ""}) : std::nullopt;
    });
    const auto admission = policy.check("https://LAB.example.:8443/services/data");
    CPPUNIT_ASSERT(admission.trusted);
    CPPUNIT_ASSERT_EQUAL(pin, admission.trusted->pinnedKey);
    policy.checkAddress(admission, "127.0.0.1");
    policy.checkAddress(admission, "fe80::1");
    assertRefused(policy, "https://lab.example/");
    assertRefused(policy, "http://lab.example:8443/"); // nothing would prove the key
  }

  void schemes() {
    auto rules = allowing({"host.example"});
    rules.schemes = {"http", "ftp"};
    const EgressPolicy policy(rules);
    CPPUNIT_ASSERT_EQUAL(80, int{policy.check("http://host.example/").parts.port});
    CPPUNIT_ASSERT_EQUAL(21, int{policy.check("ftp://host.example/").parts.port});
    assertMentions(assertRefused(policy, "https://host.example/"), "egress.schemes");
    assertMentions(assertRefused(policy, "file:///etc/passwd"), "egress.schemes");
  }

  void wrongRulesAreNamed() {
    for (const std::string entry : {"", "host:0", "host:99999", "host:x", "a*b", "*.", "10.0.0.0/33", "10.0.0.0/x",
                                    "https://host", "host/path", "user@host", "fe80::1%eth0", "[::1", "a b"}) {
      const auto fault = faultOf([&] { const EgressPolicy policy(allowing({entry})); });
      CPPUNIT_ASSERT(fault.code() == FaultCode::BadParameter);
      assertMentions(fault, "'" + entry + "'");
      assertMentions(fault, "egress.allow");
    }
    EgressRules rules;
    rules.schemes = {"gopher"};
    assertMentions(faultOf([&] { const EgressPolicy policy(rules); }), "gopher");
    rules = {};
    rules.folders = {"relative/folder"};
    assertMentions(faultOf([&] { const EgressPolicy policy(rules); }), "relative/folder");
  }

  void folders() {
    EgressRules rules;
    rules.schemes = {"file"};
    rules.folders = {"/srv/open/", "/data"};
    const EgressPolicy policy(rules);
    CPPUNIT_ASSERT_EQUAL(std::string("/srv/open/a/b"), policy.check("file:///srv/open/a/b").parts.path);
    CPPUNIT_ASSERT_EQUAL(std::string("/data/x"), policy.check("file://localhost/data/x").parts.path);
    for (const std::string url :
         {"file:///etc/passwd", "file:///srv/openly/x", "file:///srv/open/../../etc/passwd",
          "file:///srv/open/%2e%2e/%2e%2e/etc/passwd", "file:///srv/open%2f..%2f..%2fetc/passwd", "file:///data/a%00b",
          "file://elsewhere/data/x", "file:///"}) {
      assertRefused(policy, url);
    }
    assertMentions(assertRefused(policy, "file:///etc/passwd"), "egress.folders");
  }

  void hidesSecretsOfUrls() {
    CPPUNIT_ASSERT_EQUAL(std::string("https://h:1/lease/..."), printableUrl("https://h:1/lease/abcdef?x=1"));
    CPPUNIT_ASSERT_EQUAL(std::string("https://h/a/b?..."), printableUrl("https://h/a/b?signature=abc#f"));
    CPPUNIT_ASSERT_EQUAL(std::string("https://h/a"), printableUrl("https://me:secret@h/a"));
    CPPUNIT_ASSERT_EQUAL(std::string("https://h/a@b"), printableUrl("https://h/a@b"));
    CPPUNIT_ASSERT_EQUAL(std::string("not a url"), printableUrl("not a url"));
    CPPUNIT_ASSERT_EQUAL(std::string("https://h/x?..."), printableUrl("https://h/x?a=/lease/abc"));
  }

  static ClientOptions guarded(std::vector<std::string> allow, TrustedEndpoints trusted = {}) {
    ClientOptions options;
    options.guard = std::make_shared<const EgressPolicy>(allowing(std::move(allow)), std::move(trusted));
    return options;
  }

  static ClientRequest asking(const TlsPeer &peer, const std::string &host = "127.0.0.1") {
    ClientRequest request;
    request.url = peer.url("x");
    request.url.replace(request.url.find("127.0.0.1"), 9, host);
    request.peer.pinnedKey = peer.pin();
    return request;
  }

  static void serveForever(Conversation &c) {
    while (!c.readHead().empty()) {
      c.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }

  void refusedUrlIsNeverConnectedTo() {
    TlsPeer peer(serveForever);
    Client client(guarded({"*"}));
    const auto fault = faultOf([&] { static_cast<void>(client.perform(asking(peer))); });
    CPPUNIT_ASSERT(fault.code() == FaultCode::AddressNotAllowed);
    CPPUNIT_ASSERT_EQUAL(0, peer.connections());
  }

  void nameThatLeadsInsideIsRefusedWhenConnecting() {
    TlsPeer peer(serveForever);
    for (const std::string name : {"localhost", "LOCALHOST"}) {
      Client client(guarded({"localhost"}));
      const auto fault = faultOf([&] { static_cast<void>(client.perform(asking(peer, name))); });
      CPPUNIT_ASSERT_MESSAGE(fault.what(), fault.code() == FaultCode::AddressNotAllowed);
      assertMentions(fault, "loopback");
    }
    Client client(guarded({"localhost"}));
    CPPUNIT_ASSERT_THROW(static_cast<void>(client.perform(asking(peer, "localhost."))), Fault);
    CPPUNIT_ASSERT_EQUAL(0, peer.connections());
  }

  void nameThatLeadsToAListedNetworkIsCalled() {
    TlsPeer peer(serveForever);
    Client client(guarded({"localhost", "127.0.0.0/8"}));
    CPPUNIT_ASSERT_EQUAL(200, client.perform(asking(peer, "localhost")).status);
  }

  void keptConnectionIsCheckedAgain() {
    // A lookup that changes its mind while the connection is kept stands for a name that moved: the URL passes as a
    // listed name, the address of the kept connection does not.
    TlsPeer peer(serveForever);
    std::atomic<bool> known = true;
    const PeerIdentity identity{peer.pin(), ""};
    Client client(guarded({"localhost"}, [&](const std::string &, const std::string &, std::uint16_t) {
      return known ? std::optional(identity) : std::nullopt;
    }));
    {
      auto response = client.perform(asking(peer, "localhost"));
      CPPUNIT_ASSERT_EQUAL(std::string("ok"), readAll(*response.body, 100, "reply"));
    }
    known = false;
    const auto fault = faultOf([&] { static_cast<void>(client.perform(asking(peer, "localhost"))); });
    CPPUNIT_ASSERT_MESSAGE(fault.what(), fault.code() == FaultCode::AddressNotAllowed);
    CPPUNIT_ASSERT_EQUAL(1, peer.connections());
  }

  void trustedInstanceMustShowItsKey() {
    TlsPeer peer(serveForever);
    const auto trusting = [](const std::string &pin) {
      return guarded({}, [pin](const std::string &, const std::string &, std::uint16_t) {
        return std::optional(PeerIdentity{pin, ""});
      });
    };
    auto request = asking(peer);
    request.peer = {};
    CPPUNIT_ASSERT_EQUAL(200, Client(trusting(peer.pin())).perform(request).status);
    Client wrong(trusting(std::string(64, 'b')));
    // The request's own idea of the key does not count.
    const auto fault = faultOf([&] { static_cast<void>(wrong.perform(asking(peer))); });
    CPPUNIT_ASSERT(fault.code() == FaultCode::DeliveryFailed);
    assertMentions(fault, "another key");
  }

  void refusalIsNotTakenForAFailedConnection() {
    std::string url;
    {
      TlsPeer gone([](Conversation &) {});
      url = gone.url();
    }
    url.replace(url.find("127.0.0.1"), 9, "localhost");
    ClientRequest request;
    request.url = url;
    Client refusing(guarded({"localhost"}));
    CPPUNIT_ASSERT(faultOf([&] { static_cast<void>(refusing.perform(request)); }).code() ==
                   FaultCode::AddressNotAllowed);
    Client allowingIt(guarded({"localhost", "127.0.0.1", "::1"}));
    CPPUNIT_ASSERT(faultOf([&] { static_cast<void>(allowingIt.perform(request)); }).code() ==
                   FaultCode::DeliveryFailed);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EgressTest);

} // namespace
