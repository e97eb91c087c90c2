// SPDX-License-Identifier: GPL-3.0-or-later
// Replies that go elsewhere: what is written into the catalog, and what goes back on the connection.
#include "lab.hpp"

#include "services/transfer_work.hpp"
#include "soap/envelope.hpp"

#include <algorithm>
#include <cppunit/extensions/HelperMacros.h>

namespace waybill {

namespace {

using test::Lab;
using test::RecordedResponse;

const std::string allowed = "https://elsewhere.test/services/data";

services::Config allowingElsewhere() {
  services::Config config;
  config.egress.allow = {"elsewhere.test"};
  return config;
}

std::string endpoint(const std::string &name, const std::string &address, const std::string &parameters = {}) {
  return "<wsa:" + name + "><wsa:Address>" + address + "</wsa:Address><wsa:ReferenceParameters>" + parameters +
         "</wsa:ReferenceParameters></wsa:" + name + ">";
}

std::string headers(const std::string &messageId, const std::string &action, const std::string &more) {
  return "<wsa:MessageID>" + messageId + "</wsa:MessageID><wsa:Action>urn:waybill:1/" + action + "</wsa:Action>" + more;
}

class ElsewhereTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ElsewhereTest);
  CPPUNIT_TEST(copyBecomesATransfer);
  CPPUNIT_TEST(aCopyHasAPriority);
  CPPUNIT_TEST(copyOfWhatIsNotThereTellsTheFaultEndpoint);
  CPPUNIT_TEST(otherRepliesAreKeptWhole);
  CPPUNIT_TEST(whatChangesSomethingIsAnsweredOnce);
  CPPUNIT_TEST(sameMessageIdStartsNothingNew);
  CPPUNIT_TEST(anUnknownCallerSendsNothingAnywhere);
  CPPUNIT_TEST(openOperationsNeedATokenForIt);
  CPPUNIT_TEST(theTokenMayFixTheAddress);
  CPPUNIT_TEST(aFixedAddressIsNotTheConnection);
  CPPUNIT_TEST(faultsOfAKnownCallerGoToTheFaultEndpoint);
  CPPUNIT_TEST(onwardReceiptAndData);
  CPPUNIT_TEST(onwardDataNeedsData);
  CPPUNIT_TEST(aDeliveryIsStored);
  CPPUNIT_TEST(receiptsAndFaultsFromElsewhereAreKept);
  CPPUNIT_TEST(pathBesideIdNames);
  CPPUNIT_TEST(cancelledTransfersAreOver);
  CPPUNIT_TEST(transfersOfOthersAreNotShown);
  CPPUNIT_TEST_SUITE_END();

public:
  RecordedResponse send(const std::string &body, const std::string &operation, const std::string &header) {
    return lab.post("data", Lab::envelope(body, lab.token(lab.alice, operation), header));
  }
  RecordedResponse copy(const std::string &id, const std::string &more = {}) {
    return send("<wb:Copy><wb:Data><wb:Path>/a</wb:Path></wb:Data></wb:Copy>", "Copy",
                headers(id, "Copy", endpoint("ReplyTo", allowed, more)));
  }
  std::vector<storage::TransferRow> rows() const {
    auto all = lab.catalog->transfers(storage::TransferKind::Transfer, std::nullopt, std::nullopt, std::nullopt, 100);
    for (auto &row : all) {
      row = lab.catalog->transferById(row.id).value();
    }
    return all;
  }
  static services::TransferWork work(const storage::TransferRow &row) { return services::parseTransferWork(row.work); }
  static bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }
  static void assertAccepted(const RecordedResponse &response) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(response.body, 202, response.status);
    CPPUNIT_ASSERT(response.body.empty());
  }

  void copyBecomesATransfer() {
    lab.put("/a", "aGVsbG8=");
    assertAccepted(copy("urn:uuid:1", "<k:K xmlns:k='urn:k'>v</k:K>"));
    const auto all = rows();
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), all.size());
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:1"), all[0].messageId);
    CPPUNIT_ASSERT(all[0].state == TransferState::Queued);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t(5), all[0].bytesTotal);
    CPPUNIT_ASSERT_EQUAL(std::string("elsewhere.test:443"), all[0].peer);
    const auto sent = work(all[0]);
    CPPUNIT_ASSERT_EQUAL(allowed, sent.to.address);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/CopyResponse"), sent.action);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:1"), sent.relatesTo.value());
    CPPUNIT_ASSERT(sent.content && sent.content->items.size() == 1 && sent.content->items[0].name == "/a");
    CPPUNIT_ASSERT(has(services::headersOf(sent.to).at(0), "IsReferenceParameter"));
  }

  void aCopyHasAPriority() {
    lab.put("/a", "aGVsbG8=");
    const auto rowOf = [&](const std::string &id, const std::string &more) {
      assertAccepted(send("<wb:Copy><wb:Data><wb:Path>/a</wb:Path></wb:Data>" + more + "</wb:Copy>", "Copy",
                          headers(id, "Copy", endpoint("ReplyTo", allowed))));
      return lab.catalog->transfer(lab.alice.key.id(), id).value();
    };
    const auto plain = rowOf("urn:uuid:1", "");
    CPPUNIT_ASSERT_EQUAL(normalPriority, plain.priority);
    const auto first = rowOf("urn:uuid:2", "<wb:Priority>5</wb:Priority>");
    CPPUNIT_ASSERT_EQUAL(5, first.priority);
    CPPUNIT_ASSERT(lab.transfers.describe(first).priority == 5);
    assertAccepted(send("<wb:List/>", "List", headers("urn:uuid:3", "List", endpoint("ReplyTo", allowed))));
    const auto reply = lab.catalog->transfer(lab.alice.key.id(), "urn:uuid:3").value();
    CPPUNIT_ASSERT_EQUAL(receiptPriority, reply.priority);
    CPPUNIT_ASSERT(!lab.transfers.describe(reply).priority);
  }

  void copyOfWhatIsNotThereTellsTheFaultEndpoint() {
    assertAccepted(copy("urn:uuid:1"));
    const auto all = rows();
    CPPUNIT_ASSERT_EQUAL(std::size_t(2), all.size());
    const auto failed = lab.catalog->transfer(lab.alice.key.id(), "urn:uuid:1");
    CPPUNIT_ASSERT(failed && failed->state == TransferState::Failed && has(failed->lastError.value(), "NoSuchData"));
    const auto told = std::find_if(all.begin(), all.end(), [](const auto &row) { return row.operation == "Fault"; });
    CPPUNIT_ASSERT(told != all.end());
    CPPUNIT_ASSERT(has(work(*told).envelope, "NoSuchData"));
  }

  void otherRepliesAreKeptWhole() {
    lab.put("/a", "aGVsbG8=");
    assertAccepted(send("<wb:List/>", "List", headers("urn:uuid:2", "List", endpoint("ReplyTo", allowed))));
    const auto sent = work(rows().at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/ListResponse"), sent.action);
    CPPUNIT_ASSERT(!sent.content);
    const auto envelope = soap::Envelope::parse(sent.envelope, {});
    CPPUNIT_ASSERT_EQUAL(std::string("ListResponse"), envelope.bodyElement().local);
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:2"), envelope.addressing().relatesTo.value());
    CPPUNIT_ASSERT_EQUAL(allowed, envelope.addressing().to.value());
    CPPUNIT_ASSERT(has(sent.envelope, "/a"));
  }

  void whatChangesSomethingIsAnsweredOnce() {
    const auto token = lab.token(lab.alice, "Receive");
    const auto message = Lab::envelope("<wb:Receive><wb:Data><wb:Path>/n</wb:Path><wb:Content>aGVsbG8=</wb:Content>"
                                       "</wb:Data></wb:Receive>",
                                       token, headers("urn:uuid:3", "Receive", endpoint("ReplyTo", allowed)));
    assertAccepted(lab.post("data", message));
    assertAccepted(lab.post("data", message));
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), rows().size());
    CPPUNIT_ASSERT(has(work(rows()[0]).envelope, "ReceiveResponse"));
    CPPUNIT_ASSERT(lab.catalog->objectAt("/n").has_value());
  }

  void sameMessageIdStartsNothingNew() {
    lab.put("/a", "aGVsbG8=");
    assertAccepted(copy("urn:uuid:4"));
    assertAccepted(copy("urn:uuid:4")); // with another token
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), rows().size());
    const auto receive = [&] {
      return send("<wb:Receive><wb:Data><wb:Content>aGVsbG8=</wb:Content></wb:Data></wb:Receive>", "Receive",
                  headers("urn:uuid:5", "Receive", endpoint("ReplyTo", allowed)));
    };
    assertAccepted(receive());
    assertAccepted(receive());
    CPPUNIT_ASSERT_EQUAL(std::size_t(2), lab.catalog->objects("", 10).size()); // /a, and one
  }

  void anUnknownCallerSendsNothingAnywhere() {
    for (const auto &token : {std::string("AAAA"), std::string()}) {
      const auto reply = lab.post(
          "data", Lab::envelope("<wb:List/>", token, headers("urn:uuid:6", "List", endpoint("ReplyTo", allowed))));
      CPPUNIT_ASSERT_EQUAL(500, reply.status);
      CPPUNIT_ASSERT(has(reply.body, "Token"));
    }
    CPPUNIT_ASSERT(rows().empty());
  }

  void openOperationsNeedATokenForIt() {
    const auto header = headers("urn:uuid:7", "GetInstance", endpoint("ReplyTo", allowed));
    const auto refused = lab.post("access", Lab::envelope("<wb:GetInstance/>", "", header));
    CPPUNIT_ASSERT(has(refused.body, "NoToken"));
    assertAccepted(lab.post("access", Lab::envelope("<wb:GetInstance/>", lab.token(lab.alice, "GetInstance"), header)));
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), rows().size());
  }

  void theTokenMayFixTheAddress() {
    lab.put("/a", "aGVsbG8=");
    const auto call = [&](const std::string &replyTo) {
      auto claims = lab.claims(lab.alice, {"Copy"});
      claims.replyTo = replyTo;
      return lab.post("data", Lab::envelope("<wb:Copy><wb:Data><wb:Path>/a</wb:Path></wb:Data></wb:Copy>",
                                            security::sealToken(claims, lab.alice.key, lab.server.key.certificate()),
                                            headers("urn:uuid:8", "Copy", endpoint("ReplyTo", allowed))));
    };
    CPPUNIT_ASSERT(has(call("https://elsewhere.test/other").body, "AddressNotAllowed"));
    CPPUNIT_ASSERT(rows().empty());
    assertAccepted(call(allowed));
  }

  void aFixedAddressIsNotTheConnection() {
    lab.put("/a", "aGVsbG8=");
    auto claims = lab.claims(lab.alice, {"Copy"});
    claims.replyTo = allowed;
    const auto token = security::sealToken(claims, lab.alice.key, lab.server.key.certificate());
    const auto call = [&](const std::string &header, const std::string &path = "/a") {
      return lab.post("data", Lab::envelope("<wb:Copy><wb:Data><wb:Path>" + path + "</wb:Path></wb:Data></wb:Copy>",
                                            token, header));
    };
    const std::string anonymous = "http://www.w3.org/2005/08/addressing/anonymous";
    const std::string none = "http://www.w3.org/2005/08/addressing/none";
    for (const auto &header : {std::string(), headers("urn:uuid:1", "Copy", ""),
                               headers("urn:uuid:1", "Copy", endpoint("ReplyTo", anonymous)),
                               headers("urn:uuid:1", "Copy", endpoint("FaultTo", allowed))}) {
      const auto refused = call(header);
      CPPUNIT_ASSERT_MESSAGE(refused.body, has(refused.body, "AddressNotAllowed") && !has(refused.body, "hello"));
    }
    CPPUNIT_ASSERT(rows().empty());
    // Faults may come back, and nothing may go nowhere.
    const auto gone =
        call(headers("urn:uuid:1", "Copy", endpoint("ReplyTo", none) + endpoint("FaultTo", anonymous)), "/gone");
    CPPUNIT_ASSERT_MESSAGE(gone.body, has(gone.body, "NoSuchData"));
    assertAccepted(call(headers("urn:uuid:1", "Copy", endpoint("ReplyTo", allowed))));
    assertAccepted(call(headers("urn:uuid:1", "Copy", endpoint("ReplyTo", allowed)))); // the receipt
    CPPUNIT_ASSERT(has(call(headers("urn:uuid:1", "Copy", "")).body, "AddressNotAllowed"));
  }

  void faultsOfAKnownCallerGoToTheFaultEndpoint() {
    const auto reply = send("<wb:Describe><wb:Data><wb:Path>/none</wb:Path></wb:Data></wb:Describe>", "Describe",
                            headers("urn:uuid:9", "Describe", endpoint("FaultTo", allowed, "<k:K xmlns:k='urn:k'/>")));
    assertAccepted(reply);
    const auto sent = work(rows().at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/Fault"), sent.action);
    CPPUNIT_ASSERT(has(sent.envelope, "NoSuchData") && has(sent.envelope, "urn:k"));
    CPPUNIT_ASSERT_EQUAL(std::string("urn:uuid:9"), sent.relatesTo.value());
  }

  void onwardReceiptAndData() {
    for (const auto *what : {"Receipt", "Data"}) {
      const auto onward =
          "<wb:Onward wb:send='" + std::string(what) + "'><wsa:Address>" + allowed + "</wsa:Address></wb:Onward>";
      const auto id = std::string("urn:uuid:") + what;
      const auto reply = send("<wb:Receive><wb:Data><wb:Path>/" + std::string(what) +
                                  "</wb:Path><wb:Content>aGVsbG8=</wb:Content></wb:Data></wb:Receive>",
                              "Receive", headers(id, "Receive", onward));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(reply.body, 200, reply.status);
      const auto row = lab.catalog->transfer(lab.alice.key.id(), id);
      CPPUNIT_ASSERT(row.has_value());
      const auto sent = work(*row);
      CPPUNIT_ASSERT_EQUAL(id, sent.transfer);
      if (std::string(what) == "Data") {
        CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/CopyResponse"), sent.action);
        CPPUNIT_ASSERT_EQUAL(std::string("/Data"), sent.content.value().items.at(0).name);
        CPPUNIT_ASSERT_EQUAL(lab.catalog->objectAt("/Data")->id, sent.content->items[0].id);
      } else {
        CPPUNIT_ASSERT_EQUAL(std::string("urn:waybill:1/ReceiveResponse"), sent.action);
        CPPUNIT_ASSERT(has(sent.envelope, "/Receipt"));
      }
    }
  }

  void onwardDataNeedsData() {
    const auto reply =
        send("<wb:List/>", "List",
             headers("urn:uuid:1", "List",
                     "<wb:Onward wb:send='Data'><wsa:Address>" + allowed + "</wsa:Address></wb:Onward>"));
    CPPUNIT_ASSERT(has(reply.body, "BadParameter"));
    CPPUNIT_ASSERT(rows().empty());
  }

  void aDeliveryIsStored() {
    const auto deliver = [&](const std::string &more) {
      return send(
          "<wb:CopyResponse><wb:Data><wb:Id>https://elsewhere.test/data/00000000000000000000000000000000</wb:Id>"
          "<wb:Path>/d</wb:Path><wb:Content>aGVsbG8=</wb:Content></wb:Data></wb:CopyResponse>",
          "Receive", more);
    };
    const auto first = deliver({});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(first.body, 200, first.status);
    CPPUNIT_ASSERT(has(first.body, "ReceiveResponse"));
    CPPUNIT_ASSERT(has(deliver({}).body, "AlreadyExists"));
    CPPUNIT_ASSERT_EQUAL(200, deliver("<wb:Overwrite>Always</wb:Overwrite>").status);
  }

  void receiptsAndFaultsFromElsewhereAreKept() {
    const auto related = "<wsa:RelatesTo RelationshipType='urn:waybill:1/Transfer'>urn:uuid:root</wsa:RelatesTo>";
    assertAccepted(
        send("<wb:ReceiveResponse><wb:Data><wb:Id>https://c.test/data/1</wb:Id><wb:Size>7</wb:Size></wb:Data>"
             "</wb:ReceiveResponse>",
             "Receive", headers("urn:uuid:m1", "ReceiveResponse", related)));
    const auto kept = lab.catalog->transfer(lab.alice.key.id(), "urn:uuid:root");
    CPPUNIT_ASSERT(kept && kept->state == TransferState::Succeeded && kept->bytesTotal == 7 && kept->receipt);
    const auto fault = "<s:Fault><faultcode>s:Server</faultcode><faultstring>no room</faultstring></s:Fault>";
    assertAccepted(send(fault, "Receive",
                        "<wsa:MessageID>urn:uuid:m2</wsa:MessageID>"
                        "<wsa:Action>http://www.w3.org/2005/08/addressing/soap/fault</wsa:Action>"));
    const auto failed = lab.catalog->transfer(lab.alice.key.id(), "urn:uuid:m2");
    CPPUNIT_ASSERT(failed && failed->state == TransferState::Failed && has(failed->lastError.value(), "no room"));
  }

  void pathBesideIdNames() {
    lab.put("/a", "aGVsbG8=");
    const auto id = lab.catalog->objectAt("/a")->id;
    const auto reply = send("<wb:Copy><wb:Data><wb:Id>https://lab.test:8443/data/" + id +
                                "</wb:Id><wb:Path>/b</wb:Path></wb:Data><wb:Attach>Inline</wb:Attach></wb:Copy>",
                            "Copy", {});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(reply.body, 200, reply.status);
    CPPUNIT_ASSERT(has(reply.body, "<wb:Path>/b</wb:Path>"));
  }

  void cancelledTransfersAreOver() {
    lab.put("/a", "aGVsbG8=");
    copy("urn:uuid:c");
    const auto cancel = [&] {
      return send("<wb:CancelTransfer><wb:MessageId>urn:uuid:c</wb:MessageId></wb:CancelTransfer>", "CancelTransfer",
                  {});
    };
    CPPUNIT_ASSERT(has(cancel().body, "Cancelled"));
    CPPUNIT_ASSERT(rows().at(0).state == TransferState::Cancelled);
    CPPUNIT_ASSERT(has(cancel().body, "BadParameter"));
  }

  void transfersOfOthersAreNotShown() {
    lab.put("/a", "aGVsbG8=");
    copy("urn:uuid:mine");
    const auto asked = [&](const test::Party &who, const std::string &body, const std::string &operation) {
      return lab.post("data", Lab::envelope(body, lab.token(who, operation), {})).body;
    };
    const test::Party carol("carol");
    lab.makeKnown(carol, "carol");
    const auto get = "<wb:GetTransfer><wb:MessageId>urn:uuid:mine</wb:MessageId></wb:GetTransfer>";
    CPPUNIT_ASSERT(has(asked(lab.alice, get, "GetTransfer"), "Queued"));
    CPPUNIT_ASSERT(has(asked(carol, get, "GetTransfer"), "NoSuchTransfer"));
    CPPUNIT_ASSERT(has(asked(lab.alice, "<wb:ListTransfers/>", "ListTransfers"), "urn:uuid:mine"));
    CPPUNIT_ASSERT(!has(asked(carol, "<wb:ListTransfers/>", "ListTransfers"), "urn:uuid:mine"));
    CPPUNIT_ASSERT(has(asked(lab.server, get, "GetTransfer"), "Queued")); // who administers sees all
  }

private:
  Lab lab{allowingElsewhere()};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ElsewhereTest);

} // namespace

} // namespace waybill
