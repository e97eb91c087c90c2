// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/remote_instance.hpp"

#include "domain/fault.hpp"
#include "security/token.hpp"
#include "soap/fault.hpp"
#include "transport/tls_peer.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <numeric>
#include <stdexcept>

namespace CppUnit {
template <> struct assertion_traits<waybill::FaultCode> {
  static bool equal(waybill::FaultCode a, waybill::FaultCode b) { return a == b; }
  static std::string toString(waybill::FaultCode code) { return std::string(waybill::name(code)); }
};
} // namespace CppUnit

namespace {

using namespace waybill;
using namespace waybill::services;
using transport::Conversation;
using transport::TlsPeer;

/// One request as it came.
struct Seen {
  std::string head;
  std::string body;
  std::string messageId;
  std::string token;
};

std::string between(const std::string &text, const std::string &begin, const std::string &end) {
  const auto from = text.find(begin);
  if (from == std::string::npos) {
    return {};
  }
  const auto start = from + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

/// Text of the first element of that local name.
std::string textOf(const std::string &xml, const std::string &element) {
  const auto name = xml.find(element);
  return name == std::string::npos ? std::string() : between(xml.substr(name), ">", "<");
}

std::string reply(int status, const std::string &type, const std::string &body, const std::string &more = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " Word\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

template <class Response>
std::string soapReply(const Response &response, const std::optional<std::string> &relatesTo = std::nullopt) {
  soap::Addressing addressing;
  if (relatesTo) {
    addressing.used = true;
    addressing.relatesTo = relatesTo;
    addressing.action = "urn:waybill:1/AnyResponse";
  }
  return reply(200, "application/soap+xml; charset=utf-8",
               soap::writeEnvelope(soap::Version::Soap12, addressing, {}, soap::encode(response)));
}

std::string faultReply(const Fault &fault, const std::string &more = {}) {
  const auto encoded = soap::encodeFault(fault, soap::Version::Soap12, {});
  return reply(encoded.httpStatus, "application/soap+xml", encoded.envelope, more);
}

/// A peer that answers each request with the next of its replies; an empty one cuts the connection.
class ScriptedPeer {
public:
  using Answer = std::function<std::string(const Seen &)>;
  explicit ScriptedPeer(std::deque<Answer> answers)
      : answers_(std::move(answers)), peer_([this](Conversation &conversation) {
          while (!answers_.empty() && serve(conversation)) {
          }
        }) {}

  [[nodiscard]] std::string origin() const {
    const auto url = peer_.url();
    return url.substr(0, url.size() - 1);
  }
  [[nodiscard]] const std::string &pin() const { return peer_.pin(); }
  [[nodiscard]] const std::vector<Seen> &seen() const { return seen_; }

private:
  bool serve(Conversation &conversation) {
    Seen seen;
    seen.head = conversation.readHead();
    if (seen.head.empty()) {
      return false;
    }
    if (seen.head.find("100-continue") != std::string::npos) {
      conversation.write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    seen.body =
        conversation.readBytes(std::strtoul(between(seen.head, "Content-Length: ", "\r\n").c_str(), nullptr, 10));
    seen.messageId = textOf(seen.body, "MessageID");
    seen.token = textOf(seen.body, "Token");
    seen_.push_back(seen);
    const auto answer = answers_.front()(seen);
    answers_.pop_front();
    if (answer.empty()) {
      conversation.cut();
      return false;
    }
    conversation.write(answer);
    return true;
  }

  std::deque<Answer> answers_;
  std::vector<Seen> seen_;
  TlsPeer peer_;
};

std::string cutOff(const Seen &) { return {}; }

ReceiveResponse receipt() {
  Data data;
  data.path = "/a";
  data.size = 5;
  return {{data}};
}

class RemoteInstanceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RemoteInstanceTest);
  CPPUNIT_TEST(sendsTokenAddressingAndAttachment);
  CPPUNIT_TEST(cutChangeGoesAgainUnderTheSameMessageIdAndToken);
  CPPUNIT_TEST(cutReadGoesAgainWithAFreshToken);
  CPPUNIT_TEST(firstAttemptStillAtWork);
  CPPUNIT_TEST(askedAgainForLongerThanAStallTakes);
  CPPUNIT_TEST(theLostConnectionIsTheCause);
  CPPUNIT_TEST(anotherFaultAfterACutIsTheAnswer);
  CPPUNIT_TEST(replayAtOnceIsAFault);
  CPPUNIT_TEST(busyIsTriedAgainWhenThePeerSays);
  CPPUNIT_TEST(givesUpAfterItsAttempts);
  CPPUNIT_TEST(pipeIsNotSentTwice);
  CPPUNIT_TEST(peersFaultIsThrown);
  CPPUNIT_TEST(replyThatIsNoSoapIsQuoted);
  CPPUNIT_TEST(replyToAnotherMessage);
  CPPUNIT_TEST(replyOfAnotherOperation);
  CPPUNIT_TEST(openOperationNeedsNoToken);
  CPPUNIT_TEST(pullsAttachments);
  CPPUNIT_TEST(asksForAReplyElsewhere);
  CPPUNIT_TEST(cutCallElsewhereGoesAgainUnderTheSameMessageIdAndToken);
  CPPUNIT_TEST(refusalOfACallElsewhereIsThrown);
  CPPUNIT_TEST(replyOnTheConnectionIsNoPromise);
  CPPUNIT_TEST(cancellingIsAChange);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override {
    auto pattern = (std::filesystem::temp_directory_path() / "waybill-remote-XXXXXX").string();
    CPPUNIT_ASSERT(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    std::filesystem::create_directories(folder_ + "/own");
    std::filesystem::create_directories(folder_ + "/peer");
    own_ = std::make_unique<security::InstanceKey>(
        security::InstanceKey::generate(folder_ + "/own", "own", {"localhost"}, security::KeyType::P256));
    peer_ = std::make_unique<security::InstanceKey>(
        security::InstanceKey::generate(folder_ + "/peer", "peer", {"localhost"}, security::KeyType::P256));
    pauses_.clear();
  }
  void tearDown() override { std::filesystem::remove_all(folder_); }

  void sendsTokenAddressingAndAttachment() {
    ScriptedPeer peer({[](const Seen &seen) { return soapReply(receipt(), seen.messageId); }});
    const auto got = remote(peer).call(receive(), extras()).message;
    CPPUNIT_ASSERT_EQUAL(std::string("/a"), got.data.at(0).path.value());
    const auto &seen = peer.seen().at(0);
    CPPUNIT_ASSERT(seen.head.starts_with("POST /services/data HTTP/1.1\r\n"));
    CPPUNIT_ASSERT(seen.head.find("multipart/related") != std::string::npos);
    CPPUNIT_ASSERT(seen.messageId.starts_with("urn:uuid:"));
    CPPUNIT_ASSERT(seen.body.find("urn:waybill:1/Receive") != std::string::npos);
    CPPUNIT_ASSERT(seen.body.find("\r\n\r\nhello\r\n") != std::string::npos);
    const auto claims = open(seen.token);
    CPPUNIT_ASSERT(claims.operations == std::vector<std::string>{"Receive"});
    CPPUNIT_ASSERT(claims.resources == std::vector<std::string>{"/a"});
    CPPUNIT_ASSERT_EQUAL(own_->id(), claims.issuer);
    CPPUNIT_ASSERT_EQUAL(peer_->id(), claims.audience);
  }

  void cutChangeGoesAgainUnderTheSameMessageIdAndToken() {
    ScriptedPeer peer({cutOff, cutOff, [](const Seen &) { return soapReply(receipt()); }});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, remote(peer).call(receive(), extras()).message.data.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, peer.seen().size());
    for (const auto &seen : peer.seen()) {
      CPPUNIT_ASSERT(!seen.token.empty());
      CPPUNIT_ASSERT_EQUAL(peer.seen()[0].messageId, seen.messageId);
      CPPUNIT_ASSERT_EQUAL(peer.seen()[0].token, seen.token);
      CPPUNIT_ASSERT(seen.body.find("\r\n\r\nhello\r\n") != std::string::npos);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, pauses_.size());
    CPPUNIT_ASSERT(pauses_[1] > pauses_[0]);
  }

  void cutReadGoesAgainWithAFreshToken() {
    ScriptedPeer peer({cutOff, [](const Seen &) { return soapReply(ListResponse{}); }});
    CPPUNIT_ASSERT(remote(peer).call(ListRequest{}).message.data.empty());
    CPPUNIT_ASSERT(peer.seen().at(0).token != peer.seen().at(1).token);
    CPPUNIT_ASSERT(peer.seen().at(0).messageId != peer.seen().at(1).messageId);
  }

  void firstAttemptStillAtWork() {
    const auto held = [](const Seen &) { return faultReply(Fault(FaultCode::TokenReplayed, "held by another call")); };
    ScriptedPeer peer({cutOff, held, [](const Seen &) { return soapReply(receipt()); }});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, remote(peer).call(receive(), extras()).message.data.size());
    CPPUNIT_ASSERT_EQUAL(peer.seen().at(0).token, peer.seen().at(2).token);
  }

  void askedAgainForLongerThanAStallTakes() {
    std::deque<ScriptedPeer::Answer> answers{cutOff};
    for (const auto code : {FaultCode::Busy, FaultCode::TokenReplayed, FaultCode::Busy, FaultCode::Busy,
                            FaultCode::TokenReplayed, FaultCode::Busy, FaultCode::Busy, FaultCode::Busy}) {
      answers.emplace_back([code](const Seen &) { return faultReply(Fault(code, "at work")); });
    }
    answers.emplace_back([](const Seen &) { return reply(503, "text/plain", "busy", "Retry-After: 9\r\n"); });
    answers.emplace_back([](const Seen &) { return soapReply(receipt()); });
    ScriptedPeer peer(std::move(answers));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, remote(peer).call(receive(), extras()).message.data.size());
    CPPUNIT_ASSERT(waited() > std::chrono::seconds(30));
    CPPUNIT_ASSERT_EQUAL(peer.seen().front().messageId, peer.seen().back().messageId);
  }

  void theLostConnectionIsTheCause() {
    for (const auto code : {FaultCode::Busy, FaultCode::TokenReplayed}) {
      pauses_.clear();
      std::deque<ScriptedPeer::Answer> answers{cutOff};
      // More than are asked for: a peer that kept the connection would wait for the next request at its end.
      for (int i = 0; i < 30; ++i) {
        answers.emplace_back(
            [code](const Seen &) { return faultReply(Fault(code, "at work"), "Connection: close\r\n"); });
      }
      ScriptedPeer peer(std::move(answers));
      CPPUNIT_ASSERT_EQUAL(FaultCode::DeliveryFailed,
                           codeOf([&] { static_cast<void>(remote(peer).call(receive(), extras())); }));
      CPPUNIT_ASSERT(waited() >= std::chrono::seconds(45));
      CPPUNIT_ASSERT(waited() < std::chrono::seconds(60));
    }
  }

  void anotherFaultAfterACutIsTheAnswer() {
    ScriptedPeer peer({cutOff, [](const Seen &) { return faultReply(Fault(FaultCode::NoSpace, "the disk is full")); }});
    CPPUNIT_ASSERT_EQUAL(FaultCode::NoSpace,
                         codeOf([&] { static_cast<void>(remote(peer).call(receive(), extras())); }));
  }

  void replayAtOnceIsAFault() {
    ScriptedPeer peer({[](const Seen &) { return faultReply(Fault(FaultCode::TokenReplayed, "used already")); }});
    CPPUNIT_ASSERT_EQUAL(FaultCode::TokenReplayed,
                         codeOf([&] { static_cast<void>(remote(peer).call(receive(), extras())); }));
  }

  void busyIsTriedAgainWhenThePeerSays() {
    ScriptedPeer peer({[](const Seen &) { return reply(503, "text/plain", "busy", "Retry-After: 7\r\n"); },
                       [](const Seen &) { return soapReply(receipt()); }});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, remote(peer).call(receive(), extras()).message.data.size());
    CPPUNIT_ASSERT(pauses_ == std::vector{std::chrono::milliseconds(7000)});
  }

  void givesUpAfterItsAttempts() {
    ScriptedPeer peer({cutOff, cutOff, cutOff, cutOff, cutOff, cutOff});
    CPPUNIT_ASSERT_EQUAL(FaultCode::DeliveryFailed,
                         codeOf([&] { static_cast<void>(remote(peer).call(receive(), extras())); }));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, peer.seen().size());
  }

  void pipeIsNotSentTwice() {
    ScriptedPeer peer({cutOff, cutOff});
    auto once = extras();
    once.repeatable = false;
    CPPUNIT_ASSERT_EQUAL(FaultCode::DeliveryFailed,
                         codeOf([&] { static_cast<void>(remote(peer).call(receive(), once)); }));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, peer.seen().size());
  }

  void peersFaultIsThrown() {
    ScriptedPeer peer({[](const Seen &) { return faultReply(Fault(FaultCode::AlreadyExists, "it is there", "/a")); }});
    try {
      static_cast<void>(remote(peer).call(receive(), extras()));
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_EQUAL(FaultCode::AlreadyExists, fault.code());
      CPPUNIT_ASSERT_EQUAL(std::string("it is there"), fault.reason());
      CPPUNIT_ASSERT_EQUAL(std::string("/a"), fault.subject());
      return;
    }
    CPPUNIT_FAIL("no fault");
  }

  void replyThatIsNoSoapIsQuoted() {
    ScriptedPeer peer({[](const Seen &) { return reply(404, "text/html", "<h1>Not\x1b[2J here</h1>"); }});
    try {
      static_cast<void>(remote(peer).call(ListRequest{}));
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_EQUAL(FaultCode::DeliveryFailed, fault.code());
      CPPUNIT_ASSERT(fault.reason().find("404") != std::string::npos);
      CPPUNIT_ASSERT(fault.reason().find("<h1>Not") != std::string::npos);
      CPPUNIT_ASSERT(fault.reason().find('\x1b') == std::string::npos);
      return;
    }
    CPPUNIT_FAIL("no fault");
  }

  void replyToAnotherMessage() {
    ScriptedPeer peer(
        {[](const Seen &) { return soapReply(ListResponse{}, "urn:uuid:00000000-0000-4000-8000-000000000000"); }});
    CPPUNIT_ASSERT_EQUAL(FaultCode::InvalidMessage,
                         codeOf([&] { static_cast<void>(remote(peer).call(ListRequest{})); }));
  }

  void replyOfAnotherOperation() {
    ScriptedPeer peer({[](const Seen &) { return soapReply(receipt()); }});
    CPPUNIT_ASSERT_EQUAL(FaultCode::InvalidMessage,
                         codeOf([&] { static_cast<void>(remote(peer).call(ListRequest{})); }));
  }

  void openOperationNeedsNoToken() {
    GetInstanceResponse instance;
    instance.name = "peer";
    instance.id = peer_->id();
    instance.certificatePem = peer_->certificate().pem();
    instance.version = "0";
    ScriptedPeer peer({[&](const Seen &) { return soapReply(instance); }});
    CPPUNIT_ASSERT_EQUAL(std::string("peer"), remote(peer).call(GetInstanceRequest{}).message.name);
    CPPUNIT_ASSERT(peer.seen().at(0).token.empty());
    CPPUNIT_ASSERT(peer.seen().at(0).head.starts_with("POST /services/access "));
  }

  void pullsAttachments() {
    ScriptedPeer peer({[](const Seen &) {
      Data data;
      data.path = "/a";
      data.content = "cid:one@test";
      soap::OutgoingMessage message;
      message.version = soap::Version::Soap12;
      message.envelope = soap::writeEnvelope(message.version, {}, {}, soap::encode(CopyResponse{{data}}));
      message.parts = {{"one@test", "text/plain", 7, [] { return std::make_unique<StringSource>("content"); }}};
      message.packaging = soap::Packaging::Mtom;
      message.boundary = "some-boundary";
      StringSink body;
      message.write(body);
      return reply(200, message.contentType(), body.text());
    }});
    CopyRequest request;
    request.data.emplace_back().path = "/a";
    auto got = remote(peer).call(request);
    const auto source = got.rest.attachments().open(got.message.data.at(0).content.value());
    CPPUNIT_ASSERT(source != nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("content"), readAll(*source, 100, "test"));
    got.rest.attachments().finish();
  }

  void asksForAReplyElsewhere() {
    ScriptedPeer peer({accepted});
    auto instance = remote(peer);
    const auto replyTo = elsewhere(instance);
    CallExtras extras;
    extras.resources = {"/a"};
    const auto messageId = instance.callElsewhere(copyOf("/a"), replyTo, extras);
    const auto &seen = peer.seen().at(0);
    CPPUNIT_ASSERT_EQUAL(seen.messageId, messageId);
    const soap::Limits limits;
    const auto envelope = soap::Envelope::parse(seen.body, limits, "");
    const auto addressing = envelope.addressing();
    CPPUNIT_ASSERT_EQUAL(std::string("https://b.example:8443/services/data"), addressing.replyTo.value().address);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, addressing.replyTo->referenceParameters.size());
    const auto own = open(envelope.headerText({soap::waybillNamespace, "Token"}).value());
    CPPUNIT_ASSERT(own.operations == std::vector<std::string>{"Copy"});
    CPPUNIT_ASSERT_EQUAL(replyTo.address, own.replyTo.value());
    const auto handed = open(textOf(addressing.replyTo->referenceParameters.front(), "Token"));
    CPPUNIT_ASSERT(handed.operations == std::vector<std::string>{"Receive"});
    CPPUNIT_ASSERT(handed.resources == std::vector<std::string>{"/there"});
    CPPUNIT_ASSERT(!handed.replyTo);
    CPPUNIT_ASSERT(handed.id != own.id);
  }

  void cutCallElsewhereGoesAgainUnderTheSameMessageIdAndToken() {
    ScriptedPeer peer({cutOff, accepted});
    auto instance = remote(peer);
    const auto messageId = instance.callElsewhere(copyOf("/a"), elsewhere(instance));
    CPPUNIT_ASSERT_EQUAL(messageId, peer.seen().at(0).messageId);
    CPPUNIT_ASSERT_EQUAL(messageId, peer.seen().at(1).messageId);
    CPPUNIT_ASSERT_EQUAL(peer.seen().at(0).body, peer.seen().at(1).body);
  }

  void refusalOfACallElsewhereIsThrown() {
    ScriptedPeer peer({[](const Seen &) { return faultReply(Fault(FaultCode::AddressNotAllowed, "not there")); }});
    auto instance = remote(peer);
    CPPUNIT_ASSERT_EQUAL(FaultCode::AddressNotAllowed,
                         codeOf([&] { static_cast<void>(instance.callElsewhere(copyOf("/a"), elsewhere(instance))); }));
  }

  void replyOnTheConnectionIsNoPromise() {
    ScriptedPeer peer({[](const Seen &seen) { return soapReply(CopyResponse{{Data{}}}, seen.messageId); },
                       [](const Seen &) { return reply(404, "text/html", "none"); }});
    auto instance = remote(peer);
    for (const auto code : {FaultCode::InvalidMessage, FaultCode::DeliveryFailed}) {
      CPPUNIT_ASSERT_EQUAL(
          code, codeOf([&] { static_cast<void>(instance.callElsewhere(copyOf("/a"), elsewhere(instance))); }));
    }
  }

  void cancellingIsAChange() {
    Transfer transfer;
    transfer.messageId = "urn:uuid:1";
    transfer.operation = "Copy";
    transfer.owner = own_->id();
    transfer.state = TransferState::Cancelled;
    transfer.destination = "https://b.example:8443/services/data";
    ScriptedPeer peer({cutOff, [&](const Seen &) { return soapReply(CancelTransferResponse{transfer}); }});
    const auto got = remote(peer).call(CancelTransferRequest{"urn:uuid:1"}).message.transfer;
    CPPUNIT_ASSERT(got.state == TransferState::Cancelled);
    CPPUNIT_ASSERT_EQUAL(peer.seen().at(0).messageId, peer.seen().at(1).messageId);
  }

private:
  static std::string accepted(const Seen &) { return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"; }

  static CopyRequest copyOf(const std::string &path) {
    CopyRequest request;
    request.data.emplace_back().path = path;
    return request;
  }

  /// The endpoint of another instance, whose token the peer's key opens too, so that it can be looked at.
  static EndpointReference elsewhere(const RemoteInstance &instance) {
    auto endpoint =
        instance.dataEndpoint({std::string("<wb:Token xmlns:wb=\"") + soap::waybillNamespace + "\">" +
                               instance.token("Receive", {"/there"}, std::chrono::minutes(5)) + "</wb:Token>"});
    CPPUNIT_ASSERT(endpoint.address.ends_with("/services/data"));
    endpoint.address = "https://b.example:8443/services/data";
    return endpoint;
  }

  RemoteInstance remote(const ScriptedPeer &peer) {
    RetryPolicy retry;
    retry.attempts = 3;
    retry.pause = [this](std::chrono::milliseconds time) { pauses_.push_back(time); };
    return {
        {peer.origin(), peer_->certificate(), {peer.pin(), {}}}, *own_, schema_, client_, random_, clock_, {}, retry};
  }

  TokenClaims open(const std::string &token) {
    const security::TokenOpener opener(*peer_, [this](ByteView) { return std::vector{own_->certificate()}; }, clock_,
                                       {});
    return opener.open(token);
  }

  static ReceiveRequest receive() {
    ReceiveRequest request;
    auto &data = request.data.emplace_back();
    data.path = "/a";
    data.content = "cid:part";
    return request;
  }

  static CallExtras extras() {
    CallExtras extras;
    extras.parts = {{"part", "text/plain", 5, [] { return std::make_unique<StringSource>("hello"); }}};
    extras.resources = {"/a"};
    return extras;
  }

  [[nodiscard]] std::chrono::milliseconds waited() const {
    return std::accumulate(pauses_.begin(), pauses_.end(), std::chrono::milliseconds(0));
  }

  template <class Work> static FaultCode codeOf(const Work &work) {
    try {
      work();
    } catch (const Fault &fault) {
      return fault.code();
    }
    throw std::runtime_error("no fault where one is due");
  }

  std::string folder_;
  std::unique_ptr<security::InstanceKey> own_;
  std::unique_ptr<security::InstanceKey> peer_;
  soap::Schema schema_;
  transport::Client client_;
  security::SystemRandom random_;
  SystemClock clock_;
  std::vector<std::chrono::milliseconds> pauses_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(RemoteInstanceTest);

} // namespace
